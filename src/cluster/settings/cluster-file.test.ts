import { expect, test } from "vitest";
import { describedCluster } from "./cluster-file.ts";

const type = { apiVersion: "coxswain.io/v1", kind: "Cluster" };

test("a described cluster has the options of its start, and nodes with labels and taints", () => {
	const taints = [{ key: "gpu", value: "yes", effect: "NoSchedule" }];
	expect(
		describedCluster({
			...type,
			runtime: "simulated",
			clock: "virtual",
			ingressPorts: "80,443",
			nodes: [
				{ name: "main", labels: { disk: "ssd" } },
				{ name: "gpu", count: 2, taints },
			],
		}),
	).toEqual({
		options: { runtime: "simulated", clock: "virtual", ingressPorts: { http: 80, https: 443 } },
		nodes: [
			{ name: "main", labels: { disk: "ssd" }, taints: [] },
			{ name: "gpu-1", labels: {}, taints },
			{ name: "gpu-2", labels: {}, taints },
		],
	});
	expect(describedCluster(type)).toEqual({ options: {}, nodes: [] });
});

test.each([
	[{ kind: "Cluster" }, "apiVersion: "],
	[{ ...type, node: 3 }, "node: "],
	[{ ...type, nodes: 3 }, "nodes: "],
	[{ ...type, runtime: "docker" }, 'runtime: Unsupported value: "docker"'],
	[{ ...type, publish: "everywhere" }, "publish: Invalid value"],
	[{ ...type, ingressPorts: "80" }, "ingressPorts: Invalid value"],
	[{ ...type, nodes: [{}] }, "nodes[0].name: Required value"],
	[{ ...type, nodes: [{ name: "A" }] }, "nodes[0].name: Invalid value"],
	[{ ...type, nodes: [{ name: "a" }, { name: "a" }] }, "nodes: Duplicate value"],
	[{ ...type, nodes: [{ name: "a", count: 0 }] }, "nodes[0].count: "],
	[{ ...type, nodes: [{ name: "a", count: 1e9 }] }, "nodes[0].count: "],
	[{ ...type, nodes: [{ name: "a", labels: { a: 1 } }] }, "nodes[0].labels.a: "],
	[{ ...type, nodes: [{ name: "a", labels: { "a b": "c" } }] }, "nodes[0].labels: Invalid value"],
	[{ ...type, nodes: [{ name: "a", taints: [{ key: "a" }] }] }, "nodes[0].taints[0].effect: Required value"],
	[{ ...type, nodes: [{ name: "a", taints: [{ key: "a", effect: "No" }] }] }, "nodes[0].taints[0].effect: Unsupported"],
	[[], "must be a mapping"],
])("what is wrong is told with its path: %j", (document, message) => {
	expect(() => describedCluster(document)).toThrow(message);
});
