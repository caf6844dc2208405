/**
 * Which old daemon pods are replaced, and where a new one may start beside the old one (Kubernetes documentation,
 * "Perform a Rolling Update on a DaemonSet"; KEP-1591).
 */

import type { DaemonSet, Pod } from "../../kinds/generated/types.ts";
import { isAvailable, isTerminating } from "../../kinds/pod/pod-lifecycle.ts";
import { scaled } from "../podcontrol/scaled.ts";
import { isUpdated } from "./revisions.ts";

export interface Steps {
	/** Nodes on which a pod is created. */
	create: string[];
	delete: Pod[];
}

interface Limits {
	surge: number;
	unavailable: number;
}

export function allowsSurge(set: DaemonSet): boolean {
	const surge = set.spec.updateStrategy?.rollingUpdate?.maxSurge;
	return set.spec.updateStrategy?.type !== "OnDelete" && surge !== undefined && surge !== 0 && surge !== "0%";
}

/**
 * Both are rounded up. If both are 0, one node may be without a pod, because otherwise the update could not proceed.
 */
function limits(set: DaemonSet, desired: number): Limits {
	const rolling = set.spec.updateStrategy?.rollingUpdate;
	const surge = scaled(rolling?.maxSurge, desired, "up");
	const unavailable = scaled(rolling?.maxUnavailable ?? 1, desired, "up");
	return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

/**
 * One step of a rolling update.
 * @param wanted the pods of each eligible node; an empty list if it has none
 */
export function roll(set: DaemonSet, wanted: ReadonlyMap<string, readonly Pod[]>, hash: string, nowMs: number): Steps {
	const { surge, unavailable } = limits(set, wanted.size);
	return surge === 0 ? replace(set, wanted, hash, unavailable, nowMs) : surgeOver(set, wanted, hash, surge, nowMs);
}

/**
 * Deletes old pods: all that are not available anyway, and others while few enough nodes are without an available pod.
 */
function replace(
	set: DaemonSet,
	wanted: ReadonlyMap<string, readonly Pod[]>,
	hash: string,
	most: number,
	nowMs: number,
): Steps {
	let unavailable = 0;
	const broken: Pod[] = [];
	const candidates: Pod[] = [];
	for (const pods of wanted.values()) {
		const { fresh, old, clear } = split(set, pods, hash);
		const only = clear && (fresh === undefined) !== (old === undefined) ? (fresh ?? old) : undefined;
		const available = only !== undefined && isAvailable(only, set.spec.minReadySeconds, nowMs);
		if (!available) unavailable++;
		if (only === undefined || only !== old) continue;
		(available ? candidates : broken).push(only);
	}
	return { create: [], delete: [...broken, ...candidates.slice(0, Math.max(0, most - unavailable))] };
}

/**
 * Starts new pods beside old ones on as many nodes as the surge allows, and deletes an old one once the new one is
 * available or the old one is unavailable.
 */
function surgeOver(
	set: DaemonSet,
	wanted: ReadonlyMap<string, readonly Pod[]>,
	hash: string,
	most: number,
	nowMs: number,
): Steps {
	const available = (pod: Pod) => isAvailable(pod, set.spec.minReadySeconds, nowMs);
	let surging = 0;
	const free: string[] = [];
	const candidates: string[] = [];
	const leaving: Pod[] = [];
	for (const [node, pods] of wanted) {
		const { fresh, old, clear } = split(set, pods, hash);
		if (!clear) surging++;
		else if (old === undefined) continue;
		else if (fresh === undefined) (available(old) ? candidates : free).push(node);
		else if (!available(old) || available(fresh)) leaving.push(old);
		else surging++;
	}
	return { create: [...free, ...candidates.slice(0, Math.max(0, most - surging))], delete: leaving };
}

/** The new and the old pod of a node; not clear if there are several of one kind, which is resolved first. */
function split(set: DaemonSet, pods: readonly Pod[], hash: string): { fresh?: Pod; old?: Pod; clear: boolean } {
	let fresh: Pod | undefined;
	let old: Pod | undefined;
	let clear = true;
	for (const pod of pods) {
		if (isTerminating(pod)) continue;
		if (isUpdated(set, pod, hash)) {
			clear &&= fresh === undefined;
			fresh = pod;
		} else {
			clear &&= old === undefined;
			old = pod;
		}
	}
	return { fresh, old, clear };
}
