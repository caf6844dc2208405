/** The events to report about a run, from its current state and the events that were already reported. Pure. */
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import type { Run, RunAttempt, RunPod } from "../../kinds/history/types.ts";
import type { NotificationEvent } from "../../kinds/notify/types.ts";
import { type Policy, slowAfterMs } from "../policies/policy.ts";
import { between, type Notification, notificationId } from "../sinks/notification.ts";

/** The processed state of a run: each event is reported once. */
export interface Seen {
	attempts?: number;
	ended?: true;
	/** The number of runs that did not happen. */
	skips?: number;
	/** Keys of the policies to which it was reported as slow. */
	slow?: string[];
}

export interface Told {
	policy: Policy;
	notification: Notification;
}

export interface RunPlan {
	told: Told[];
	seen: Seen;
	/** When to evaluate it again, in epoch milliseconds. */
	againMs?: number;
}

/**
 * Reason why a run did not happen → event. That a suspended CronJob starts nothing is not an event; SuspendedLong
 * covers it.
 */
const skipEvents: Readonly<Record<string, NotificationEvent>> = {
	ClusterDown: "Missed",
	StartingDeadlineExceeded: "Missed",
	NotStarted: "Missed",
	ConcurrencyForbidden: "Skipped",
};

/** Fewer runs are not enough to determine the usual duration. */
const leastUsualRuns = 3;
const mostUsualRuns = 20;
/** The limit for a Job's message, which is stored until it was sent. */
const longestMessage = 1000;

export interface RunState {
	run: Run;
	/** Policies that apply to it. */
	policies: readonly Policy[];
	seen: Seen;
	/** Events before this time, in epoch milliseconds, were already reported. */
	floorMs: number;
	/** The usual duration of runs like this one, in milliseconds. */
	usualMs(): number | undefined;
}

export function planRun({ run, policies, seen, floorMs, usualMs }: RunState, nowMs: number): RunPlan {
	const { status } = run;
	const told: Told[] = [];
	const next: Seen = { ...seen };
	const tell = (event: NotificationEvent, at: string, number: number | string, more: Partial<Notification> = {}) => {
		for (const policy of policies)
			if (policy.events.has(event) && isSince(parseTimestamp(at), Math.max(policy.sinceMs, floorMs), nowMs))
				told.push({ policy, notification: notificationOf(run, policy, event, at, number, more) });
	};
	const skips = status.skipped?.count ?? 0;
	if (status.result === "Skipped" && status.skipped !== undefined) {
		const count = skips - (seen.skips ?? 0);
		const event = skipEvents[status.reason ?? ""];
		const { lastScheduledTime: at } = status.skipped;
		if (count > 0 && event !== undefined) tell(event, at, at, { count });
		next.skips = skips;
		return { told, seen: next };
	}
	const attempts = status.attempts ?? 1;
	const { endTime } = status;
	if (attempts > (seen.attempts ?? 1)) {
		if (!seen.ended) tell("Retried", endTime ?? timestamp(nowMs), attempts);
		next.attempts = attempts;
	}
	const againMs = seen.ended ? undefined : planSlow({ run, policies, seen: next, floorMs, usualMs }, told, nowMs);
	const hasEnded = status.result !== "Running";
	if (hasEnded && !seen.ended) {
		const at = endTime ?? timestamp(nowMs);
		if (status.result === "Succeeded" || status.result === "Failed") tell(status.result, at, 0);
		next.ended = true;
	}
	return { told, seen: next, ...(againMs !== undefined && !hasEnded && { againMs }) };
}

/** If the clock shows less than that time, it was set back, and nothing counts as earlier. */
function isSince(atMs: number, sinceMs: number, nowMs: number): boolean {
	return atMs >= sinceMs || nowMs < sinceMs;
}

