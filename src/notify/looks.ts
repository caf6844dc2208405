/**
 * Evaluates a run or a workload: which events to report to which policies, and when to evaluate it again. Writes
 * nothing.
 */
import type { Informer, InformerCache } from "../client/informer-cache.ts";
import { sameJson } from "../core/equal.ts";
import { type Clock, parseTimestamp } from "../core/time/clock.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import { runs } from "../kinds/history/run.ts";
import type { Run } from "../kinds/history/types.ts";
import { planRun, type Seen, type Told, usualDurationMs } from "./events/run-events.ts";
import { type NotifiedWorkload, planWorkload, type WorkloadPlan } from "./events/workload-events.ts";
import { Lasting } from "./lasting.ts";
import type { Draft } from "./outbox/draft.ts";
import type { Journal } from "./outbox/journal.ts";
import { workloadKey } from "./outbox/outbox.ts";
import { quietUntilMs } from "./policies/quiet.ts";
import type { PolicyIndex } from "./policy-index.ts";

export interface LooksParts {
	clock: Clock;
	informers: InformerCache;
	policies: PolicyIndex;
	journal: Journal;
}

/** Index of runs of the same work. */
const workIndex = "notify/work";

export class Looks {
	readonly #parts: LooksParts;
	readonly #runs: Informer<Run>;
	readonly #lasting: Lasting;

	constructor(parts: LooksParts) {
		this.#parts = parts;
		this.#runs = parts.informers.of(runs);
		this.#lasting = new Lasting(parts.clock);
		this.#runs.addIndex(workIndex, (run) => [workOf(run)]);
	}

	/**
	 * @param old the run as last processed, if known
	 * @returns when to evaluate it again, in epoch milliseconds
	 */
	run(run: Run, old: Run | undefined, draft: Draft): number | undefined {
		const { informers, policies, journal, clock } = this.#parts;
		const { uid, resourceVersion } = run.metadata;
		const plan = planRun(
			{
				run,
				policies: policies.aboutRun(run, informers),
				seen: together(journal.run(uid), old),
				floorMs: journal.floorMs,
				usualMs: () => usualDurationMs(this.#runs.byIndex(workIndex, workOf(run))),
			},
			clock.now(),
		);
		const endMs = isFinal(run) ? parseTimestamp(run.status.endTime ?? "") : Number.POSITIVE_INFINITY;
		draft.runs.set(uid, { seen: plan.seen, endMs, revision: Number(resourceVersion) });
		this.#tell(plan.told, draft);
		return plan.againMs;
	}

	/** @returns when to evaluate it again, in epoch milliseconds */
	workload(kind: Kind, namespace: string, name: string, draft: Draft): number | undefined {
		const { informers, policies, journal, clock } = this.#parts;
		// Only kinds of workloads are evaluated.
		const object = informers.of(kind).get(namespace, name) as NotifiedWorkload | undefined;
		const key = workloadKey(namespace, kind.kind, name);
		const before = journal.workload(key);
		const lastedMs = before === undefined ? 0 : this.#lasting.of(key, before.sinceMs);
		const plan: WorkloadPlan =
			object === undefined
				? { told: [] }
				: planWorkload(object, policies.aboutWorkload(object), before, { nowMs: clock.now(), lastedMs });
		if (plan.seen === undefined) this.#lasting.forget(key);
		else this.#lasting.of(key, plan.seen.sinceMs);
		if (!sameJson(plan.seen, before)) draft.workloads.set(key, plan.seen);
		this.#tell(plan.told, draft);
		return plan.againMs;
	}

	#tell(told: readonly Told[], draft: Draft): void {
		const nowMs = this.#parts.clock.now();
		for (const { policy, notification } of told) {
			const { quietHours } = policy.spec;
			if (quietHours?.action === "Drop" && quietUntilMs(quietHours, nowMs) !== undefined) continue;
			for (const { name } of policy.sinks)
				draft.tell({ namespace: policy.namespace, policy: policy.key, sink: name }, nowMs, notification);
		}
	}
}

/** No more events will be reported about it. */
export function isFinal({ status }: Run): boolean {
	return status.result !== "Running" && status.result !== "Skipped" && status.logs !== "Pending";
}

/** What runs of the same work have in common. */
function workOf({ metadata, spec }: Run): string {
	return `${metadata.namespace}/${spec.cronJobName === undefined ? "job" : "cronjob"}/${spec.cronJobName ?? spec.jobName}`;
}

/** What has been processed: the note, combined with the state of the run at that time. */
function together(noted: Seen | undefined, old: Run | undefined): Seen {
	if (old === undefined) return noted ?? {};
	const shown = seenOf(old);
	const most = (a: number | undefined, b: number | undefined) => Math.max(a ?? 0, b ?? 0);
	const attempts = most(noted?.attempts, shown.attempts);
	const skips = most(noted?.skips, shown.skips);
	return {
		...(attempts > 0 && { attempts }),
		...((noted?.ended || shown.ended) && { ended: true as const }),
		...(skips > 0 && { skips }),
		...(noted?.slow && { slow: noted.slow }),
	};
}

/** For a run that was processed before: only new events are reported. */
function seenOf({ status }: Run): Seen {
	return {
		...((status.attempts ?? 1) > 1 && { attempts: status.attempts ?? 1 }),
		...(status.result !== "Running" && status.result !== "Skipped" && { ended: true as const }),
		...(status.skipped !== undefined && { skips: status.skipped.count }),
	};
}
