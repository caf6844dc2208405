/** The properties of pods that controllers depend on. */
import { sameJson } from "../../core/equal.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { readyCondition } from "../../kinds/pod/pod-lifecycle.ts";

/** Whether a change of a pod can change the plan or the status of its controller: most status writes cannot. */
export function matters(current: Pod | undefined, old: Pod | undefined): boolean {
	if (current === undefined || old === undefined) return true;
	const [now, before] = [current.metadata, old.metadata];
	return (
		current.status?.phase !== old.status?.phase ||
		now.deletionTimestamp !== before.deletionTimestamp ||
		readyCondition(current)?.status !== readyCondition(old)?.status ||
		readyCondition(current)?.lastTransitionTime !== readyCondition(old)?.lastTransitionTime ||
		!sameJson(now.labels, before.labels) ||
		now.ownerReferences?.length !== before.ownerReferences?.length ||
		!sameOwners(current, old)
	);
}

function sameOwners(left: Pod, right: Pod): boolean {
	const others = right.metadata.ownerReferences ?? [];
	return (left.metadata.ownerReferences ?? []).every(
		(reference, index) => reference.uid === others[index]?.uid && reference.controller === others[index]?.controller,
	);
}
