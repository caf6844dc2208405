/** Which pods to create and which to delete, while a job goes on. */
import type { Pod } from "../../kinds/generated/types.ts";
import { podsToDelete } from "../podcontrol/rank.ts";
import { backoffUntilMs, indexBackoffUntilMs } from "./backoff.ts";
import { type Census, indexesOf } from "./census.ts";
import { indexOf, isTracked } from "./pods.ts";
import type { Terms } from "./terms.ts";

export interface Management {
	/** For each pod to be created, its index; undefined for jobs without. */
	create: readonly (number | undefined)[];
	/** Active pods that are too many. Their end is not counted. */
	remove: readonly Pod[];
	/** When creation that has to wait can go on. */
	resumeAtMs?: number;
}

/** Most pods created or deleted in one plan, as upstream has it; the plan after that goes on. */
const mostAtOnce = 500;

export function manage(terms: Terms, census: Census, pods: readonly Pod[], nowMs: number): Management {
	const { active } = census;
	if (terms.suspended) return { create: [], remove: active.slice(0, mostAtOnce) };
	const wanted = wantedActive(terms, census);
	const remove = tooMany(terms, active, wanted, nowMs);
	if (remove.length > 0) return { create: [], remove: remove.slice(0, mostAtOnce) };
	// A pod on its way out keeps its place where pods are replaced only once they have failed.
	const missing = wanted - active.length - (terms.waitsForTermination ? census.leaving.length : 0);
	if (missing <= 0) return { create: [], remove: [] };
	const count = Math.min(missing, mostAtOnce);
	if (terms.perIndexLimit !== undefined) return createIndexes(terms, census, count, nowMs);
	const waitUntilMs = backoffUntilMs(pods);
	if (waitUntilMs !== undefined && waitUntilMs > nowMs) return { create: [], remove: [], resumeAtMs: waitUntilMs };
	const create = terms.indexed ? nextIndexes(terms, census, count) : new Array<undefined>(count).fill(undefined);
	return { create, remove: [] };
}

function wantedActive({ completions, parallelism }: Terms, census: Census): number {
	// A work queue: as many as allowed, until one has found that nothing is left; then those that run may finish.
	if (completions === undefined) return census.succeeded > 0 ? census.active.length : parallelism;
	return Math.max(Math.min(completions - census.succeeded, parallelism), 0);
}

/**
 * More than wanted, two of one index, an index that is none (any more), or no finalizer, so that their end would not
 * count.
 */
function tooMany(terms: Terms, active: readonly Pod[], wanted: number, nowMs: number): Pod[] {
	const remove = new Set(active.filter((pod) => !isTracked(pod)));
	if (terms.indexed) {
		const byIndex = new Map<number, Pod[]>();
		for (const pod of active) {
			if (remove.has(pod)) continue;
			const index = indexOf(pod, terms.completions);
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
function nextIndexes(terms: Terms, census: Census, count: number): number[] {
	const { completions = 0 } = terms;
	let taken = census.succeededIndexes.union(indexesOf(census.active, completions));
	if (terms.waitsForTermination) taken = taken.union(indexesOf(census.leaving, completions));
	if (census.failedIndexes !== undefined) taken = taken.union(census.failedIndexes);
	if (terms.perNode !== undefined) taken = taken.union(terms.perNode.unfit);
	return taken.firstMissing(count, completions);
}

/** Each index backs off by itself. */
function createIndexes(terms: Terms, census: Census, count: number, nowMs: number): Management {
	const create: number[] = [];
	let resumeAtMs: number | undefined;
	for (const index of nextIndexes(terms, census, count)) {
		const waitUntilMs = indexBackoffUntilMs(census.lastFailed.get(index));
		if (waitUntilMs === undefined || waitUntilMs <= nowMs) create.push(index);
		else resumeAtMs = Math.min(resumeAtMs ?? waitUntilMs, waitUntilMs);
	}
	return { create, remove: [], ...(resumeAtMs === undefined ? {} : { resumeAtMs }) };
}
