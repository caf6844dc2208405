/** What goes through services, names and proxies. */
import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { conformance, type Json, merge, type Namespace } from "./harness.ts";
import { podOf } from "./objects.ts";

const labels = { name: "test" };
const service = (name: string, spec: Json): Json => ({ metadata: { name }, spec: { selector: labels, ...spec } });
const proxied = { Accept: "*/*" };

async function make(space: Namespace, name: string, spec: Json): Promise<Json> {
	return space.target.post(space.core("services"), service(name, spec));
}

/** Pods that say their names on a port. */
async function servers(space: Namespace, count: number, args: string[] = ["serve-hostname"]): Promise<void> {
	const names = Array.from({ length: count }, (_, index) => `server-${index}`);
	await Promise.all(
		names.map((name) => space.run(podOf(name, { args, ports: [{ containerPort: 9376 }] }, {}, { labels }))),
	);
}

const client = (space: Namespace) => space.run(podOf("execpod", {}));

/** The answers to some requests from a pod. */
async function answers(space: Namespace, address: string, count: number): Promise<Set<string>> {
	const text = await space.exec(
		"execpod",
		`for i in $(seq ${count}); do curl -g -s --connect-timeout 2 http://${address}/; echo; done`,
	);
	return new Set(text.trim().split("\n"));
}

