/** The resource claims of a pod. */
import type { Pod, PodResourceClaim, ResourceResourceClaim } from "../generated/types.ts";

/** Keeps a claim until its devices are given back. */
export const claimFinalizer = "resource.kubernetes.io/delete-protection";
/** On a claim that was made from a template: the name of the entry in the pod's spec. */
export const podClaimAnnotation = "resource.kubernetes.io/pod-claim-name";

/** The claim of an entry of `spec.resourceClaims`. */
export type ClaimName =
	| { name: string /** Whether it was made for the pod, and must belong to it. */; isOwn: boolean }
	/** There is none, and none is needed. */
	| "none"
	/** It is not made yet. */
	| "missing";

export function claimNameOf(pod: Pod, entry: PodResourceClaim): ClaimName {
	if (entry.resourceClaimName !== undefined) return { name: entry.resourceClaimName, isOwn: false };
	const made = pod.status?.resourceClaimStatuses?.find(({ name }) => name === entry.name);
	if (made === undefined) return "missing";
	return made.resourceClaimName === undefined ? "none" : { name: made.resourceClaimName, isOwn: true };
}

/** Whether the claim was made for the pod. */
export function isForPod({ metadata }: ResourceResourceClaim, pod: Pod): boolean {
	return (
		metadata.ownerReferences?.some(({ controller, uid }) => controller === true && uid === pod.metadata.uid) === true
	);
}

export function isReservedFor({ status }: ResourceResourceClaim, pod: Pod): boolean {
	return status?.reservedFor?.some(({ uid }) => uid === pod.metadata.uid) === true;
}
