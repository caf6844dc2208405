import { expect, test } from "vitest";
import type { InformerCache } from "../client/informer-cache.ts";
import { VirtualClock } from "../core/time/virtual-clock.ts";
import type { Job, Pod } from "../kinds/generated/types.ts";
import type { Run } from "../kinds/history/types.ts";
import { createMemoryStore } from "../store/memory.ts";
import type { Store } from "../store/store.ts";
import { withinBounds } from "../store/testing/bounded-store.ts";
import type { Marked, Marks } from "./marks.ts";
import { keptLog } from "./records/archive.ts";
import { encodeFact, keepRemoved, type RemovalFact } from "./records/facts.ts";
import { factKey, factRoot, logRoot } from "./records/keys.ts";
import { historySettings } from "./retention/settings.ts";
import { RunStore } from "./run-store.ts";
import { RunWriter } from "./run-writer.ts";
import { Waiting } from "./waiting.ts";

const at = "2026-01-01T00:00:00Z";

/** A Job that was removed with all of its pods. */
function job(metadata: object = {}): Job {
	const conditions = [{ type: "Complete", status: "True", lastTransitionTime: at }];
	return {
		apiVersion: "batch/v1",
		kind: "Job",
		metadata: { name: "large", namespace: "shop", uid: "j", creationTimestamp: at, ...metadata },
		spec: { template: { spec: { containers: [] } } },
		status: { startTime: at, completionTime: at, conditions, succeeded: 1 },
		// Only the fields that runs use.
	} as unknown as Job;
}

function pod(name: string, containers: number): Pod {
	const names = Array.from({ length: containers }, (_, index) => `c-${index}`);
	const state = { terminated: { exitCode: 0, reason: "Completed", startedAt: at, finishedAt: at } };
	return {
		apiVersion: "v1",
		kind: "Pod",
		metadata: {
			name,
			namespace: "shop",
			uid: name,
			ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: "large", uid: "j", controller: true }],
		},
		spec: { nodeName: "node-1", containers: names.map((name) => ({ name, image: "busybox" })) },
		status: { phase: "Succeeded", containerStatuses: names.map((name) => ({ name, restartCount: 0, state })) },
		// Only the fields that runs use.
	} as unknown as Pod;
}

async function setUp(facts: readonly RemovalFact[]) {
	const clock = new VirtualClock({ startMs: Date.parse(at) });
	const tooLarge: string[] = [];
	const store = withinBounds(createMemoryStore(), (what) => tooLarge.push(what));
	const waiting = new Waiting();
	for (const fact of facts) {
		const key = factKey("shop", "j", `${fact.type}/${fact.object.metadata.uid}`);
		await store.commit({ compare: [], puts: [{ key, value: encodeFact(fact) }], deletes: [] });
		waiting.addFact({ key, fact });
	}
	const again: Omit<Marked, "dueMs">[] = [];
	const none = { get: () => undefined, controlledBy: () => [] };
	const runStore = new RunStore(store, historySettings(), clock);
	const writer = new RunWriter({
		runStore,
		waiting,
		// It only sets marks, here those that are due immediately, and the informer cache is empty.
		marks: { mark: (marked, delayMs) => delayMs === 0 && again.push(marked) } as Pick<Marks, "mark"> as Marks,
		informers: { of: () => none } as unknown as InformerCache,
		clock,
		tell: undefined,
		exists: async () => true,
		loadFacts: async () => {},
	});
	const due = [{ namespace: "shop", name: "large", uid: "j", dueMs: 0 }];
	return { store, waiting, writer, due, again, tooLarge };
}

const under = async (store: Store, prefix: string) =>
	(await store.range({ from: prefix, to: `${prefix}\uffff` })).entries;

async function onlyRun(store: Store): Promise<Run> {
	const [entry] = await under(store, "/objects/history.coxswain.io/");
	return JSON.parse(Buffer.from(entry?.value ?? []).toString()) as Run;
}

