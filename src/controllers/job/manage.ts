/** Which pods to create and which to delete while a Job is active. */
import type { Pod } from "../../kinds/generated/types.ts";
import { podsToDelete } from "../podcontrol/rank.ts";
import { backoffUntilMs, indexBackoffUntilMs } from "./backoff.ts";
import { indexesOf, type PodCounts } from "./pod-counts.ts";
import { indexOf, isTracked } from "./pods.ts";
import type { ResolvedSpec } from "./resolved-spec.ts";

export interface Management {
	/** For each pod to be created, its index; undefined for jobs without. */
	create: readonly (number | undefined)[];
	/** Active pods that are too many. Their end is not counted. */
	remove: readonly Pod[];
	/** When delayed creation can continue. */
	resumeAtMs?: number;
}

/** The maximum number of pods to create or delete in one plan, as upstream; the next plan continues. */
const mostAtOnce = 500;

export function manage(resolved: ResolvedSpec, podCounts: PodCounts, pods: readonly Pod[], nowMs: number): Management {
	const { active } = podCounts;
	if (resolved.suspended) return { create: [], remove: active.slice(0, mostAtOnce) };
	const wanted = wantedActive(resolved, podCounts);
	const remove = tooMany(resolved, active, wanted, nowMs);
	if (remove.length > 0) return { create: [], remove: remove.slice(0, mostAtOnce) };
	// A pod on its way out keeps its place where pods are replaced only once they have failed.
	const missing = wanted - active.length - (resolved.waitsForTermination ? podCounts.leaving.length : 0);
	if (missing <= 0) return { create: [], remove: [] };
	const count = Math.min(missing, mostAtOnce);
	if (resolved.perIndexLimit !== undefined) return createIndexes(resolved, podCounts, count, nowMs);
	const waitUntilMs = backoffUntilMs(pods);
	if (waitUntilMs !== undefined && waitUntilMs > nowMs) return { create: [], remove: [], resumeAtMs: waitUntilMs };
	const create = resolved.indexed
		? nextIndexes(resolved, podCounts, count)
		: new Array<undefined>(count).fill(undefined);
	return { create, remove: [] };
}

function wantedActive({ completions, parallelism }: ResolvedSpec, podCounts: PodCounts): number {
	// A work queue: as many as allowed, until one has found that nothing is left; then those that run may finish.
	if (completions === undefined) return podCounts.succeeded > 0 ? podCounts.active.length : parallelism;
	return Math.max(Math.min(completions - podCounts.succeeded, parallelism), 0);
}

/**
 * More than wanted, two of one index, an index that is none (any more), or no finalizer, so that their end would not
 * count.
 */
function tooMany(resolved: ResolvedSpec, active: readonly Pod[], wanted: number, nowMs: number): Pod[] {
	const remove = new Set(active.filter((pod) => !isTracked(pod)));
	if (resolved.indexed) {
		const byIndex = new Map<number, Pod[]>();
		for (const pod of active) {
			if (remove.has(pod)) continue;
			const index = indexOf(pod, resolved.completions);
			if (index === undefined) remove.add(pod);
			else byIndex.set(index, [...(byIndex.get(index) ?? []), pod]);
		}
		for (const same of byIndex.values())
			for (const pod of podsToDelete(same, same, same.length - 1, nowMs)) remove.add(pod);
	}
	const excess = active.length - wanted - remove.size;
	if (excess > 0) {
		const rest = active.filter((pod) => !remove.has(pod));
		for (const pod of podsToDelete(rest, rest, excess, nowMs)) remove.add(pod);
	}
	return [...remove];
}

/** The lowest indexes that have neither ended nor are being worked on. */
function nextIndexes(resolved: ResolvedSpec, podCounts: PodCounts, count: number): number[] {
	const { completions = 0 } = resolved;
	let taken = podCounts.succeededIndexes.union(indexesOf(podCounts.active, completions));
	if (resolved.waitsForTermination) taken = taken.union(indexesOf(podCounts.leaving, completions));
	if (podCounts.failedIndexes !== undefined) taken = taken.union(podCounts.failedIndexes);
	if (resolved.perNode !== undefined) taken = taken.union(resolved.perNode.unfit);
	return taken.firstMissing(count, completions);
}

/** Each index backs off by itself. */
function createIndexes(resolved: ResolvedSpec, podCounts: PodCounts, count: number, nowMs: number): Management {
	const create: number[] = [];
	let resumeAtMs: number | undefined;
	for (const index of nextIndexes(resolved, podCounts, count)) {
		const waitUntilMs = indexBackoffUntilMs(podCounts.lastFailed.get(index));
		if (waitUntilMs === undefined || waitUntilMs <= nowMs) create.push(index);
		else resumeAtMs = Math.min(resumeAtMs ?? waitUntilMs, waitUntilMs);
	}
	return { create, remove: [], ...(resumeAtMs === undefined ? {} : { resumeAtMs }) };
}
