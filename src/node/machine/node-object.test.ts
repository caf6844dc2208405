import { expect, test } from "vitest";
import type { Node, NodeStatus } from "../../kinds/generated/types.ts";
import { type NodeFacts, needsStatusWrite, nodeStatus, nodeStatusPatch } from "./node-object.ts";

const facts: NodeFacts = {
	name: "node-1",
	labels: {},
	annotations: {},
	taints: [],
	addresses: ["10.0.0.1"],
	architecture: "amd64",
	kernelVersion: "6",
	osImage: "Debian",
	machineId: "m",
	bootId: "b",
	containerRuntimeVersion: "process://1",
	capacity: { cpu: "2", memory: "4Gi" },
	allocatable: { cpu: "2", memory: "3Gi" },
};
const nodeWith = (status: NodeStatus): Node => ({
	apiVersion: "v1",
	kind: "Node",
	metadata: { name: "node-1", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
	spec: {},
	status,
});
const first = nodeStatus(facts, undefined, 0, []);

test("an extended resource that someone advertises as capacity becomes allocatable, once", () => {
	const advertised = { ...first, capacity: { ...first.capacity, "example.com/foo": "3" } };
	const wanted = nodeStatus(facts, advertised, 0, []);
	expect(wanted.allocatable).toEqual({ cpu: "2", memory: "3Gi", "example.com/foo": "3" });
	expect(needsStatusWrite(nodeWith(advertised), wanted, 0, 1000)).toBe(true);
	const written = { ...wanted, capacity: { cpu: "2", memory: "4Gi", "example.com/foo": "3" } };
	expect(needsStatusWrite(nodeWith(written), nodeStatus(facts, written, 0, []), 0, 1000)).toBe(false);
});

test("an extended resource that is no longer capacity is taken out of what is allocatable", () => {
	const old = { ...first, allocatable: { ...first.allocatable, "example.com/foo": "3" } };
	const wanted = nodeStatus(facts, old, 0, []);
	expect(needsStatusWrite(nodeWith(old), wanted, 0, 1000)).toBe(true);
	expect(nodeStatusPatch(old, wanted)).toMatchObject({
		status: { allocatable: { cpu: "2", memory: "3Gi", "example.com/foo": null } },
	});
});

test("quantities that the API stores in another form are no reason to write the status again", () => {
	const quantities = { cpu: "0.5", memory: "1048576Ki", "ephemeral-storage": "243497856000" };
	const wanted = nodeStatus({ ...facts, capacity: quantities, allocatable: quantities }, undefined, 0, []);
	const stored = { cpu: "500m", memory: "1Gi", "ephemeral-storage": "243497856k" };
	const node = nodeWith({ ...wanted, capacity: stored, allocatable: stored });
	expect(needsStatusWrite(node, wanted, 0, 1000)).toBe(false);
});

test("pressure is told by conditions, whose transition time moves with their status", () => {
	const wanted = nodeStatus(facts, first, 60_000, [], new Set(["DiskPressure"]));
	const found = wanted.conditions?.map(({ type, status, reason, lastTransitionTime }) => [
		type,
		status,
		reason,
		lastTransitionTime,
	]);
	expect(found?.slice(0, 2)).toEqual([
		["MemoryPressure", "False", "KubeletHasSufficientMemory", "1970-01-01T00:00:00Z"],
		["DiskPressure", "True", "KubeletHasDiskPressure", "1970-01-01T00:01:00Z"],
	]);
	expect(needsStatusWrite(nodeWith(first), wanted, 60_000, 300_000)).toBe(true);
});
