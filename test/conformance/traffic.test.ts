/**
 * Which endpoints a service leads to: named ports, policies of traffic, pods that are not ready or on their way out.
 */
import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { conformance, isReady, type Json, merge, type Namespace } from "./harness.ts";
import { podOf, templateOf } from "./objects.ts";

const labels = { name: "server" };
const netexec = (...args: string[]) => ["netexec", "--http-port=80", ...args];

conformance("Service traffic", "shared", (target) => {
	const make = (space: Namespace, spec: Json, metadata: Json = {}): Promise<Json> =>
		target().post(space.core("services"), {
			metadata: { name: "web", ...metadata },
			spec: { selector: labels, ports: [{ name: "http", port: 80, targetPort: 80, protocol: "TCP" }], ...spec },
		});
	const nodes = async (): Promise<string[]> =>
		(await target().get("/api/v1/nodes")).items.map(({ metadata }: Json) => metadata.name);
	const server = (space: Namespace, name: string, spec: Json = {}, container: Json = {}) =>
		target().post(
			space.core("pods"),
			podOf(name, { args: netexec(), ports: [{ containerPort: 80 }], ...container }, { ...spec }, { labels }),
		);
	const client = (space: Namespace, name: string, spec: Json = {}) => space.run(podOf(name, {}, spec));
	/** What a pod hears from an address: a host name, or curl's exit code. */
	const hears = async (space: Namespace, from: string, address: string): Promise<string> =>
		(await space.exec(from, `curl -g -q -s --connect-timeout 2 http://${address}/hostname || echo $?`)).trim();
	const leads = (space: Namespace, from: string, address: string, answer: string) =>
		eventually(async () => expect(await hears(space, from, address)).toBe(answer));
	const fails = (space: Namespace, from: string, address: string) =>
		eventually(async () => expect(await hears(space, from, address)).toMatch(/^\d+$/));
	const refused = "7";

	test.concurrent("a port's name may mean another number for each pod", async () => {
		await using space = await target().namespace("traffic-named");
		const { spec } = await make(space, { ports: [{ name: "http", port: 80, targetPort: "http" }] });
		for (const [name, port] of [
			["one", 8081],
			["two", 8082],
		] as const)
			await server(
				space,
				name,
				{},
				{ args: ["netexec", `--http-port=${port}`, "--udp-port=-1"], ports: [{ name: "http", containerPort: port }] },
			);
		await client(space, "client");
		const heard = new Set<string>();
		await eventually(async () => {
			heard.add(await hears(space, "client", spec.clusterIP));
			expect([...heard]).toEqual(expect.arrayContaining(["one", "two"]));
		});
	});

	test.concurrent("addresses of pods that are not ready are published when asked for, also as they end", async () => {
		await using space = await target().namespace("traffic-unready");
		const { spec } = await make(space, { publishNotReadyAddresses: true });
		const container = {
			args: netexec(),
			image: "registry.k8s.io/e2e-test-images/agnhost:2.53",
			ports: [{ containerPort: 80 }],
			readinessProbe: { exec: { command: ["/bin/false"] } },
			lifecycle: { preStop: { exec: { command: ["/bin/sleep", "100"] } } },
		};
		await target().post(space.core("replicationcontrollers"), {
			metadata: { name: "web" },
			spec: {
				replicas: 1,
				selector: labels,
				template: templateOf(labels, container, { terminationGracePeriodSeconds: 100 }),
			},
		});
		await client(space, "client");
		const [{ metadata }] = await eventually(async () => {
			const pods = await space.pods("name=server");
			expect(pods.map(({ status }) => status.phase)).toEqual(["Running"]);
			return pods;
		});
		await leads(space, "client", `web.${space.name}.svc:80`, metadata.name);
		await target().patch(`${space.core("replicationcontrollers", "web")}/scale`, merge, { spec: { replicas: 0 } });
		await space.until(space.core("pods", metadata.name), (pod) => pod.metadata.deletionTimestamp !== undefined);
		await leads(space, "client", spec.clusterIP, metadata.name);
		const publish = (publishNotReadyAddresses: boolean) =>
			target().update(space.core("services", "web"), (service) =>
				Object.assign(service.spec, { publishNotReadyAddresses }),
			);
		await publish(false);
		await leads(space, "client", spec.clusterIP, refused);
		await publish(true);
		await leads(space, "client", spec.clusterIP, metadata.name);
		await target().delete(space.core("pods", metadata.name), { gracePeriodSeconds: 0 });
	}, 90_000);

	test.concurrent("pods on their way out serve on where no other is ready", async () => {
		await using space = await target().namespace("traffic-ending");
		const [first, second] = await nodes();
		const { spec } = await make(space, {});
		const local = await make(space, { internalTrafficPolicy: "Local" }, { name: "local" });
		const slow = { terminationGracePeriodSeconds: 600, nodeName: first };
		await server(space, "ending", slow, { args: netexec("--delay-shutdown=600") });
		await space.running("ending");
		await client(space, "near", { nodeName: first });
		await client(space, "far", { nodeName: second });
		await target().delete(space.core("pods", "ending"));
		await eventually(async () => {
			const query = "labelSelector=kubernetes.io%2Fservice-name%3Dweb";
			const { items } = await target().get(`${space.group("discovery.k8s.io/v1", "endpointslices")}?${query}`);
			expect(items[0].endpoints[0].conditions).toEqual({ ready: false, serving: true, terminating: true });
		});
		for (const from of ["near", "far"]) await leads(space, from, spec.clusterIP, "ending");
		await leads(space, "near", local.spec.clusterIP, "ending");
		await fails(space, "far", local.spec.clusterIP);
		await server(space, "fresh", { nodeName: second });
		await space.running("fresh");
		for (const from of ["near", "far"]) await leads(space, from, spec.clusterIP, "fresh");
		await leads(space, "near", local.spec.clusterIP, "ending");
		await leads(space, "far", local.spec.clusterIP, "fresh");
		await target().delete(space.core("pods", "ending"), { gracePeriodSeconds: 0 });
	}, 90_000);

	test.concurrent("traffic stays on the node where the policy is Local, for pods and for the node itself", async () => {
		await using space = await target().namespace("traffic-local");
		const [first, second] = await nodes();
		const { spec } = await make(space, { internalTrafficPolicy: "Local" });
		await server(space, "server", { nodeName: first });
		await space.running("server");
		for (const hostNetwork of [false, true]) {
			await client(space, `near-${hostNetwork}`, { nodeName: first, hostNetwork });
			await client(space, `far-${hostNetwork}`, { nodeName: second, hostNetwork });
			await leads(space, `near-${hostNetwork}`, spec.clusterIP, "server");
			await fails(space, `far-${hostNetwork}`, spec.clusterIP);
		}
	}, 60_000);

	test.concurrent("traffic prefers the same node while that has an endpoint", async () => {
		await using space = await target().namespace("traffic-near");
		const [first, second] = await nodes();
		const { spec } = await make(space, { trafficDistribution: "PreferSameNode" });
		const places = [
			["one", first],
			["two", second],
		] as const;
		for (const [name, nodeName] of places) {
			await server(space, name, { nodeName });
			await client(space, `client-${name}`, { nodeName });
		}
		/** Ten answers in a row, all of them from one server. */
		const only = (from: string, answer: string) =>
			eventually(async () => {
				const script = `for i in $(seq 10); do curl -g -q -s --connect-timeout 2 http://${spec.clusterIP}/hostname; echo; done`;
				expect(new Set((await space.exec(from, script)).trim().split("\n"))).toEqual(new Set([answer]));
			});
		for (const [name] of places) await only(`client-${name}`, name);
		await target().delete(space.core("pods", "one"));
		for (const [name] of places) await only(`client-${name}`, "two");
		await server(space, "one-again", { nodeName: first });
		await only("client-one", "one-again");
		await only("client-two", "two");
	}, 90_000);

	test.concurrent("without endpoints connections are refused, also after an eviction", async () => {
		await using space = await target().namespace("traffic-none");
		const { spec } = await make(space, {});
		await client(space, "client");
		await leads(space, "client", spec.clusterIP, refused);
		await server(space, "server");
		await space.running("server");
		await leads(space, "client", spec.clusterIP, "server");
		await target().post(`${space.core("pods", "server")}/eviction`, {
			apiVersion: "policy/v1",
			kind: "Eviction",
			metadata: { name: "server", namespace: space.name },
		});
		await space.gone(space.core("pods", "server"));
		await leads(space, "client", spec.clusterIP, refused);
	});

	test.concurrent("external addresses lead to the service, and a pod reaches itself through it", async () => {
		await using space = await target().namespace("traffic-external");
		await make(space, { externalIPs: ["203.0.113.250"] });
		await server(space, "server");
		await space.running("server");
		await client(space, "client");
		await leads(space, "client", "203.0.113.250", "server");
		await leads(space, "server", "web", "server");
	});

	test.concurrent("services of other proxies are left to those", async () => {
		await using space = await target().namespace("traffic-labels");
		await server(space, "server");
		await space.running("server");
		await client(space, "client");
		for (const [name, label] of [
			["named", "service.kubernetes.io/service-proxy-name"],
			["headless", "service.kubernetes.io/headless"],
		] as const) {
			const { spec } = await make(space, {}, { name });
			await leads(space, "client", spec.clusterIP, "server");
			const path = space.core("services", name);
			await target().patch(path, merge, { metadata: { labels: { [label]: "foo-bar" } } });
			await fails(space, "client", spec.clusterIP);
			await target().patch(path, merge, { metadata: { labels: { [label]: null } } });
			await leads(space, "client", spec.clusterIP, "server");
		}
	}, 60_000);

	test.concurrent("affinity ends when nothing was heard for its time", async () => {
		await using space = await target().namespace("traffic-affinity");
		const { spec } = await make(space, {
			sessionAffinity: "ClientIP",
			sessionAffinityConfig: { clientIP: { timeoutSeconds: 2 } },
		});
		for (const name of ["one", "two", "three"]) await server(space, name);
		await client(space, "client");
		await eventually(async () => expect((await space.pods("name=server")).filter(isReady)).toHaveLength(3));
		await eventually(async () => expect(await hears(space, "client", spec.clusterIP)).toMatch(/^[a-z]/));
		const heard = new Set<string>();
		await eventually(async () => {
			heard.add(await space.exec("client", `sleep 4; curl -g -q -s http://${spec.clusterIP}/hostname`));
			expect(heard.size).toBeGreaterThan(1);
		}, 60_000);
	}, 90_000);
});