test("thousands of pods, and logs as large as they get, are taken in by commits that every store takes", async () => {
	const pods = Array.from({ length: 2000 }, (_, index) => pod(`p-${index}`, index < 2 ? 20 : 1));
	const { store, waiting, writer, due, again, tooLarge } = await setUp([
		{ type: "job", at, object: job() },
		...pods.map((object) => ({ type: "pod", at, object }) as const),
	]);
	const settled = [0, 1].flatMap((number) =>
		Array.from({ length: 20 }, (_, index) =>
			waiting.addLog(
				keptLog(
					{
						namespace: "shop",
						jobName: "large",
						jobUid: "j",
						podName: `p-${number}`,
						podUid: `p-${number}`,
						container: `c-${index}`,
						attempt: 0,
						bytes: 1_000_000,
						omittedBytes: 0,
						data: new Uint8Array(600 * 1024),
					},
					64 * 1024 * 1024,
				),
			),
		),
	);
	await writer.write(due);
	while (again.splice(0).length > 0) await writer.write(due);
	expect(await Promise.all(settled)).toEqual(settled.map(() => true));
	expect(tooLarge).toEqual([]);
	expect(await under(store, logRoot)).toHaveLength(40);
	expect(await under(store, factRoot)).toEqual([]);
	expect(waiting.factsOf("j")).toEqual([]);
	const { status } = await onlyRun(store);
	expect(status).toMatchObject({ result: "Succeeded", podsLeftOut: 1950, logBytes: 40 * 600 * 1024 });
});

test("a job's own labels do not say whose run it is", async () => {
	const labels = { cronjob: "nightly", "job-name": "other", team: "a" };
	const forged = await setUp([{ type: "job", at, object: job({ labels }) }]);
	await forged.writer.write(forged.due);
	const run = await onlyRun(forged.store);
	expect(run.metadata.labels).toEqual({ "job-name": "large", team: "a" });
	expect(run.spec.cronJobName).toBeUndefined();

	const ownerReferences = [{ apiVersion: "batch/v1", kind: "CronJob", name: "hourly", uid: "c", controller: true }];
	const made = await setUp([{ type: "job", at, object: job({ labels, ownerReferences }) }]);
	await made.writer.write(made.due);
	expect((await onlyRun(made.store)).metadata.labels).toEqual({ "job-name": "large", cronjob: "hourly", team: "a" });
});

test("a namespace takes its runs, logs and facts along, and those of no other", async () => {
	const { store, writer, due, waiting } = await setUp([{ type: "job", at, object: job() }]);
	await writer.write(due);
	const others = [
		"history/logs/shop-2/a/p/c/0",
		"history/facts/shop-2/j/job/j",
		"/objects/history.coxswain.io/runs/shop-2/a",
	];
	const own = ["history/logs/shop/large-x/p/c/0", "history/facts/shop/other/pod/p"];
	for (const key of [...others, ...own])
		await store.commit({ compare: [], puts: [{ key, value: Buffer.from("{}") }], deletes: [] });
	const runStore = new RunStore(store, historySettings(), new VirtualClock());
	waiting.factsGone(await runStore.removeNamespace("shop"));
	const left = [...(await under(store, "/objects/")), ...(await under(store, "history/"))].map(({ key }) => key);
	expect(left.sort()).toEqual(others.sort());
});

test("what is written of a pod that is removed is what runs are made of, and no more", async () => {
	const store = createMemoryStore();
	const object = pod("p", 1);
	const env = [{ name: "TOKEN", value: "hunter2" }];
	const annotations = { "batch.kubernetes.io/job-completion-index": "4", large: "x".repeat(100_000) };
	const whole = {
		...object,
		metadata: { ...object.metadata, annotations },
		spec: { ...object.spec, containers: [{ name: "c-0", image: "busybox", env }] },
	};
	const key = "/objects/core/pods/shop/p";
	await store.commit({ compare: [], puts: [{ key, value: Buffer.from(JSON.stringify(whole)) }], deletes: [] });
	const kept = keepRemoved(store, { now: () => 0 }, () => {});
	await kept.commit({ compare: [], puts: [], deletes: [key] });
	const [fact] = await under(store, factRoot);
	const text = Buffer.from(fact?.value ?? []).toString();
	expect(text).not.toContain("hunter2");
	expect(text.length).toBeLessThan(1000);
	expect(JSON.parse(text).object.metadata.annotations).toEqual({ "batch.kubernetes.io/job-completion-index": "4" });
});
