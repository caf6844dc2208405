import { expect, test } from "vitest";
import type { Client } from "../client/client.ts";
import { ApiError } from "../core/errors.ts";
import { VirtualClock } from "../core/time/virtual-clock.ts";
import type { PersistentVolumeClaim, Pod } from "../kinds/generated/types.ts";
import { Claims } from "./claims.ts";
import { selectedNodeAnnotation } from "./filters/volumes.ts";
import { podInfo } from "./model/pod-info.ts";
import type { ClusterView } from "./model/snapshot.ts";

// The only fields of a pod that are used here.
const pod = podInfo({
	apiVersion: "v1",
	kind: "Pod",
	metadata: { name: "db", namespace: "default", uid: "pod" },
	spec: { containers: [], volumes: [{ name: "data", persistentVolumeClaim: { claimName: "data" } }] },
} as unknown as Pod);

/** The only fields of a node and of a volume that are used here. */
const nodeNamed = (name: string) => ({
	name,
	node: { metadata: { name, labels: { host: name } } },
	labels: { host: name },
});
const volumeOn = (name: string) => () => {
	const nodeSelectorTerms = [{ matchExpressions: [{ key: "host", operator: "In", values: [name] }] }];
	return { metadata: { name: "volume" }, spec: { nodeAffinity: { required: { nodeSelectorTerms } } } };
};

/** Claims whose writes take a second. */
function setUp() {
	const clock = new VirtualClock();
	// The only parts of a client, a claim and a cluster that are used here.
	const client = { patch: () => clock.sleep(1000) } as unknown as Client;
	const claim = { metadata: { name: "data", namespace: "default", uid: "claim" }, spec: {} } as PersistentVolumeClaim;
	const cluster = { volumes: { claim: () => claim } } as unknown as ClusterView;
	return { clock, claims: new Claims(client, clock, cluster) };
}

test("a pod is not bound while a claim that looks bound has been recreated", async () => {
	const bound = { "pv.kubernetes.io/bind-completed": "yes" };
	const metadata = { name: "data", namespace: "default", uid: "claim", resourceVersion: "1", creationTimestamp: "" };
	const meta = { apiVersion: "v1", kind: "PersistentVolumeClaim" };
	let live: PersistentVolumeClaim = {
		...meta,
		metadata: { ...metadata, annotations: bound },
		spec: { volumeName: "volume" },
	};
	// The only parts of a client and a cluster that are used here.
	const client = { get: async () => live } as unknown as Client;
	const cluster = {
		node: nodeNamed,
		volumes: { claim: () => live, volume: volumeOn("node-1") },
	} as unknown as ClusterView;
	const claims = new Claims(client, new VirtualClock(), cluster);
	await claims.confirm(pod, "node-1");
	await expect(claims.confirm(pod, "node-2")).rejects.toThrow("the volume of the claim data is not on node-2");
	live = { ...meta, metadata, spec: {} };
	await expect(claims.confirm(pod, "node-1")).rejects.toThrow("the claim data is not bound");
});

test("of pods that share a claim the first chooses its node", async () => {
	const seen = { metadata: { name: "data", namespace: "default", uid: "claim", resourceVersion: "1" }, spec: {} };
	const metadata = { ...seen.metadata, resourceVersion: "2", annotations: { [selectedNodeAnnotation]: "node-2" } };
	const patches: unknown[] = [];
	// The only parts of a client and a cluster that are used here.
	const client = {
		patch: async (...args: unknown[]) => {
			patches.push(args.at(-1));
			throw new ApiError("Conflict", "the object has been modified");
		},
		get: async () => ({ metadata, spec: {} }),
	} as unknown as Client;
	const cluster = { volumes: { claim: () => seen } } as unknown as ClusterView;
	const claims = new Claims(client, new VirtualClock(), cluster);
	await expect(claims.bind(pod, "node-1")).rejects.toThrow("the claim data is to be on node-2");
	expect(patches).toEqual([
		expect.objectContaining({ patch: { metadata: expect.objectContaining({ resourceVersion: "1" }) } }),
	]);
	expect(claims.cancel(pod.key), "nobody waits").toBe(false);
});

test("who stops while the node is being written on a claim does not wait for its volume", async () => {
	const { clock, claims } = setUp();
	const binding = claims.bind(pod, "node-1");
	await clock.advance(500);
	claims.close();
	expect(await clock.advanceUntil(binding, 10_000)).toBe(true);
	expect(await binding).toBe(false);
});

test("nobody waits for the volume of a pod that went while the node was being written on its claim", async () => {
	const { clock, claims } = setUp();
	const binding = claims.bind(pod, "node-1");
	await clock.advance(500);
	expect(claims.cancel(pod.key)).toBe(true);
	expect(await clock.advanceUntil(binding, 10_000)).toBe(true);
	expect(await binding).toBe(false);
});
