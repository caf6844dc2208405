/** Which pods go next in a rolling update (Kubernetes documentation, "StatefulSets", "Rolling Updates"; KEP-961). */

import type { Pod, StatefulSet } from "../../kinds/generated/types.ts";
import { isTerminating } from "../../kinds/pod/pod-lifecycle.ts";
import { scaled } from "../podcontrol/scaled.ts";
import { isUnavailable } from "./health.ts";
import { replicasOf, revisionOf } from "./identity.ts";

/**
 * Pods of other revisions to be deleted now. Highest ordinal first, and as long as all above have been updated and
 * serve: one. Where the set says `maxUnavailable`: as many as leave no more than that missing, and before them those
 * that serve nobody anyway — what they lack may be what the update brings.
 * @param slots the set's pods by index (ordinal minus start); undefined where there is none
 */
export function outdated(
	set: StatefulSet,
	slots: readonly (Pod | undefined)[],
	revision: string,
	nowMs: number,
): Pod[] {
	const { partition = 0, maxUnavailable } = set.spec.updateStrategy?.rollingUpdate ?? {};
	const isOld = (pod: Pod | undefined) => pod !== undefined && revisionOf(pod) !== revision && !isTerminating(pod);
	const candidates = slots.slice(partition).reverse();
	if (maxUnavailable === undefined) {
		const first = candidates.find((pod) => isOld(pod) || isUnavailable(set, pod, nowMs));
		return first !== undefined && isOld(first) ? [first] : [];
	}
	const old = candidates.filter((pod): pod is Pod => isOld(pod));
	const most = Math.max(1, scaled(maxUnavailable, replicasOf(set), "down"));
	const missing = slots.filter((pod) => isUnavailable(set, pod, nowMs)).length;
	const broken = old.filter((pod) => isUnavailable(set, pod, nowMs));
	const serving = old.filter((pod) => !broken.includes(pod));
	return [...broken, ...serving.slice(0, Math.max(0, most - missing))];
}
