/** Whole rollouts, with what must hold at every step. */
import { afterEach, describe, expect, test } from "vitest";
import { daemonSetController } from "../../src/controllers/daemonset/controller.ts";
import { controllerRevisions } from "../../src/kinds/apps/controllerrevision.ts";
import { daemonSets } from "../../src/kinds/apps/daemonset.ts";
import { nodes } from "../../src/kinds/core/node.ts";
import type { DaemonSetSpec } from "../../src/kinds/generated/types.ts";
import { pods } from "../../src/kinds/pod/pod.ts";
import { createWorld, serving, type World } from "./harness.ts";
import { images, labels, ref, selector, setImage, template } from "./web.ts";

let world: World | undefined;

afterEach(async () => {
	await world?.close();
	world = undefined;
});

describe("daemonset", () => {
	const start = async (spec: Partial<DaemonSetSpec>, nodeCount: number) => {
		world = await createWorld([daemonSetController], { nodeCount });
		await world.client.create(daemonSets, { metadata: ref, spec: { selector, template: template("a:1"), ...spec } });
		await settled(world, nodeCount);
		return world;
	};
	const settled = (at: World, count: number) =>
		at.until("every node has an updated pod", () => {
			const { metadata, status } = at.informers.of(daemonSets).get("default", "web") ?? {};
			return (
				status?.observedGeneration === metadata?.generation &&
				status?.desiredNumberScheduled === count &&
				(status?.numberAvailable ?? 0) === count &&
				(status?.updatedNumberScheduled ?? 0) === count
			);
		});

	test("a rolling update leaves no more nodes without a pod than it may, and never two pods on a node", async () => {
		const rollingUpdate = { maxUnavailable: 2, maxSurge: 0 };
		const at = await start({ updateStrategy: { type: "RollingUpdate", rollingUpdate } }, 8);
		at.onPods((all) => {
			expect(serving(all).length).toBeGreaterThanOrEqual(6);
			expect(all.length).toBeLessThanOrEqual(8);
		});
		await at.patch(daemonSets, ref, setImage("a:2"));
		await settled(at, 8);
		expect([...images(at.pods())]).toEqual(["a:2"]);
	});

	test("a rolling update with surge keeps every node served", async () => {
		const rollingUpdate = { maxUnavailable: 0, maxSurge: 3 };
		const at = await start({ updateStrategy: { type: "RollingUpdate", rollingUpdate } }, 8);
		at.onPods((all) => {
			const served = new Set(serving(all).map(({ spec }) => spec.nodeName));
			expect(served.size).toBe(8);
			expect(all.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length).toBeLessThanOrEqual(11);
		});
		await at.patch(daemonSets, ref, setImage("a:2"));
		await settled(at, 8);
		await at.until("old pods are gone", () => at.pods().length === 8);
	});

	test("revisions made and removed by hand are left as they are, and the next template gets the next number", async () => {
		const at = await start({}, 2);
		const revisions = () =>
			[...at.informers.of(controllerRevisions).list()].sort((left, right) => left.revision - right.revision);
		const before = at.pods().map(({ metadata }) => metadata.uid);
		const [first] = revisions();
		if (first === undefined) throw new Error("a daemonset has a revision");
		const { namespace, annotations, ownerReferences } = first.metadata;
		const byHand = { ...labels, "controller-revision-hash": "mine" };
		await at.client.create(controllerRevisions, {
			metadata: { namespace, name: "web-mine", labels: byHand, annotations, ownerReferences },
			data: first.data,
			revision: 2,
		});
		await at.clock.advance(10_000);
		expect(revisions().map(({ revision }) => revision)).toEqual([1, 2]);
		await at.client.delete(controllerRevisions, first.metadata);
		await at.clock.advance(10_000);
		expect(revisions().map(({ metadata }) => metadata.name)).toEqual(["web-mine"]);
		expect(at.pods().map(({ metadata }) => metadata.uid)).toEqual(before);
		await at.patch(daemonSets, ref, setImage("a:2"));
		await settled(at, 2);
		expect(revisions().map(({ revision }) => revision)).toEqual([2, 3]);
		await at.client.delete(controllerRevisions, { namespace: "default", name: "web-mine" });
		await at.clock.advance(10_000);
		expect(revisions().map(({ revision }) => revision)).toEqual([3]);
	});

	test("a failed pod is replaced, more slowly each time", async () => {
		const at = await start({}, 1);
		const fail = async () => {
			const pod = serving(at.pods())[0];
			if (pod === undefined) throw new Error("nothing serves");
			const failedAtMs = at.clock.now();
			const failed = { metadata: { uid: pod.metadata.uid }, status: { phase: "Failed", conditions: null } };
			await at.patch(pods, pod.metadata, { type: "merge", patch: failed }, "status");
			await at.until("another pod serves", () =>
				serving(at.pods()).some(({ metadata }) => metadata.uid !== pod.metadata.uid),
			);
			return at.clock.now() - failedAtMs;
		};
		const waits = [await fail(), await fail(), await fail(), await fail(), await fail()];
		expect(waits[0]).toBeLessThan(1000);
		expect(waits[4]).toBeGreaterThan(4000);
	});

	test("nodes come and go, are tainted and labelled", async () => {
		const at = await start({}, 2);
		await at.client.create(nodes, { metadata: { name: "node-new" }, spec: {} });
		await settled(at, 3);
		const taints = [{ key: "broken", effect: "NoExecute" }];
		await at.patch(nodes, { name: "node-0" }, { type: "merge", patch: { spec: { taints } } });
		await settled(at, 2);
		await at.until("its pod is gone", () => at.pods().every(({ spec }) => spec.nodeName !== "node-0"));
		await at.patch(nodes, { name: "node-0" }, { type: "merge", patch: { spec: { taints: null } } });
		await settled(at, 3);
		const nodeSelector = { disk: "ssd" };
		await at.patch(daemonSets, ref, {
			type: "merge",
			patch: { spec: { template: { spec: { nodeSelector } } } },
		});
		await settled(at, 0);
		await at.until("no pod is left", () => at.pods().length === 0);
		await at.patch(nodes, { name: "node-1" }, { type: "merge", patch: { metadata: { labels: nodeSelector } } });
		await settled(at, 1);
	});
});
