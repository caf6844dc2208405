/**
 * What a StatefulSet does beyond upstream, where its annotations ask for it (any other value than "true" does not):
 *
 * - `coxswain.io/recover-rollout`: a pod of an outdated revision that does not become available is replaced at once. Upstream leaves a
 *   set stuck whose bad template was put right until somebody deletes the pod.
 * - `coxswain.io/grow-claims`: claims grow to what their templates ask for.
 */
import { compareQuantities } from "../../core/quantity.ts";
import type { Pod, StatefulSet } from "../../kinds/generated/types.ts";
import { persistentVolumeClaims } from "../../kinds/persistentvolumeclaim.ts";
import { patch } from "../actions.ts";
import type { Action } from "../controller.ts";
import { isTerminating } from "../podcontrol/pods.ts";
import { type Claims, claimNames } from "./claims.ts";
import { revisionOf } from "./identity.ts";

const recoverAnnotation = "coxswain.io/recover-rollout";
const growAnnotation = "coxswain.io/grow-claims";

/** Whether a pod that is not available is to be replaced rather than waited for. */
export function isBeyondHope(set: StatefulSet, pod: Pod, index: number, updateRevision: string): boolean {
	if (set.metadata.annotations?.[recoverAnnotation] !== "true" || isTerminating(pod)) return false;
	const { type, rollingUpdate } = set.spec.updateStrategy ?? {};
	return type !== "OnDelete" && index >= (rollingUpdate?.partition ?? 0) && revisionOf(pod) !== updateRevision;
}

export function claimGrowth(set: StatefulSet, ordinal: number, claims: Claims): Action[] {
	const templates = set.spec.volumeClaimTemplates ?? [];
	if (set.metadata.annotations?.[growAnnotation] !== "true") return [];
	return claimNames(set, ordinal).flatMap((name, index) => {
		const claim = claims.get(name);
		const storage = templates[index]?.spec.resources?.requests?.["storage"];
		if (claim === undefined || claim.metadata.deletionTimestamp !== undefined || storage === undefined) return [];
		if (compareQuantities(storage, claim.spec.resources?.requests?.["storage"] ?? "0") <= 0) return [];
		const { namespace, uid } = claim.metadata;
		const change = { metadata: { uid }, spec: { resources: { requests: { storage } } } };
		return patch(persistentVolumeClaims, { namespace, name }, { type: "merge", patch: change }, { orGone: true });
	});
}
