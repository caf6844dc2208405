import { expect, test } from "vitest";
import type { Informer, InformerCache } from "../client/informer-cache.ts";
import type { EndedLog } from "../core/ended-log.ts";
import type { KubeObject } from "../core/object.ts";
import { VirtualClock } from "../core/time/virtual-clock.ts";
import { jobs } from "../kinds/batch/job.ts";
import { namespaces } from "../kinds/core/namespace.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import type { Job, Pod } from "../kinds/generated/types.ts";
import type { Run } from "../kinds/history/types.ts";
import { pods } from "../kinds/pod/pod.ts";
import { createMemoryStore } from "../store/memory.ts";
import { Recorder } from "./recorder.ts";
import { historySettings } from "./retention/settings.ts";

const at = "2026-01-01T00:00:00Z";

/** As much of an informer cache as the recorder uses, filled by hand. */
function handCache() {
	interface Parts {
		objects: Map<string, KubeObject>;
		listeners: ((now: KubeObject) => void)[];
	}
	const informers = new Map<unknown, Parts>();
	const partsOf = (kind: unknown) => {
		const found: Parts = informers.get(kind) ?? { objects: new Map(), listeners: [] };
		informers.set(kind, found);
		return found;
	};
	const of = (kind: unknown) => {
		const { objects, listeners } = partsOf(kind);
		return {
			reached: async () => {},
			get: (_: string | undefined, name: string) => objects.get(name),
			list: () => objects.values(),
			controlledBy: (uid: string) =>
				[...objects.values()].filter(({ metadata }) => metadata.ownerReferences?.[0]?.uid === uid),
			onChange: (listener: (now: KubeObject) => void) => {
				listeners.push(listener);
				return () => {};
			},
		} as unknown as Informer<KubeObject>;
	};
	const change = <T extends KubeObject>(kind: Kind<T>, object: T) => {
		const { objects, listeners } = partsOf(kind);
		objects.set(object.metadata.name, object);
		for (const listener of listeners) listener(object);
	};
	return { informers: { of } as unknown as InformerCache, change };
}

const job = (name: string, isComplete: boolean) =>
	({
		apiVersion: "batch/v1",
		kind: "Job",
		metadata: { name, namespace: "shop", uid: name, creationTimestamp: at },
		spec: { template: { spec: { containers: [] } } },
		status: {
			startTime: at,
			...(isComplete && { completionTime: at, conditions: [{ type: "Complete", status: "True" }] }),
		},
		// As much of it as runs are made of.
	}) as unknown as Job;

const podOf = (name: string) =>
	({
		apiVersion: "v1",
		kind: "Pod",
		metadata: {
			name: `${name}-x`,
			namespace: "shop",
			uid: `${name}-x`,
			ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name, uid: name, controller: true }],
		},
		spec: { nodeName: "node-1", containers: [{ name: "main", image: "busybox" }] },
		status: {
			phase: "Succeeded",
			containerStatuses: [
				{ name: "main", restartCount: 0, state: { terminated: { exitCode: 0, startedAt: at, finishedAt: at } } },
			],
		},
		// As above.
	}) as unknown as Pod;

const logOf = (jobName: string): EndedLog => ({
	namespace: "shop",
	jobName,
	jobUid: jobName,
	podName: `${jobName}-x`,
	podUid: `${jobName}-x`,
	container: "main",
	attempt: 0,
	bytes: 2,
	omittedBytes: 0,
	data: Buffer.from("hi"),
});

test("a run is written once when its log comes soon after its end, and does not wait for one that does not come", async () => {
	const clock = new VirtualClock({ startMs: Date.parse(at) });
	const store = createMemoryStore();
	const { informers, change } = handCache();
	change(namespaces, { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } } as never);
	const recorder = new Recorder({ store, clock, settings: historySettings() });
	await recorder.start(informers);
	const runNamed = async (jobName: string) => {
		const { entries } = await store.range({ from: "/objects/history.coxswain.io/", to: "/objects/history.coxswain.j" });
		const all = entries.map(({ value }) => JSON.parse(Buffer.from(value).toString()) as Run);
		return all.find(({ spec }) => spec.jobName === jobName)?.status;
	};

	// Others may run for hours.
	change(jobs, job("running", false));
	change(pods, podOf("running"));
	const kept = recorder.receive([logOf("running")], undefined);
	change(pods, podOf("late"));
	change(jobs, job("late", true));
	change(pods, podOf("gone"));
	const gone = recorder.receive([logOf("gone")], undefined);
	recorder.told({ key: "fact", fact: { type: "job", at, object: job("gone", true) } });
	change(pods, podOf("silent"));
	change(jobs, job("silent", true));
	await clock.advance(300);
	// Its log had arrived before it was removed.
	expect(await runNamed("gone")).toMatchObject({ result: "Succeeded", logs: "Complete" });
	expect(await gone).toEqual([true]);
	await clock.advance(200);
	expect(await store.revision()).toBe(1);
	expect(await Promise.all([recorder.receive([logOf("late")], undefined), clock.advance(400)])).toEqual([
		[true],
		undefined,
	]);
	expect(await runNamed("late")).toMatchObject({ result: "Succeeded", logs: "Complete", logBytes: 2 });
	expect(await runNamed("silent")).toMatchObject({ result: "Succeeded", logs: "Pending" });
	expect(await runNamed("running")).toBeUndefined();
	// Both in one commit.
	expect(await store.revision()).toBe(2);
	await clock.advance(2000);
	expect(await runNamed("running")).toMatchObject({ result: "Running", logBytes: 2 });
	expect(await kept).toEqual([true]);
	await recorder.stop();
});
