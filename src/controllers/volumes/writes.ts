/** Writes of claims and volumes. All are patches that specify only the result, so that they may be repeated. */

import { semanticEqual } from "../../core/equal.ts";
import { timestamp } from "../../core/time/clock.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "../../kinds/generated/types.ts";
import { persistentVolumes } from "../../kinds/storage/persistentvolume.ts";
import { persistentVolumeClaims } from "../../kinds/storage/persistentvolumeclaim.ts";
import { patch } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";

export const bindCompletedAnnotation = "pv.kubernetes.io/bind-completed";
export const boundByControllerAnnotation = "pv.kubernetes.io/bound-by-controller";
export const storageProvisionerAnnotation = "volume.kubernetes.io/storage-provisioner";
export const betaStorageProvisionerAnnotation = "volume.beta.kubernetes.io/storage-provisioner";

export function claimPhase(claim: PersistentVolumeClaim, phase: "Pending" | "Lost"): Action[] {
	if (claim.status?.phase === phase) return [];
	// A claim without its volume has no capacity any more.
	return [claimStatus(claim, { phase, accessModes: null, capacity: null })];
}

export function claimBound(
	claim: PersistentVolumeClaim,
	{ spec }: Pick<PersistentVolume, "spec">,
	capacity = spec.capacity ?? {},
): Action[] {
	const { phase, accessModes } = claim.status ?? {};
	const told = claim.status?.capacity?.["storage"];
	if (phase === "Bound" && told !== undefined && semanticEqual(accessModes, spec.accessModes)) return [];
	const { volumeAttributesClassName: attributes } = spec;
	const current = attributes ? { currentVolumeAttributesClassName: attributes } : {};
	return [claimStatus(claim, { phase: "Bound", accessModes: spec.accessModes, capacity, ...current })];
}

export function claimStatus(claim: PersistentVolumeClaim, status: object): Action {
	const { namespace, name } = claim.metadata;
	return patch(
		persistentVolumeClaims,
		{ namespace, name },
		{ type: "merge", patch: { status } },
		{ subresource: "status", orGone: true },
	);
}

/** The claim's side of the binding. */
export function claimBinding(claim: PersistentVolumeClaim, volumeName: string, byController: boolean): Action[] {
	const annotations = claim.metadata.annotations ?? {};
	const wanted: Record<string, string> = {};
	if (annotations[bindCompletedAnnotation] !== "yes") wanted[bindCompletedAnnotation] = "yes";
	if (byController && annotations[boundByControllerAnnotation] !== "yes") wanted[boundByControllerAnnotation] = "yes";
	const named = claim.spec.volumeName === volumeName;
	if (named && Object.keys(wanted).length === 0) return [];
	return [changeClaim(claim, { metadata: { annotations: wanted }, ...(named ? {} : { spec: { volumeName } }) })];
}

/** A merge patch with the claim's UID: it does not apply to another claim with that name. */
export function changeClaim(claim: PersistentVolumeClaim, change: { metadata?: object; spec?: object }): Action {
	const { namespace, name, uid } = claim.metadata;
	const content = { ...change, metadata: { uid, ...change.metadata } };
	return patch(persistentVolumeClaims, { namespace, name }, { type: "merge", patch: content }, { orGone: true });
}

export function volumePhase(
	volume: Pick<PersistentVolume, "metadata" | "status">,
	phase: "Available" | "Bound" | "Released" | "Failed",
	nowMs: number,
	message = "",
): Action[] {
	if (volume.status?.phase === phase) return [];
	return [volumePhaseOf(volume.metadata.name, phase, nowMs, message)];
}

export function volumePhaseOf(name: string, phase: string, nowMs: number, message = ""): Action {
	const status = { phase, message: message === "" ? null : message, lastPhaseTransitionTime: timestamp(nowMs) };
	return patch(
		persistentVolumes,
		{ name },
		{ type: "merge", patch: { status } },
		{ subresource: "status", orGone: true },
	);
}
