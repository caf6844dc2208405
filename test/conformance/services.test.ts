/** Services and their endpoints as the API shows them; network.test.ts has what goes through them. */
import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { conformance, type Json, merge, type Namespace, strategic } from "./harness.ts";
import { images, podOf } from "./objects.ts";

const labels = { name: "test" };
const service = (name: string, spec: Json): Json => ({ metadata: { name }, spec: { selector: labels, ...spec } });

async function make(space: Namespace, name: string, spec: Json): Promise<Json> {
	return space.target.post(space.core("services"), service(name, spec));
}

const endpoints = async (space: Namespace, name: string): Promise<Record<string, number[]>> => {
	const found: Record<string, number[]> = {};
	for (const subset of (await space.target.get(space.core("endpoints", name))).subsets ?? [])
		for (const { targetRef } of subset.addresses ?? [])
			found[targetRef.name] = subset.ports.map((port: Json) => port.port);
	return found;
};

conformance("Services and endpoints", "shared", (target) => {
	test.concurrent("endpoints follow pods, with one port and with several", async () => {
		await using space = await target().namespace("svc-endpoints");
		await make(space, "endpoint-test2", { ports: [{ port: 80, targetPort: 80 }] });
		await make(space, "multi", {
			ports: [
				{ name: "portname1", port: 80, targetPort: 100 },
				{ name: "portname2", port: 81, targetPort: 101 },
			],
		});
		await eventually(async () => expect(await endpoints(space, "endpoint-test2")).toEqual({}));
		const serving = (name: string) =>
			podOf(name, { args: ["netexec", "--http-port", "80"], ports: [{ containerPort: 80 }] }, {}, { labels });
		await space.run(serving("pod1"));
		await eventually(async () => expect(await endpoints(space, "endpoint-test2")).toEqual({ pod1: [80] }));
		await space.run(serving("pod2"));
		await eventually(async () => expect(await endpoints(space, "endpoint-test2")).toEqual({ pod1: [80], pod2: [80] }));
		await eventually(async () =>
			expect(await endpoints(space, "multi")).toEqual({ pod1: [100, 101], pod2: [100, 101] }),
		);
		await space.run(podOf("execpod", {}));
		await eventually(async () =>
			expect(await space.exec("execpod", "curl -s http://endpoint-test2/hostname")).toMatch(/^pod[12]$/),
		);
		await target().delete(space.core("pods", "pod1"));
		await eventually(async () => expect(await endpoints(space, "endpoint-test2")).toEqual({ pod2: [80] }));
		await target().delete(space.core("pods", "pod2"));
		await eventually(async () => expect(await endpoints(space, "endpoint-test2")).toEqual({}));
	});

	test.concurrent("services are found in all namespaces, change status, and are deleted as a collection", async () => {
		await using space = await target().namespace("svc-api");
		const all = await target().get("/api/v1/services");
		expect(
			all.items.some(({ metadata }: Json) => metadata.name === "kubernetes" && metadata.namespace === "default"),
		).toBe(true);
		for (const index of [0, 1, 2]) {
			const object = service(`e2e-svc-${index}`, { ports: [{ port: 8000 + index }] });
			object.metadata.labels = index < 2 ? { collection: "yes" } : {};
			await target().post(space.core("services"), object);
		}
		const status = `${space.core("services", "e2e-svc-2")}/status`;
		const patched = await target().patch(status, merge, {
			metadata: { annotations: { patchedstatus: "true" } },
			status: { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } },
		});
		expect(patched).toMatchObject({
			metadata: { annotations: { patchedstatus: "true" } },
			status: { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } },
		});
		await target().update(
			space.core("services", "e2e-svc-2"),
			(object) => {
				object.status.conditions = [
					{
						type: "StatusUpdate",
						status: "True",
						reason: "E2E",
						message: "Set from e2e test",
						lastTransitionTime: "2026-01-01T00:00:00Z",
					},
				];
			},
			"/status",
		);
		expect((await target().get(status)).status.conditions[0].reason).toBe("E2E");
		await target().patch(space.core("services", "e2e-svc-2"), strategic, {
			metadata: { labels: { "test-service": "patched" } },
		});
		await target().delete(`${space.core("services")}?labelSelector=collection%3Dyes`);
		expect((await target().get(space.core("services"))).items).toHaveLength(1);
	});

	test.concurrent("endpoints of the API server; slices for pods; slices that mirror hand-made endpoints", async () => {
		await using space = await target().namespace("slices");
		const own = await target().get("/api/v1/namespaces/default/endpoints/kubernetes");
		expect(own.subsets[0].ports).toMatchObject([{ name: "https" }]);
		const slices = (name: string) =>
			target().get(
				`${space.group("discovery.k8s.io/v1", "endpointslices")}?labelSelector=kubernetes.io%2Fservice-name%3D${name}`,
			);
		expect(
			(await target().get("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes")).endpoints,
		).toHaveLength(1);
		await make(space, "example-named-port", { ports: [{ name: "http", port: 80, targetPort: "example-name" }] });
		await space.run(
			podOf("pod1", { args: ["netexec"], ports: [{ name: "example-name", containerPort: 3000 }] }, {}, { labels }),
		);
		await eventually(async () => {
			const { items } = await slices("example-named-port");
			expect(items.flatMap(({ endpoints, ports }: Json) => [endpoints[0]?.targetRef.name, ports[0].port])).toEqual([
				"pod1",
				3000,
			]);
		});
		await target().delete(space.core("services", "example-named-port"));
		await eventually(async () => expect((await slices("example-named-port")).items).toEqual([]));
		await target().post(space.core("services"), {
			metadata: { name: "mirrored" },
			spec: { ports: [{ name: "example", port: 80 }] },
		});
		const subsets = (ip: string) => [{ addresses: [{ ip }], ports: [{ name: "example", port: 80 }] }];
		await target().post(space.core("endpoints"), { metadata: { name: "mirrored" }, subsets: subsets("10.1.2.3") });
		const mirrored = (addresses: string[]) =>
			eventually(async () => {
				const { items } = await slices("mirrored");
				expect(items.flatMap((slice: Json) => slice.endpoints.flatMap((endpoint: Json) => endpoint.addresses))).toEqual(
					addresses,
				);
				for (const { metadata } of items)
					expect(metadata.labels["endpointslice.kubernetes.io/managed-by"]).toBe(
						"endpointslicemirroring-controller.k8s.io",
					);
			});
		await mirrored(["10.1.2.3"]);
		await target().update(space.core("endpoints", "mirrored"), (object) => {
			object.subsets = subsets("10.2.3.4");
		});
		await mirrored(["10.2.3.4"]);
		await target().delete(space.core("endpoints", "mirrored"));
		await mirrored([]);
	});

	test.concurrent("slices made by hand lead to their addresses, each by the name of its port", async () => {
		await using space = await target().namespace("slices-hand");
		const { spec } = await target().post(space.core("services"), {
			metadata: { name: "by-hand" },
			spec: {
				ports: [
					{ name: "port80", port: 80, protocol: "TCP" },
					{ name: "port81", port: 81, protocol: "TCP" },
				],
			},
		});
		const server = (name: string) =>
			space.run(podOf(name, { args: ["netexec", "--http-port", "8090", "--udp-port", "-1"] }));
		const pods = await Promise.all([server("pod1"), server("pod2"), space.run(podOf("client", { args: ["pause"] }))]);
		for (const [index, name] of ["port80", "port81"].entries())
			await target().post(space.group("discovery.k8s.io/v1", "endpointslices"), {
				metadata: {
					generateName: "e2e-custom-slice",
					labels: {
						"kubernetes.io/service-name": "by-hand",
						"endpointslice.kubernetes.io/managed-by": `e2e-test${space.name}`,
					},
				},
				addressType: "IPv4",
				endpoints: [{ addresses: [pods[index]?.status.podIP], conditions: { ready: true } }],
				ports: [{ name, port: 8090, protocol: "TCP" }],
			});
		for (const [port, name] of [
			[80, "pod1"],
			[81, "pod2"],
		])
			await eventually(async () => {
				const url = `http://${spec.clusterIP}:${port}/hostname`;
				expect(await space.exec("client", `curl -g -q -s --connect-timeout 2 ${url}`)).toBe(name);
			});
	});

	test.concurrent("slices that someone deletes come back, as many as named ports need", async () => {
		await using space = await target().namespace("slices-named");
		const pod = (name: string, ...ports: Json[]) =>
			podOf(name, { image: images.nginx, ports }, {}, { labels: { shared: "on", [name]: "on" } });
		const named = (containerPort: number) => ({ name: "example-name", containerPort });
		const ports = [{ name: "http", port: 80, targetPort: "example-name", protocol: "TCP" }];
		await target().post(space.core("services"), {
			metadata: { name: "named" },
			spec: { selector: { shared: "on" }, publishNotReadyAddresses: true, ports },
		});
		await target().post(space.core("services"), {
			metadata: { name: "unmatched" },
			spec: { selector: { nobody: "on" }, publishNotReadyAddresses: true, ports },
		});
		await target().post(space.core("pods"), pod("pod1", named(3000)));
		await target().post(space.core("pods"), pod("pod2", named(3001), { name: "other-port", containerPort: 3002 }));
		const query = (name: string) =>
			`${space.group("discovery.k8s.io/v1", "endpointslices")}?labelSelector=kubernetes.io%2Fservice-name%3D${name}`;
		const complete = () =>
			eventually(async () => {
				const { items } = await target().get(query("named"));
				const found = items.flatMap((slice: Json) =>
					slice.endpoints.map(
						({ targetRef }: Json) => `${targetRef.name} ${slice.ports[0].name} ${slice.ports[0].port}`,
					),
				);
				expect(found.sort()).toEqual(["pod1 http 3000", "pod2 http 3001"]);
				expect(items).toHaveLength(2);
				return items;
			});
		for (const { metadata } of await complete())
			await target().delete(space.group("discovery.k8s.io/v1", "endpointslices", metadata.name));
		await complete();
		const { subsets } = await space.until(space.core("endpoints", "named"), (object) => object.subsets?.length === 2);
		expect(subsets.map((subset: Json) => subset.ports.map(({ port }: Json) => port))).toEqual([[3000], [3001]]);
		const [none, ...others] = (await target().get(query("unmatched"))).items;
		expect(others).toEqual([]);
		expect(none.endpoints ?? []).toEqual([]);
		expect(none.ports ?? []).toEqual([]);
		expect(none.metadata.labels["endpointslice.kubernetes.io/managed-by"]).toBe("endpointslice-controller.k8s.io");
	});

	test.concurrent("the lifecycle of Endpoints", async () => {
		await using space = await target().namespace("endpoints");
		const path = space.core("endpoints", "testservice");
		await target().post(space.core("endpoints"), {
			metadata: { name: "testservice", labels: { "test-endpoint-static": "true" } },
			subsets: [{ addresses: [{ ip: "10.0.0.24" }], ports: [{ name: "http", port: 80, protocol: "TCP" }] }],
		});
		await target().update(path, (object) => {
			object.metadata.labels["test-service"] = "updated";
		});
		const patched = await target().patch(path, strategic, {
			metadata: { labels: { "test-service": "patched" } },
			subsets: [{ addresses: [{ ip: "10.0.0.25" }], ports: [{ name: "http-test", port: 8080, protocol: "TCP" }] }],
		});
		expect(patched.subsets).toMatchObject([{ addresses: [{ ip: "10.0.0.25" }], ports: [{ port: 8080 }] }]);
		await target().delete(`${space.core("endpoints")}?labelSelector=test-endpoint-static%3Dtrue`);
		await space.gone(path);
	});
});
