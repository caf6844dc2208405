/** Which pods go next in a rolling update (Kubernetes documentation, "StatefulSets", "Rolling Updates"; KEP-961). */
import type { Pod, StatefulSet } from "../../kinds/generated/types.ts";
import { isTerminating } from "../podcontrol/pods.ts";
import { scaled } from "../podcontrol/scaled.ts";
import { isUnavailable } from "./health.ts";
import { replicasOf, revisionOf } from "./identity.ts";

/**
 * Pods of other revisions to be deleted now, highest ordinal first, so that never more than `maxUnavailable` are missing. One that
 * serves nobody anyway costs nothing: else a set whose pods are all broken could not be mended.
 * @param slots the set's pods by index (ordinal minus start); undefined where there is none
 */
export function outdated(
	set: StatefulSet,
	slots: readonly (Pod | undefined)[],
	revision: string,
	nowMs: number,
): Pod[] {
	const rolling = set.spec.updateStrategy?.rollingUpdate;
	const partition = rolling?.partition ?? 0;
	const most = Math.max(1, scaled(rolling?.maxUnavailable ?? 1, replicasOf(set), "down"));
	const isOld = (pod: Pod | undefined): pod is Pod =>
		pod !== undefined && revisionOf(pod) !== revision && !isTerminating(pod);
	let unavailable = 0;
	let onTheWay = 0;
	for (const pod of slots) {
		if (!isUnavailable(set, pod, nowMs)) continue;
		unavailable++;
		if (!isOld(pod)) onTheWay++;
	}
	const leaving: Pod[] = [];
	for (let index = slots.length - 1; index >= partition; index--) {
		const pod = slots[index];
		if (!isOld(pod)) continue;
		if (isUnavailable(set, pod, nowMs)) {
			if (onTheWay >= most) break;
		} else {
			if (unavailable >= most) break;
			unavailable++;
		}
		onTheWay++;
		leaving.push(pod);
	}
	return leaving;
}
