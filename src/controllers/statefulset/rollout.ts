/**
 * Which pods are updated next in a rolling update (Kubernetes documentation, "StatefulSets", "Rolling Updates";
 * KEP-961).
 */

import type { Pod, StatefulSet } from "../../kinds/generated/types.ts";
import { isTerminating } from "../../kinds/pod/pod-lifecycle.ts";
import { scaled } from "../podcontrol/scaled.ts";
import { isUnavailable } from "./health.ts";
import { replicasOf, revisionOf } from "./identity.ts";

/**
 * Pods of other revisions to delete now, highest ordinal first: one, once all pods above it are updated and available.
 * With `maxUnavailable`: as many as the limit allows, after those that are unavailable anyway, because the update may
 * fix them.
 * @param slots the set's pods by index (ordinal minus start); undefined if there is none
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