function planSlow({ run, policies, seen, usualMs }: RunState, told: Told[], nowMs: number): number | undefined {
	const { startTime, endTime } = run.status;
	const waiting = policies.filter(({ events, key }) => events.has("Slow") && !seen.slow?.includes(key));
	if (startTime === undefined || waiting.length === 0) return undefined;
	const startMs = parseTimestamp(startTime);
	const untilMs = endTime === undefined ? nowMs : parseTimestamp(endTime);
	const usual = usualMs();
	let againMs: number | undefined;
	for (const policy of waiting) {
		const afterMs = slowAfterMs(policy, usual);
		if (afterMs === undefined) continue;
		if (untilMs - startMs < afterMs) {
			againMs = Math.min(againMs ?? Number.POSITIVE_INFINITY, startMs + afterMs);
			continue;
		}
		const at = timestamp(startMs + afterMs);
		const more = { durationMs: untilMs - startMs, ...(usual !== undefined && { usualMs: usual }) };
		seen.slow = [...(seen.slow ?? []), policy.key];
		told.push({ policy, notification: notificationOf(run, policy, "Slow", at, 0, more) });
	}
	return againMs;
}

/** The median of successful runs, newest first; undefined if there are too few. */
export function usualDurationMs(runs: Iterable<Run>): number | undefined {
	const ended: { startMs: number; tookMs: number }[] = [];
	for (const { status } of runs) {
		const tookMs = between(status.startTime, status.endTime);
		if (status.result !== "Succeeded" || tookMs === undefined) continue;
		ended.push({ startMs: parseTimestamp(status.startTime ?? ""), tookMs });
	}
	if (ended.length < leastUsualRuns) return undefined;
	const newest = ended.sort((a, b) => b.startMs - a.startMs).slice(0, mostUsualRuns);
	const sorted = newest.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	const [upper = 0, lower = 0] = [sorted[middle], sorted[middle - 1]];
	return sorted.length % 2 === 1 ? upper : (upper + lower) / 2;
}

function notificationOf(
	run: Run,
	policy: Policy,
	event: NotificationEvent,
	at: string,
	number: number | string,
	more: Partial<Notification>,
): Notification {
	const { metadata, spec, status } = run;
	const { jobName, cronJobName } = spec;
	const end = decisiveEnd(status.pods ?? []);
	const exitCode = event === "Succeeded" ? 0 : end?.attempt.exitCode;
	const durationMs = between(status.startTime, status.endTime);
	return {
		id: notificationId(policy.key, metadata.uid, event, number),
		event,
		at,
		namespace: metadata.namespace ?? "",
		kind: cronJobName === undefined ? "Job" : "CronJob",
		name: cronJobName ?? jobName ?? "",
		policy: policy.name,
		...(jobName !== undefined && { job: jobName, run: metadata.name, result: status.result }),
		...(status.reason && { reason: status.reason }),
		...(status.message && { message: status.message.slice(0, longestMessage) }),
		...(status.startTime && { startTime: status.startTime }),
		...(status.endTime && { endTime: status.endTime }),
		...(durationMs !== undefined && { durationMs }),
		...(status.attempts !== undefined && { attempts: status.attempts }),
		...(exitCode !== undefined && status.result !== "Running" && { exitCode }),
		...(end !== undefined && { log: { pod: end.pod.uid, container: end.container } }),
		...(end?.pod.node && { node: end.pod.node }),
		...more,
	};
}

interface ContainerEnd {
	pod: RunPod;
	container: string;
	attempt: RunAttempt;
}

/** The termination of the last container that failed, otherwise of the newest one. */
function decisiveEnd(pods: readonly RunPod[]): ContainerEnd | undefined {
	let newest: ContainerEnd | undefined;
	let failed: ContainerEnd | undefined;
	for (const pod of pods)
		for (const { name, init, attempts = [] } of pod.containers ?? []) {
			const attempt = attempts.at(-1);
			if (attempt === undefined) continue;
			const end = { pod, container: name, attempt };
			if (init !== true && (newest === undefined || newest.pod !== pod)) newest = end;
			if (attempt.exitCode !== undefined && attempt.exitCode !== 0) failed = end;
		}
	return failed ?? newest;
}
