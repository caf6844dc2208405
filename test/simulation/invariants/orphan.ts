import { controllerOf, type KubeObject } from "../../../src/core/object.ts";
import type { Pod } from "../../../src/kinds/generated/types.ts";
import type { Truth } from "../truth.ts";
import { type Invariant, longestLagMs } from "./invariant.ts";

/** What the owner's deletion was told to leave behind stays, until somebody adopts it. */
export function orphansStay(): Invariant {
	/** uid of a pod or ReplicaSet → its owner's uid, and since when (`runningMs`) that one is on its way out. */
	const orphans = new Map<string, { owner: string; sinceMs: number }>();
	return {
		observe(current, old, truth) {
			if (current !== undefined && isGoing(current) && !isGoing(old) && leavesOrphans(current)) {
				const orphan = { owner: current.metadata.uid, sinceMs: truth.runningMs() };
				for (const kind of ["Pod", "ReplicaSet"]) {
					for (const { metadata } of truth.controlledBy(current, kind)) orphans.set(metadata.uid, orphan);
				}
			}
			if (old === undefined || isGoing(old)) return;
			const orphan = orphans.get(old.metadata.uid);
			if (orphan === undefined) return;
			const adopter = controllerOf(current ?? old)?.uid;
			const isAdopted = adopter !== undefined && adopter !== orphan.owner;
			if (current !== undefined && !isGoing(current) && !isAdopted) return;
			orphans.delete(old.metadata.uid);
			// The owner's controller may have been about to replace it.
			const isFresh = truth.runningMs() - orphan.sinceMs < longestLagMs;
			if (isAdopted || isFresh || isWanted(old, truth)) return;
			truth.violation(`${old.kind} ${old.metadata.name} was deleted though its owner was to leave it behind`);
		},
	};
}

function isGoing(object: KubeObject | undefined): boolean {
	return object?.metadata.deletionTimestamp !== undefined;
}

function leavesOrphans({ metadata }: KubeObject): boolean {
	return metadata.finalizers?.includes("orphan") ?? false;
}

/** A user deleted it, or its node is gone or needed. */
function isWanted(object: KubeObject, truth: Truth): boolean {
	if (truth.deletedByUser.has(object.metadata.uid)) return true;
	if (object.kind !== "Pod") return false;
	// It is of that kind.
	return (object as Pod).status?.conditions?.some(({ type }) => type === "DisruptionTarget") ?? false;
}
