/** What untrusted nodes send instead of logs, and what users put into runs. */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { EndedLog } from "../core/ended-log.ts";
import type { Pod } from "../kinds/generated/types.ts";
import { createMemoryStore } from "../store/memory.ts";
import { takeLogs } from "./log-intake.ts";
import { readLog } from "./records/archive.ts";
import { logKey } from "./records/keys.ts";
import type { RunStore } from "./run-store.ts";
import { boundedPods, runPodOf } from "./runs/pods-of.ts";

test("a log that unfolds to far more than is kept, or is none, is read as nothing", async () => {
	const store = createMemoryStore();
	const name = { namespace: "default", run: "a-1", podUid: "p", container: "main", attempt: 0 };
	const kept = async (value: Uint8Array) => {
		await store.commit({ compare: [], puts: [{ key: logKey(name), value }], deletes: [] });
		return (await readLog(store, name))?.toString();
	};
	expect(await kept(gzipSync("a line\n"))).toBe("a line\n");
	expect((await kept(gzipSync(Buffer.alloc(64 * 1024 * 1024))))?.length).toBe(0);
	expect(await kept(Buffer.from([0x1f, 1, 2, 3]))).toBe("");
});

test("a node brings the logs of its own pods, for the run of their Job and no other", async () => {
	const pod = {
		metadata: {
			name: "a-x",
			namespace: "shop",
			uid: "p",
			ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: "a", uid: "j", controller: true }],
		},
		spec: { nodeName: "node-1" },
	} as unknown as Pod;
	const kept: string[] = [];
	const parts = {
		// It asks the store only for the run, which does not exist yet, and for the space in use.
		runStore: { runAt: async () => undefined, index: { get: () => undefined } } as unknown as RunStore,
		logBytes: 1000,
		podOf: () => pod,
		keep: async ({ fact }: { fact: { ended: { namespace: string; jobName: string } } }) => {
			kept.push(`${fact.ended.namespace}/${fact.ended.jobName}`);
			return true;
		},
	};
	const log: EndedLog = {
		namespace: "shop",
		jobName: "a",
		jobUid: "j",
		podName: "a-x",
		podUid: "p",
		container: "main",
		attempt: 0,
		bytes: 2,
		omittedBytes: 0,
		data: Buffer.from("hi"),
	};
	const forged = [
		{ ...log, namespace: "bank" },
		{ ...log, jobName: "payroll" },
		{ ...log, jobUid: "other" },
	];
	await takeLogs(parts, [log, ...forged], "node-1");
	await takeLogs(parts, [log], "node-2");
	expect(kept).toEqual(["shop/a"]);
});

test("a run stays an object of usual size, whatever its pods have and say", () => {
	const names = Array.from({ length: 300 }, (_, index) => `c-${index}`);
	const terminated = { exitCode: 1, reason: "Error", message: "x".repeat(4096) };
	const pods = Array.from({ length: 50 }, (_, index) => {
		const pod = {
			metadata: { name: `p-${index}`, uid: `u-${index}` },
			spec: { containers: names.map((name) => ({ name, image: "i" })) },
			status: {
				phase: "Failed",
				containerStatuses: names.map((name) => ({ name, restartCount: 0, state: { terminated } })),
			},
		};
		return runPodOf(pod as unknown as Pod, undefined, false);
	});
	const { pods: shown, leftOut } = boundedPods(pods);
	expect([shown.length, leftOut]).toEqual([10, 40]);
	expect(JSON.stringify(shown).length).toBeLessThan(5_000_000);
	expect(
		boundedPods(
			pods
				.slice(0, 1)
				.map((pod) => ({ ...pod, containers: [...(pod.containers ?? []), ...Array(3000).fill({ name: "x" })] })),
		).pods,
	).toHaveLength(1);
});
