import { controllerOf } from "../../../src/core/object.ts";
import { parseTimestamp, timestamp } from "../../../src/core/time/clock.ts";
import type { CronJob, Job } from "../../../src/kinds/generated/types.ts";
import type { Truth } from "../truth.ts";
import type { Invariant } from "./invariant.ts";

const minuteMs = 60_000;
/** The longest that the controller does not look: it is down, twice in a row perhaps, and then has to list. */
const longestAbsenceMs = 45_000;

interface History {
	cronJob: CronJob;
	/** Scheduled time → name of its Job. */
	runs: Map<string, string>;
	fromMs: number;
	/** When it was deleted. */
	untilMs?: number;
}

/** No scheduled time of a CronJob runs twice, none is missed, and where runs must not overlap, none do. */
export function scheduledTimes(): Invariant {
	const histories = new Map<string, History>();
	return {
		observe(current, old, truth) {
			const object = current ?? old;
			if (object?.kind === "CronJob") {
				const { uid, creationTimestamp, deletionTimestamp } = object.metadata;
				// It is of that kind.
				const cronJob = object as CronJob;
				// What counts is the time it carries: the clock may have jumped before it was stored.
				const fromMs = parseTimestamp(creationTimestamp);
				const history: History = histories.get(uid) ?? { cronJob, runs: new Map(), fromMs };
				histories.set(uid, history);
				if (current === undefined || deletionTimestamp !== undefined) history.untilMs ??= truth.clock.now();
			}
			if (current?.kind !== "Job" || old !== undefined) return;
			const owner = controllerOf(current);
			const history = owner && histories.get(owner.uid);
			if (owner === undefined || history === undefined) return;
			const time = current.metadata.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"] ?? "";
			const other = history.runs.get(time);
			if (other !== undefined) {
				truth.violation(`${owner.name} ran twice for ${time}: ${other}, ${current.metadata.name}`);
			}
			history.runs.set(time, current.metadata.name);
			checkTime(history, parseTimestamp(time), truth);
			if (history.cronJob.spec.concurrencyPolicy === "Forbid") checkAlone(history.cronJob, truth);
		},
		atEnd(truth) {
			for (const history of histories.values()) {
				if (history.cronJob.spec.concurrencyPolicy !== "Forbid") checkMissed(history, truth);
			}
		},
	};
}

/** A minute that had come when the Job was made, and after the CronJob. */
function checkTime({ cronJob, fromMs }: History, timeMs: number, truth: Truth): void {
	const { clock } = truth;
	const { name } = cronJob.metadata;
	// It may have come before the clock was set back.
	const hasCome = timeMs <= clock.now() || clock.jumps.some((jump) => timeMs <= jump.fromMs);
	if (!hasCome) truth.violation(`${name} runs early for ${timestamp(timeMs)}`);
	if (timeMs % minuteMs !== 0 || timeMs < fromMs)
		truth.violation(`${name} runs for ${timestamp(timeMs)}, which is no time of its own`);
}

function checkAlone(cronJob: CronJob, truth: Truth): void {
	const active: string[] = [];
	for (const object of truth.controlledBy(cronJob, "Job")) {
		// It is of that kind.
		const { metadata, status } = object as Job;
		const finished = status?.conditions?.some(
			({ type, status: value }) => (type === "Complete" || type === "Failed") && value === "True",
		);
		if (finished !== true && metadata.deletionTimestamp === undefined) active.push(metadata.name);
	}
	if (active.length > 1) truth.violation(`${cronJob.metadata.name} runs ${active.sort().join(" and ")} at once`);
}

/**
 * Every minute has its Job, but for those that the clock jumped over, and the last ones. Timers do not notice a jump:
 * for up to a minute after it the controller looks when it would have looked without, and one that is then away misses
 * a minute that it passed over. So may one that was away when the clock jumped.
 */
function checkMissed({ cronJob, runs, fromMs, untilMs }: History, truth: Truth): void {
	const { jumps } = truth.clock;
	const endMs = (untilMs ?? truth.clock.now()) - minuteMs;
	for (let timeMs = Math.floor(fromMs / minuteMs + 1) * minuteMs; timeMs < endMs; timeMs += minuteMs) {
		const time = timestamp(timeMs);
		if (runs.has(time)) continue;
		const jumped = jumps.some(
			({ fromMs, toMs }) => toMs > fromMs && timeMs > fromMs - longestAbsenceMs && timeMs <= toMs + longestAbsenceMs,
		);
		if (!jumped) truth.violation(`${cronJob.metadata.name} missed ${time}`);
	}
}
