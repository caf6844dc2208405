/** The pending messages of one sink of a policy, and the next step. Pure. */
import { durationMs } from "../../core/time/duration.ts";
import type { Policy } from "../policies/policy.ts";
import { quietUntilMs } from "../policies/quiet.ts";
import type { Digest, Notification } from "../sinks/notification.ts";

export interface QueueName {
	namespace: string;
	/** `key` of the policy. */
	policy: string;
	sink: string;
}

/** A pending message: the part that is kept in memory, because there may be thousands. */
export interface Entry {
	/** Key in the store; keys are in the order of events. */
	key: string;
	/** When it was added, in epoch milliseconds. */
	atMs: number;
	event: Notification["event"];
}

export interface QueueState {
	entries: readonly Entry[];
	digest?: Digest | undefined;
	/** When messages were accepted, oldest first, within the period of the policy's rate; on the monotonic clock. */
	sentAtMs: readonly number[];
	/** No attempt is made before this time; on the monotonic clock. */
	retryAtMs: number;
	/** When the last attempt failed, in epoch milliseconds; undefined if it did not. */
	failedAtMs?: number | undefined;
}

/** Both clocks: the monotonic clock, which is used for waiting, cannot be set. */
export interface Now {
	epochMs: number;
	monotonicMs: number;
}

export type Step =
	| { do: "nothing" }
	| { do: "wait"; forMs: number }
	| { do: "send"; entry: Entry }
	| { do: "summarize"; digest: Digest }
	/** This number of the oldest messages is replaced by a count. */
	| { do: "fold"; count: number }
	| { do: "giveUp"; entry: Entry };

const dayMs = 24 * 3_600_000;
export const mostEntries = 1000;

/** @param limit the number of messages that may be pending */
export function nextStep(
	{ entries, digest, sentAtMs, retryAtMs, failedAtMs }: QueueState,
	{ spec }: Pick<Policy, "spec">,
	{ epochMs, monotonicMs }: Now,
	limit = mostEntries,
): Step {
	const [head] = entries;
	if (head === undefined && digest === undefined) return { do: "nothing" };
	if (entries.length > limit) return { do: "fold", count: entries.length - limit };
	const { quietHours, atMost } = spec;
	// A message that was held during the night is not late in the morning.
	const patienceMs = quietHours === undefined ? dayMs : 2 * dayMs;
	// Only after another attempt: the machine may have slept for a day, or its clock may have been set.
	if (head !== undefined && Math.min(epochMs, failedAtMs ?? 0) - head.atMs > patienceMs)
		return { do: "giveUp", entry: head };
	const quietMs = quietUntilMs(quietHours, epochMs);
	const forMs = Math.max(quietMs === undefined ? 0 : quietMs - epochMs, retryAtMs - monotonicMs);
	if (forMs > 0) return { do: "wait", forMs };
	if (atMost !== undefined) {
		const perMs = durationMs(atMost.per);
		const recent = sentAtMs.filter((ms) => ms > monotonicMs - perMs);
		const [oldest] = recent;
		if (oldest !== undefined && recent.length >= atMost.count) {
			if (entries.length > 0) return { do: "fold", count: entries.length };
			return { do: "wait", forMs: oldest + perMs - monotonicMs };
		}
	}
	if (digest !== undefined) return { do: "summarize", digest };
	return head === undefined ? { do: "nothing" } : { do: "send", entry: head };
}

export function folded(digest: Digest | undefined, entries: readonly Entry[], nowMs: number): Digest {
	const events = { ...digest?.events };
	for (const { event } of entries) events[event] = (events[event] ?? 0) + 1;
	return { sinceMs: digest?.sinceMs ?? nowMs, count: (digest?.count ?? 0) + entries.length, events };
}

const firstRetryMs = 5000;
const longestRetryMs = 900_000;

/**
 * Exponential, with jitter: many sinks that failed together are not retried together.
 * @param failures in a row, at least 1
 */
export function retryDelayMs(failures: number, random: number): number {
	const delayMs = Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 20), longestRetryMs);
	return delayMs * (0.5 + random);
}
