/** One event to report: the data that is stored until it is sent, and its text. Pure. */
import { createHash } from "node:crypto";
import { humanDuration } from "../../core/time/age.ts";
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import type { NotificationEvent } from "../../kinds/notify/types.ts";

export interface Notification {
	/** The same for the same event under the same policy, so that receivers can detect duplicates. */
	id: string;
	event: NotificationEvent | "Test" | "Summary";
	/** When it happened. */
	at: string;
	namespace: string;
	/** Kind of the object: CronJob also for runs of its Jobs. */
	kind: string;
	name: string;
	/** Name of the policy, or of the Secret that an annotation names. */
	policy: string;
	job?: string;
	run?: string;
	result?: string;
	reason?: string;
	message?: string;
	startTime?: string;
	endTime?: string;
	durationMs?: number;
	usualMs?: number;
	attempts?: number;
	exitCode?: number;
	node?: string;
	/** The number of runs that did not happen, or of messages that were left out. */
	count?: number;
	/** Ready pods of a StatefulSet and similar kinds. */
	ready?: number;
	desired?: number;
	/** Location of the log that the message includes. */
	log?: { pod: string; container: string };
}

/** Events that are only counted. */
export interface Digest {
	sinceMs: number;
	count: number;
	/** Event → count. */
	events: Record<string, number>;
}

const longestReasonText = 500;

/** @param parts what distinguishes this event from all others */
export function notificationId(...parts: readonly (string | number)[]): string {
	const hex = createHash("sha256").update(parts.join("\0")).digest("hex");
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/**
 * The summary of messages that were only counted.
 * @param queue the sink's queue
 */
export function summaryOf(
	queue: string,
	{ namespace, name }: { namespace: string; name: string },
	{ count, events, sinceMs }: Digest,
	nowMs: number,
): Notification {
	const counts = Object.entries(events).map(([event, number]) => `${number} ${event}`);
	return {
		id: notificationId(queue, "Summary", sinceMs, count),
		event: "Summary",
		at: timestamp(nowMs),
		namespace,
		kind: "NotificationPolicy",
		name,
		policy: name,
		startTime: timestamp(sinceMs),
		count,
		message: counts.join(", "),
	};
}

export function titleOf(notification: Notification): string {
	const { event, kind, name, job, attempts, count = 1, durationMs = 0, usualMs, policy, ready, desired } = notification;
	const about = kind === "CronJob" && job !== undefined ? `CronJob ${name}: Job ${job}` : `${kind} ${name}`;
	const took = humanDuration(durationMs);
	const pods = `${ready} of ${desired} pods ready`;
	switch (event) {
		case "Succeeded":
			return `${about} succeeded after ${took}`;
		case "Failed":
			return `${about} failed after ${took}${(attempts ?? 1) > 1 ? ` and ${attempts} attempts` : ""}`;
		case "Retried":
			return `${about} is tried again (attempt ${attempts})`;
		case "Slow":
			return `${about} is slow: ${took} so far${usualMs === undefined ? "" : `, usually ${humanDuration(usualMs)}`}`;
		case "Missed":
			return `${about} missed ${count === 1 ? "a run" : `${count} runs`}`;
		case "Skipped":
			return `${about} left out ${count === 1 ? "a run" : `${count} runs`}`;
		case "SuspendedLong":
			return `${about} has been suspended for ${took}`;
		case "Stuck":
			return `${about} is stuck: ${pods} for ${took}`;
		case "Back":
			return `${about} is back: ${pods}`;
		case "Test":
			return `Test of notification policy ${policy}`;
		case "Summary":
			return `${count} more ${count === 1 ? "notification" : "notifications"} of policy ${policy} in namespace ${notification.namespace}`;
	}
}

/** Label and value, in the order of messages. */
export function factsOf(notification: Notification): [string, string][] {
	const { namespace, startTime, durationMs, attempts, exitCode, reason, message, node, endTime, event } = notification;
	const facts: [string, string | undefined][] = [
		["Namespace", namespace],
		["Started", startTime],
		["Ended", endTime],
		["Took", endTime === undefined || durationMs === undefined ? undefined : humanDuration(durationMs)],
		["Attempts", attempts === undefined || event === "Retried" ? undefined : String(attempts)],
		["Exit code", exitCode === undefined ? undefined : String(exitCode)],
		["Node", node],
		["Reason", [reason, message].filter(Boolean).join(": ").slice(0, longestReasonText) || undefined],
	];
	return facts.flatMap(([label, value]) => (value === undefined ? [] : [[label, value]]));
}

/** A command that shows more. */
export function commandOf({ event, namespace, kind, name, run, policy }: Notification): string {
	if (run !== undefined) return `cox logs --run ${run} -n ${namespace}`;
	if (event === "Test" || event === "Summary") return `kubectl describe notificationpolicy ${policy} -n ${namespace}`;
	return `kubectl describe ${kind.toLowerCase()} ${name} -n ${namespace}`;
}

/** Milliseconds between two RFC 3339 times; undefined if one is missing. */
export function between(from: string | undefined, to: string | undefined): number | undefined {
	return from === undefined || to === undefined ? undefined : Math.max(parseTimestamp(to) - parseTimestamp(from), 0);
}
