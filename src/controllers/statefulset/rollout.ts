/** Which pods go next in a rolling update (Kubernetes documentation, "StatefulSets", "Rolling Updates"; KEP-961). */
import type { Pod, StatefulSet } from "../../kinds/generated/types.ts";
import { isTerminating } from "../podcontrol/pods.ts";
import { scaled } from "../podcontrol/scaled.ts";
import { isUnavailable } from "./health.ts";
import { replicasOf, revisionOf } from "./identity.ts";

/**
 * Pods of other revisions to be deleted now, highest ordinal first, as long as fewer than `maxUnavailable` of those that the update has
 * come to are still missing. Old pods that serve nobody do not count: else a set with a broken pod could not be mended by an update.
 * @param slots the set's pods by index (ordinal minus start); undefined where there is none
 */
export function outdated(
	set: StatefulSet,
	slots: readonly (Pod | undefined)[],
	revision: string,
	nowMs: number,
): Pod[] {
	const rolling = set.spec.updateStrategy?.rollingUpdate;
	const most = Math.max(1, scaled(rolling?.maxUnavailable ?? 1, replicasOf(set), "down"));
	let missing = 0;
	const old: Pod[] = [];
	for (let index = slots.length - 1; index >= (rolling?.partition ?? 0); index--) {
		const pod = slots[index];
		if (pod !== undefined && revisionOf(pod) !== revision && !isTerminating(pod)) old.push(pod);
		else if (isUnavailable(set, pod, nowMs)) missing++;
	}
	return old.slice(0, Math.max(0, most - missing));
}
