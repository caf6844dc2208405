/**
 * Extensions of StatefulSets that annotations enable (docs/self-help.md):
 *
 * - `coxswain.io/recover-rollout`: a pod of an outdated revision that was never ready is replaced immediately. Upstream
 *   leaves a set stuck after a bad template was corrected, until someone deletes the pod (kubernetes/kubernetes#67250).
 * - `coxswain.io/grow-claims`: claims grow to the size in their templates (kubernetes/enhancements#4650).
 */

import { compareQuantities } from "../../core/quantity.ts";
import type { PersistentVolumeClaim, Pod, StatefulSet, StorageClass } from "../../kinds/generated/types.ts";
import { isTerminating, readyCondition } from "../../kinds/pod/pod-lifecycle.ts";
import { growAnnotation, isAsked, recoverAnnotation } from "../../kinds/self-help/annotations.ts";
import { persistentVolumeClaims } from "../../kinds/storage/persistentvolumeclaim.ts";
import { event, patch } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";
import { type Claims, claimNames } from "./claims.ts";
import { revisionOf } from "./identity.ts";
import type { Revisions } from "./revisions.ts";

/** Storage classes by name. */
export type StorageClasses = ReadonlyMap<string, StorageClass>;

/** Whether an unavailable pod is replaced instead of waited for. */
export function isBeyondHope(set: StatefulSet, pod: Pod, index: number, { current, update }: Revisions): boolean {
	if (!isAsked(set, recoverAnnotation) || isTerminating(pod)) return false;
	const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
	const revision = revisionOf(pod);
	if (type === "OnDelete" || index < (rollingUpdate?.partition ?? 0) || revision === update.name) return false;
	// The pod belongs to an abandoned rollout. A pod of the revision that all pods had may have been ready, and may
	// become ready again.
	return revision !== current.name || hasNeverServed(pod);
}

/** Whether it has not been ready since its containers first started, or they are not running at all. */
function hasNeverServed(pod: Pod): boolean {
	const { status = {} } = pod;
	if (status.phase === "Pending") return true;
	const containers = status.containerStatuses ?? [];
	if (containers.some(({ state }) => state?.waiting !== undefined)) return true;
	const changed = readyCondition(pod)?.lastTransitionTime;
	if (containers.length === 0) return false;
	return containers.every(({ state, restartCount }) => {
		const startedAt = state?.running?.startedAt;
		return restartCount === 0 && startedAt !== undefined && changed !== undefined && changed <= startedAt;
	});
}

/** Comes last in a plan: if claims cannot grow, for example because of a quota, nothing else waits for it. */
export function claimGrowth(set: StatefulSet, ordinal: number, claims: Claims, classes: StorageClasses): Action[] {
	if (!isAsked(set, growAnnotation)) return [];
	const templates = set.spec.volumeClaimTemplates ?? [];
	return claimNames(set, ordinal).flatMap((name, index) => {
		const claim = claims.get(name);
		const storage = templates[index]?.spec.resources?.requests?.["storage"];
		if (claim === undefined || claim.metadata.deletionTimestamp !== undefined || storage === undefined) return [];
		if (compareQuantities(storage, claim.spec.resources?.requests?.["storage"] ?? "0") <= 0) return [];
		// Only a bound claim can be expanded; when it is bound, the set is synced again.
		if (claim.status?.phase !== "Bound") return [];
		const why = hindrance(claim, classes);
		if (why !== undefined)
			return event(set, "Warning", "FailedResize", `claim ${name} cannot grow to ${storage}: ${why}`);
		const { namespace, uid } = claim.metadata;
		const change = { metadata: { uid }, spec: { resources: { requests: { storage } } } };
		const message = `resize Claim ${name} to ${storage} in StatefulSet ${set.metadata.name}`;
		return [
			patch(persistentVolumeClaims, { namespace, name }, { type: "merge", patch: change }, { orGone: true }),
			event(set, "Normal", "ResizingClaim", message),
		];
	});
}

/** Upstream's rule for expanding claims. */
function hindrance({ spec }: PersistentVolumeClaim, classes: StorageClasses): string | undefined {
	const name = spec.storageClassName ?? "";
	if (name === "") return "it has no storage class";
	if (classes.get(name)?.allowVolumeExpansion === true) return undefined;
	return `storage class ${name} does not allow volume expansion`;
}