conformance("Services, DNS", "shared", (target) => {
	test.concurrent("a node port is reached by name, cluster address and every node", async () => {
		await using space = await target().namespace("svc-nodeport");
		const made = await make(space, "nodeport-test", { type: "NodePort", ports: [{ port: 80, targetPort: 9376 }] });
		await servers(space, 2);
		await client(space);
		const { items } = await target().get("/api/v1/nodes");
		const nodes = items.map((node: Json) => `${node.status.addresses[0].address}:${made.spec.ports[0].nodePort}`);
		for (const address of ["nodeport-test", made.spec.clusterIP, ...nodes])
			await eventually(async () =>
				expect([...(await answers(space, address, 12))].sort()).toEqual(["server-0", "server-1"]),
			);
	});

	test.concurrent("session affinity is kept, switched off and on again", async () => {
		await using space = await target().namespace("svc-affinity");
		await servers(space, 3);
		await client(space);
		for (const type of ["ClusterIP", "NodePort"]) {
			const name = `affinity-${type.toLowerCase()}`;
			const made = await make(space, name, {
				type,
				sessionAffinity: "ClientIP",
				ports: [{ port: 80, targetPort: 9376 }],
			});
			const stays = () => eventually(async () => expect((await answers(space, made.spec.clusterIP, 15)).size).toBe(1));
			await eventually(async () => expect([...(await answers(space, made.spec.clusterIP, 1))][0]).toMatch(/^server/));
			await stays();
			await target().patch(space.core("services", name), merge, { spec: { sessionAffinity: "None" } });
			await eventually(async () => expect((await answers(space, made.spec.clusterIP, 15)).size).toBeGreaterThan(1));
			await target().patch(space.core("services", name), merge, { spec: { sessionAffinity: "ClientIP" } });
			await stays();
		}
	}, 60_000);

	test.concurrent("types change to ExternalName and back", async () => {
		await using space = await target().namespace("svc-type");
		await servers(space, 1);
		await client(space);
		const path = space.core("services", "changing");
		const made = await target().post(space.core("services"), {
			metadata: { name: "changing" },
			spec: { type: "ExternalName", externalName: "foo.example.com" },
		});
		expect(made.spec.clusterIP ?? "").toBe("");
		const type = async (next: string, more: Json = {}) =>
			target().update(path, ({ spec }) => {
				for (const field of ["externalName", "clusterIP", "clusterIPs", "ports"]) delete spec[field];
				Object.assign(spec, { type: next, ...more });
			});
		const ports = [{ name: "http", port: 80, targetPort: 9376, protocol: "TCP" }];
		const cluster = await type("ClusterIP", { selector: labels, ports });
		expect(cluster.spec.clusterIP).toMatch(/^10\./);
		await eventually(async () => expect([...(await answers(space, "changing", 1))]).toEqual(["server-0"]));
		const external = await type("ExternalName", { externalName: `other.${space.name}.svc.cluster.local` });
		expect(external.spec.clusterIP ?? "").toBe("");
		const nodePort = await type("NodePort", { selector: labels, ports });
		expect(nodePort.spec.ports[0].nodePort).toBeGreaterThanOrEqual(30_000);
		await eventually(async () => expect([...(await answers(space, "changing", 1))]).toEqual(["server-0"]));
		await make(space, "other", { ports: [{ port: 80, targetPort: 9376 }] });
		await type("ExternalName", { externalName: `other.${space.name}.svc.cluster.local` });
		await eventually(async () => expect([...(await answers(space, "changing", 1))]).toEqual(["server-0"]));
	});

	test.concurrent("one port number serves TCP and UDP, and then only one of them", async () => {
		await using space = await target().namespace("svc-protocols");
		const server = await space.run(
			podOf(
				"pod1",
				{ args: ["netexec", "--http-port=80", "--udp-port=80"], ports: [{ containerPort: 80 }] },
				{},
				{ labels },
			),
		);
		const both = [
			{ name: "tcp80", port: 80, protocol: "TCP" },
			{ name: "udp80", port: 80, protocol: "UDP" },
		];
		const made = await make(space, "multiprotocol", { ports: both });
		await client(space);
		await space.run(podOf("dialer", { args: ["netexec"] }));
		const dial = async (protocol: string) => {
			const text = await space.exec(
				"dialer",
				`curl -g -s 'http://127.0.0.1:8080/dial?request=hostname&protocol=${protocol}&host=${made.spec.clusterIP}&port=80&tries=1'`,
			);
			return JSON.parse(text).responses?.[0];
		};
		for (const protocol of ["http", "udp"]) await eventually(async () => expect(await dial(protocol)).toBe("pod1"));
		expect(server.status.podIP).toBeDefined();
		await target().update(space.core("services", "multiprotocol"), ({ spec }) => spec.ports.pop());
		await eventually(async () => expect(await dial("udp")).toBeUndefined());
		expect(await dial("http")).toBe("pod1");
	}, 60_000);

	test.concurrent("pods reach pods by HTTP and UDP, from pods and from nodes", async () => {
		await using space = await target().namespace("intra-pod");
		const { items } = await target().get("/api/v1/nodes");
		for (const [index, node] of items.entries())
			await space.run(
				podOf(
					`netserver-${index}`,
					{ args: ["netexec", "--http-port=8083", "--udp-port=8081"] },
					{ nodeName: node.metadata.name },
				),
			);
		await space.run(podOf("test-container-pod", { args: ["netexec", "--http-port=8080"] }));
		await space.run(podOf("host-test-container-pod", {}, { hostNetwork: true }));
		for (const [index] of items.entries()) {
			const { status } = await target().get(space.core("pods", `netserver-${index}`));
			for (const [protocol, port] of [
				["http", 8083],
				["udp", 8081],
			]) {
				const text = await space.exec(
					"test-container-pod",
					`curl -g -q -s 'http://127.0.0.1:8080/dial?request=hostname&protocol=${protocol}&host=${status.podIP}&port=${port}&tries=1'`,
				);
				expect(JSON.parse(text)).toEqual({ responses: [`netserver-${index}`] });
			}
			expect(
				await space.exec("host-test-container-pod", `curl -g -q -s --max-time 15 http://${status.podIP}:8083/hostName`),
			).toBe(`netserver-${index}`);
			expect(
				await space.exec("host-test-container-pod", `echo hostName | timeout 5 nc -w 1 -u ${status.podIP} 8081`),
			).toContain(`netserver-${index}`);
		}
	});

	test.concurrent("DNS: services, headless ones, host names, partial names, and records of ports", async () => {
		await using space = await target().namespace("dns");
		await target().post(
			space.core("services"),
			service("dns-test-service", { clusterIP: "None", ports: [{ name: "http", port: 80, protocol: "TCP" }] }),
		);
		const normal = await make(space, "test-service-2", { ports: [{ name: "http", port: 80, protocol: "TCP" }] });
		const served = await space.run(
			podOf(
				"querier",
				{ args: ["test-webserver"], ports: [{ containerPort: 80 }] },
				{ hostname: "dns-querier-2", subdomain: "dns-test-service" },
				{ labels },
			),
		);
		await space.run(
			podOf("digger", { image: "registry.k8s.io/e2e-test-images/jessie-dnsutils:1.7", command: ["sleep", "600"] }),
		);
		const dig = (...words: string[]) => space.exec("digger", `dig +noall +answer +search ${words.join(" ")}`);
		const local = `${space.name}.svc.cluster.local`;
		const checks: [string, string, string][] = [
			["kubernetes.default", "A", "10.96.0.1"],
			["kubernetes.default.svc.cluster.local", "A", "10.96.0.1"],
			["dns-test-service", "A", served.status.podIP],
			[`dns-test-service.${space.name}`, "A", served.status.podIP],
			[`dns-test-service.${space.name}.svc`, "A", served.status.podIP],
			[`_http._tcp.dns-test-service.${space.name}.svc`, "SRV", `dns-querier-2.dns-test-service.${local}`],
			[`_http._tcp.test-service-2.${space.name}.svc`, "SRV", `test-service-2.${local}`],
			["test-service-2", "A", normal.spec.clusterIP],
			[`dns-querier-2.dns-test-service.${local}`, "A", served.status.podIP],
			[`${served.status.podIP.replaceAll(".", "-")}.${space.name}.pod.cluster.local`, "A", served.status.podIP],
		];
		for (const [name, type, wanted] of checks)
			for (const way of ["+notcp", "+tcp"])
				await eventually(async () => expect(await dig(way, name, type)).toContain(wanted), 15_000);
		await eventually(async () =>
			expect(await dig(normal.spec.clusterIP.split(".").reverse().join(".").concat(".in-addr.arpa."), "PTR")).toContain(
				`test-service-2.${local}`,
			),
		);
		expect(await space.exec("querier", `getent hosts dns-querier-2.dns-test-service.${local}`)).toContain(
			served.status.podIP,
		);
		expect(await space.exec("querier", "getent hosts dns-querier-2")).toContain(served.status.podIP);
		expect(await space.exec("querier", "hostname -i")).toContain(served.status.podIP);
	}, 60_000);

	test.concurrent("DNS: ExternalName is an alias that changes, and custom settings reach the pod", async () => {
		await using space = await target().namespace("dns-external");
		await target().post(space.core("services"), {
			metadata: { name: "alias" },
			spec: { type: "ExternalName", externalName: "foo.example.com" },
		});
		await space.run(podOf("digger", {}));
		const name = `alias.${space.name}.svc.cluster.local`;
		const short = async (type: string) => (await space.exec("digger", `dig +short ${name} ${type}`)).trim();
		await eventually(async () => expect(await short("CNAME")).toBe("foo.example.com."));
		await target().patch(space.core("services", "alias"), merge, { spec: { externalName: "bar.example.com" } });
		await eventually(async () => expect(await short("CNAME")).toBe("bar.example.com."));
		const changed = await target().update(space.core("services", "alias"), ({ spec }) => {
			delete spec.externalName;
			Object.assign(spec, { type: "ClusterIP", ports: [{ name: "http", port: 80, protocol: "TCP" }] });
		});
		await eventually(async () => expect(await short("A")).toBe(changed.spec.clusterIP));
		await space.run(
			podOf(
				"custom",
				{},
				{ dnsPolicy: "None", dnsConfig: { nameservers: ["1.1.1.1"], searches: ["resolv.conf.local"] } },
			),
		);
		expect(await space.kubectl("exec", "custom", "--", "/agnhost", "dns-suffix")).toBe("resolv.conf.local");
		expect(await space.kubectl("exec", "custom", "--", "/agnhost", "dns-server-list")).toBe("1.1.1.1");
	});

	test.concurrent("proxies to pods and services pass methods, paths and answers", async () => {
		await using space = await target().namespace("proxy");
		await make(space, "test-service", {
			ports: [
				{ name: "portname1", port: 80, targetPort: "dest1" },
				{ name: "portname2", port: 81, targetPort: "dest2" },
			],
		});
		const env = [
			{ name: "SERVE_PORT_80", value: "foo" },
			{ name: "SERVE_PORT_162", value: "bar" },
		];
		const container = {
			args: ["porter", "--json-response"],
			env,
			ports: [
				{ name: "dest1", containerPort: 80 },
				{ name: "dest2", containerPort: 162 },
			],
			readinessProbe: { httpGet: { port: 80 }, periodSeconds: 1 },
		};
		await space.run(podOf("agnhost", container, {}, { labels }));
		const cases: [string, string][] = [
			[`${space.core("pods", "agnhost")}/proxy`, "foo"],
			[`${space.core("pods", "agnhost:80")}/proxy/some/path/with/GET`, "foo"],
			[`${space.core("pods", "agnhost:162")}/proxy/`, "bar"],
			[`${space.core("pods", "http:agnhost:162")}/proxy/`, "bar"],
			[`${space.core("services", "test-service:portname1")}/proxy/`, "foo"],
			[`${space.core("services", "test-service:portname2")}/proxy/some/path`, "bar"],
			[`${space.core("services", "http:test-service:81")}/proxy/`, "bar"],
		];
		for (const [path, wanted] of cases)
			for (const method of ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
				await eventually(async () => {
					const { status, body } = await target().send(method, path, undefined, proxied);
					// A proxy's own address without a slash may be redirected.
					if (status === 301) return;
					expect([path, method, body]).toEqual([path, method, { Method: method, Body: wanted }]);
				}, 10_000);
	}, 60_000);

	test.concurrent("host ports with other addresses or protocols do not conflict", async () => {
		await using space = await target().namespace("hostport");
		const { items } = await target().get("/api/v1/nodes");
		const node = items[0];
		const address = node.status.addresses.find(({ type }: Json) => type === "InternalIP").address;
		const spec = { nodeSelector: { "kubernetes.io/hostname": node.metadata.labels["kubernetes.io/hostname"] } };
		const port = (hostIP: string, protocol: string) => ({
			args: ["netexec", "--http-port=8080", "--udp-port=8080"],
			ports: [{ hostPort: 54323, containerPort: 8080, protocol, hostIP }],
			readinessProbe: { httpGet: { path: "/hostname", port: 8080 }, periodSeconds: 1 },
		});
		await space.run(podOf("pod1", port("127.0.0.1", "TCP"), spec));
		await space.run(podOf("pod2", port(address, "TCP"), spec));
		await space.run(podOf("pod3", port(address, "UDP"), spec));
		await space.run(podOf("host", {}, { ...spec, hostNetwork: true }));
		expect(
			await space.exec("host", `curl -g -s --max-time 10 --interface ${address} http://127.0.0.1:54323/hostname`),
		).toBe("pod1");
		expect(await space.exec("host", `curl -g -s --max-time 10 http://${address}:54323/hostname`)).toBe("pod2");
		expect(await space.exec("host", `echo hostname | timeout 5 nc -u -w 1 ${address} 54323`)).toContain("pod3");
		const conflicting = podOf("conflict", port("", "TCP"), spec);
		await target().post(space.core("pods"), conflicting);
		const pending = await space.until(space.core("pods", "conflict"), ({ status }) =>
			status.conditions?.some((entry: Json) => entry.reason === "Unschedulable"),
		);
		expect(pending.status.conditions[0].message).toContain("free ports");
	});
});
