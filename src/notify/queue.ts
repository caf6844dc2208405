/** What one sink of one policy is still to get, and what is to be done about it next. Pure. */
import { durationMs } from "../core/duration.ts";
import type { Notification } from "./notification.ts";
import type { Policy } from "./policy.ts";
import { quietUntilMs } from "./quiet.ts";

export interface QueueName {
	namespace: string;
	/** `key` of the policy. */
	policy: string;
	sink: string;
}

export interface Entry {
	/** In the store; in the order of what happened. */
	key: string;
	/** When it was put there, in epoch milliseconds. */
	atMs: number;
	notification: Notification;
}

/** What is told as a number only. */
export interface Digest {
	sinceMs: number;
	count: number;
	/** Event → how often. */
	events: Record<string, number>;
}

export interface QueueState {
	entries: readonly Entry[];
	digest?: Digest;
	/** When messages were taken, oldest first, as far as the policy's rate looks back. */
	sentAtMs: readonly number[];
	/** Before this time nothing is tried. */
	retryAtMs: number;
}

export type Step =
	| { do: "nothing" }
	| { do: "wait"; untilMs: number }
	| { do: "send"; entry: Entry }
	| { do: "summarize"; digest: Digest }
	/** So many of the oldest become a number. */
	| { do: "fold"; count: number }
	| { do: "giveUp"; entry: Entry };

const dayMs = 24 * 3_600_000;
export const mostEntries = 1000;

/** @param readyAtMs when what the entry ends with is expected to be there */
export function nextStep(
	{ entries, digest, sentAtMs, retryAtMs }: QueueState,
	{ spec }: Pick<Policy, "spec">,
	nowMs: number,
	readyAtMs: (entry: Entry) => number = () => 0,
): Step {
	const [head] = entries;
	if (head === undefined && digest === undefined) return { do: "nothing" };
	if (entries.length > mostEntries) return { do: "fold", count: entries.length - mostEntries };
	const { quietHours, atMost } = spec;
	// What is held for a night is not late in the morning.
	const patienceMs = quietHours === undefined ? dayMs : 2 * dayMs;
	if (head !== undefined && nowMs - head.atMs > patienceMs) return { do: "giveUp", entry: head };
	const untilMs = Math.max(quietUntilMs(quietHours, nowMs) ?? 0, retryAtMs);
	if (untilMs > nowMs) return { do: "wait", untilMs };
	if (atMost !== undefined) {
		const perMs = durationMs(atMost.per);
		const recent = sentAtMs.filter((ms) => ms > nowMs - perMs);
		const [oldest] = recent;
		if (oldest !== undefined && recent.length >= atMost.count) {
			if (entries.length > 0) return { do: "fold", count: entries.length };
			return { do: "wait", untilMs: oldest + perMs };
		}
	}
	if (digest !== undefined) return { do: "summarize", digest };
	if (head === undefined) return { do: "nothing" };
	const waitMs = readyAtMs(head);
	return waitMs > nowMs ? { do: "wait", untilMs: waitMs } : { do: "send", entry: head };
}

export function folded(digest: Digest | undefined, entries: readonly Entry[], nowMs: number): Digest {
	const events = { ...digest?.events };
	for (const { notification } of entries) events[notification.event] = (events[notification.event] ?? 0) + 1;
	return { sinceMs: digest?.sinceMs ?? nowMs, count: (digest?.count ?? 0) + entries.length, events };
}

const firstRetryMs = 5000;
const longestRetryMs = 900_000;

/**
 * Exponential, with jitter: many sinks that failed together are not asked again together.
 * @param failures in a row, at least 1
 */
export function retryDelayMs(failures: number, random: number): number {
	const delayMs = Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 20), longestRetryMs);
	return delayMs * (0.5 + random);
}
