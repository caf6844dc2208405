/**
 * The delay before a failed daemon pod is replaced: none for the first failure on a node, then from one second to
 * fifteen minutes, doubled with each failure and counted from the previous one.
 */
import type { InformerCache } from "../../client/informer-cache.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { targetNode } from "./placement.ts";

const firstMs = 1000;
const longestMs = 15 * 60_000;

interface Failure {
	uid: string;
	failedAtMs: number;
	/** Failures in a row. */
	count: number;
	retryAtMs: number;
}

/**
 * Failures by key of the set and name of the node. They are kept as long as the informer cache: the store has no record
 * of deleted pods.
 */
const remembered = new WeakMap<InformerCache, Map<string, Map<string, Failure>>>();

/**
 * Epoch milliseconds from which each of these failed pods may be replaced, by UID. Repeated calls give the same result.
 */
export function retryTimes(informers: InformerCache, key: string, failed: readonly Pod[]): Map<string, number> {
	const times = new Map<string, number>();
	const sets = remembered.get(informers) ?? new Map<string, Map<string, Failure>>();
	remembered.set(informers, sets);
	const nodes = sets.get(key) ?? new Map<string, Failure>();
	if (failed.length > 0) sets.set(key, nodes);
	for (const pod of failed) {
		const node = targetNode(pod);
		let failure = nodes.get(node);
		if (failure?.uid !== pod.metadata.uid) {
			failure = nextFailure(failure, pod);
			nodes.set(node, failure);
		}
		times.set(pod.metadata.uid, failure.retryAtMs);
	}
	return times;
}

export function forget(informers: InformerCache, key: string): void {
	remembered.get(informers)?.delete(key);
}

function nextFailure(last: Failure | undefined, pod: Pod): Failure {
	const { uid } = pod.metadata;
	const failedAtMs = failureTimeMs(pod);
	// After twice the longest delay without a failure, the count restarts.
	if (last === undefined || failedAtMs - last.failedAtMs > 2 * longestMs) {
		return { uid, failedAtMs, count: 1, retryAtMs: 0 };
	}
	const waitMs = Math.min(firstMs * 2 ** (last.count - 1), longestMs);
	return { uid, failedAtMs, count: last.count + 1, retryAtMs: Math.max(last.retryAtMs, last.failedAtMs) + waitMs };
}

function failureTimeMs({ metadata, status }: Pod): number {
	const times = (status?.containerStatuses ?? []).map(({ state }) => state?.terminated?.finishedAt);
	const known = times.filter((time) => time !== undefined).map(parseTimestamp);
	return known.length > 0 ? Math.max(...known) : parseTimestamp(metadata.creationTimestamp);
}
