import { describe, expect, it } from "vitest";
import type { Container, Pod } from "../../kinds/generated/types.ts";
import { oomScoreAdj } from "./runtime-resources.ts";

const nodeBytes = 8 * 2 ** 30;
const memory = (request?: string, limit?: string, cpu?: string): Container => ({
	name: "c",
	resources: {
		...(request === undefined ? {} : { requests: { memory: request, ...(cpu === undefined ? {} : { cpu }) } }),
		...(limit === undefined ? {} : { limits: { memory: limit, ...(cpu === undefined ? {} : { cpu }) } }),
	},
});
const pod = (containers: Container[], spec: Partial<Pod["spec"]> = {}): Pod => ({
	apiVersion: "v1",
	kind: "Pod",
	metadata: { name: "p", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
	spec: { containers, ...spec },
});
const score = (container: Container, spec?: Partial<Pod["spec"]>) =>
	oomScoreAdj(pod([container], spec), container, nodeBytes);

describe("how soon the kernel ends a container", () => {
	it("follows the quality of service: last those that are guaranteed or keep the node going", () => {
		expect(score(memory())).toBe(1000);
		expect(score(memory("1Gi", "1Gi", "1"))).toBe(-997);
		expect(score(memory(), { priorityClassName: "system-node-critical" })).toBe(-997);
	});

	it("is between them for others, by the part of the node's memory that they ask for", () => {
		expect(score(memory("4Gi"))).toBe(500);
		expect(score(memory("1Ki"))).toBe(999);
		expect(score(memory("8Gi"))).toBe(3);
		expect(score(memory("2Gi", "2Gi"))).toBe(750);
	});

	it("counts what the pod asks for beyond its containers, and spares sidecars as long as what they serve", () => {
		const container = memory("1Gi");
		const resources = { requests: { memory: "4Gi" } };
		expect(oomScoreAdj(pod([container], { resources }), container, nodeBytes)).toBe(500);
		const sidecar: Container = { name: "side", restartPolicy: "Always" };
		const together = pod([memory("4Gi")], { initContainers: [sidecar] });
		expect(oomScoreAdj(together, sidecar, nodeBytes)).toBe(500);
	});
});
