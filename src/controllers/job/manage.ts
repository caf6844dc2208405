/** Which pods to create and which to delete while a Job is active. */
import type { Pod } from "../../kinds/generated/types.ts";
import { podsToDelete } from "../podcontrol/rank.ts";
import { backoffUntilMs, indexBackoffUntilMs } from "./backoff.ts";
import { indexesOf, type PodCounts } from "./pod-counts.ts";
import { indexOf, isTracked } from "./pods.ts";
import type { ResolvedSpec } from "./resolved-spec.ts";

export interface Management {
	/** The index of each pod to create; undefined for Jobs without indexes. */
	create: readonly (number | undefined)[];
	/** Active pods to delete. Their termination is not counted. */
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
	// If pods are replaced only once they have failed, a terminating pod keeps its place.
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
	// A work queue: as many pods as allowed, until one has succeeded; then the running ones may finish.
	if (completions === undefined) return podCounts.succeeded > 0 ? podCounts.active.length : parallelism;
	return Math.max(Math.min(completions - podCounts.succeeded, parallelism), 0);
}

/**
 * More than desired, a second one for an index, an invalid index, or without the finalizer, so that it could not be
 * counted.
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

/** The lowest indexes that have neither ended nor have an active pod. */
function nextIndexes(resolved: ResolvedSpec, podCounts: PodCounts, count: number): number[] {
	const { completions = 0 } = resolved;
	let taken = podCounts.succeededIndexes.union(indexesOf(podCounts.active, completions));
	if (resolved.waitsForTermination) taken = taken.union(indexesOf(podCounts.leaving, completions));
	if (podCounts.failedIndexes !== undefined) taken = taken.union(podCounts.failedIndexes);
	if (resolved.perNode !== undefined) taken = taken.union(resolved.perNode.unfit);
	return taken.firstMissing(count, completions);
}

/** Each index has its own backoff. */
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
