import { controllerOf } from "../../../src/core/object.ts";
import type { Job, Pod } from "../../../src/kinds/generated/types.ts";
import type { Run, RunResult } from "../../../src/kinds/history/types.ts";
import { type Invariant, isFinished } from "./invariant.ts";

/** How long a run may take to be written once nothing fails any more. */
const patienceMs = 10_000;

interface Expected {
	name: string;
	result: RunResult;
	sinceMs: number;
}

/**
 * There is a run for each Job that ended or was removed, which says how, with every pod that said how it ended. And no
 * run begins again.
 */
export function runsKept(): Invariant {
	/** By the UID of the Job, of the pod. */
	const ended = new Map<string, Expected>();
	const endedPods = new Map<string, { name: string; jobUid: string; phase: string; sinceMs: number }>();
	return {
		observe(current, old, truth) {
			const object = current ?? old;
			const sinceMs = truth.clock.monotonicMs();
			if (object?.kind === "Job") {
				// It is of that kind.
				const result = resultOf(object as Job) ?? (current === undefined ? "Deleted" : undefined);
				const { uid, name } = object.metadata;
				if (result !== undefined && !ended.has(uid)) ended.set(uid, { name, result, sinceMs });
			}
			const owner = object?.kind === "Pod" ? controllerOf(object) : undefined;
			// It is of that kind.
			if (owner?.kind === "Job" && isFinished(object as Pod)) {
				const { uid, name } = (object as Pod).metadata;
				const phase = (object as Pod).status?.phase ?? "";
				if (!endedPods.has(uid)) endedPods.set(uid, { name, jobUid: owner.uid, phase, sinceMs });
			}
			if (object?.kind !== "Run" || old === undefined || (old as Run).status.result === "Skipped") return;
			// They are of that kind.
			const [before, now] = [old as Run, current as Run | undefined];
			if (now === undefined) truth.violation(`run ${before.metadata.name} was removed`);
			else if (before.status.result !== "Running" && now.status.result !== before.status.result)
				truth.violation(`run ${now.metadata.name} was ${before.status.result} and is ${now.status.result}`);
		},
		atEnd(truth) {
			const runs = new Map<string, Run>();
			// Those of the kind are runs.
			for (const run of truth.of("Run")) runs.set((run as Run).spec.jobUID ?? "", run as Run);
			const isDue = ({ sinceMs }: { sinceMs: number }) => truth.clock.monotonicMs() - sinceMs > patienceMs;
			for (const [uid, expected] of ended) {
				const run = runs.get(uid);
				if (!isDue(expected) || run?.status.result === expected.result) continue;
				truth.violation(`job ${expected.name} ended ${expected.result}, its run says ${run?.status.result}`);
			}
			for (const [uid, expected] of endedPods) {
				const status = runs.get(expected.jobUid)?.status;
				const pod = status?.pods?.find((one) => one.uid === uid);
				if (!isDue(expected) || status?.podsLeftOut !== undefined || pod?.phase === expected.phase) continue;
				truth.violation(`pod ${expected.name} ended ${expected.phase}, its run says ${pod?.phase}`);
			}
		},
	};
}

function resultOf({ status }: Job): RunResult | undefined {
	for (const { type, status: is } of status?.conditions ?? []) {
		if (is !== "True") continue;
		if (type === "Complete") return "Succeeded";
		if (type === "Failed") return "Failed";
	}
	return undefined;
}
