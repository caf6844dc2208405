/**
 * The lifecycle of claims and volumes (Kubernetes documentation, "Persistent Volumes", "Lifecycle of a volume and
 * claim").
 */
import type { PersistentVolume, PersistentVolumeClaim } from "../../kinds/generated/types.ts";
import { selectedNodeAnnotation } from "../../kinds/storage/local-volume.ts";
import { persistentVolumes } from "../../kinds/storage/persistentvolume.ts";
import { event, update } from "../runtime/actions.ts";
import type { Action, Plan, PlanContext } from "../runtime/controller.ts";
import { expansion } from "./expand.ts";
import { bestMatch, classNameOf, isFor, mismatch } from "./match.ts";
import { provisioning } from "./provision.ts";
import { abandoned, reclaim } from "./reclaim.ts";
import type { ClaimState, VolumeState } from "./state.ts";
import {
	bindCompletedAnnotation,
	boundByControllerAnnotation,
	changeClaim,
	claimBinding,
	claimBound,
	claimPhase,
	volumePhase,
} from "./writes.ts";

type WithClaim = ClaimState & { claim: PersistentVolumeClaim };

export function plan(state: ClaimState | VolumeState, { nowMs }: PlanContext): Plan {
	if (state.is === "volume") {
		const { volume } = state;
		return { actions: [...volumePhase(volume, "Available", nowMs), ...abandoned(volume, state.lostHostnames)] };
	}
	const { claim } = state;
	const actions: Action[] = [];
	if (claim !== undefined) {
		const complete = claim.metadata.annotations?.[bindCompletedAnnotation] !== undefined;
		const present: WithClaim = { ...state, claim };
		actions.push(...(complete ? boundClaim(present, nowMs) : unboundClaim(present, nowMs)));
	}
	for (const volume of state.volumes) {
		actions.push(...otherVolume(volume, claim, nowMs), ...abandoned(volume, state.lostHostnames));
	}
	return { actions };
}

/** A claim that was bound before: its volume must exist and be bound to it, or its data are lost. */
function boundClaim({ claim, named }: WithClaim, nowMs: number): Action[] {
	if (!claim.spec.volumeName) {
		return lost(claim, "ClaimLost", "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!");
	}
	if (named === undefined) {
		return lost(claim, "ClaimLost", "Bound claim has lost its PersistentVolume. Data on the volume is lost!");
	}
	if (named.spec.claimRef !== undefined && named.spec.claimRef.uid !== claim.metadata.uid) {
		const message = "Two claims are bound to the same volume, this one is bound incorrectly";
		return lost(claim, "ClaimMisbound", message);
	}
	return bind(claim, named, nowMs);
}

function lost(claim: PersistentVolumeClaim, reason: string, message: string): Action[] {
	if (claim.status?.phase === "Lost") return [];
	return [...claimPhase(claim, "Lost"), event(claim, "Warning", reason, message)];
}

function unboundClaim(state: WithClaim, nowMs: number): Action[] {
	const { claim, storageClass } = state;
	// A claim that is being deleted is not bound any more.
	if (claim.metadata.deletionTimestamp !== undefined) return [];
	if (claim.spec.volumeName) return claimWithName(state, nowMs);
	const waits = storageClass?.volumeBindingMode === "WaitForFirstConsumer";
	const chosen = claim.metadata.annotations?.[selectedNodeAnnotation] !== undefined;
	const kept = state.volumes.find(
		(volume) =>
			isFor(volume, claim) && volume.metadata.deletionTimestamp === undefined && mismatch(volume, claim) === undefined,
	);
	// An unbound volume is selected now only if the node does not have to be known first.
	const volume =
		kept ?? (waits && !chosen ? undefined : bestMatch(claim, state.free, waits ? state.selectedNode : undefined));
	if (volume !== undefined) return bind(claim, volume, nowMs);
	if (classNameOf(claim) === undefined && storageClass !== undefined) {
		return [changeClaim(claim, { spec: { storageClassName: storageClass.metadata.name } })];
	}
	if (waits && !chosen) return [...waiting(state), ...claimPhase(claim, "Pending")];
	if (storageClass !== undefined) return provisioning({ ...state, storageClass }, nowMs);
	return [noClass(claim), ...claimPhase(claim, "Pending")];
}

function noClass(claim: PersistentVolumeClaim): Action {
	const name = classNameOf(claim) ?? "";
	if (name !== "") {
		return event(claim, "Warning", "ProvisioningFailed", `storageclass.storage.k8s.io "${name}" not found`);
	}
	const message = "no persistent volumes available for this claim and no storage class is set";
	return event(claim, "Normal", "FailedBinding", message);
}

function waiting({ claim, waitingPods }: WithClaim): Action[] {
	const pods = `pod${waitingPods.length > 1 ? "s" : ""} ${waitingPods.join(",")}`;
	return waitingPods.length === 0
		? [event(claim, "Normal", "WaitForFirstConsumer", "waiting for first consumer to be created before binding")]
		: [event(claim, "Normal", "WaitForPodScheduled", `waiting for ${pods} to be scheduled`)];
}

/** A claim that names its volume. */
function claimWithName({ claim, named }: WithClaim, nowMs: number): Action[] {
	const pending = claimPhase(claim, "Pending");
	if (named === undefined) return pending;
	if (isFor(named, claim)) return bind(claim, named, nowMs);
	if (named.spec.claimRef !== undefined) {
		const message = `volume "${named.metadata.name}" already bound to a different claim.`;
		return [event(claim, "Warning", "FailedBinding", message), ...pending];
	}
	const problem = mismatch(named, claim);
	if (problem === undefined) return bind(claim, named, nowMs);
	const message = `Cannot bind to requested volume "${named.metadata.name}": ${problem}`;
	return [event(claim, "Warning", "VolumeMismatch", message), ...pending];
}

/** Binds both to each other, or completes an incomplete binding; and expands a bound claim. */
function bind(claim: PersistentVolumeClaim, volume: PersistentVolume, nowMs: number): Action[] {
	const byController =
		!claim.spec.volumeName || claim.metadata.annotations?.[boundByControllerAnnotation] !== undefined;
	return [
		...volumeBinding(claim, volume),
		...volumePhase(volume, "Bound", nowMs),
		...claimBinding(claim, volume.metadata.name, byController),
		...claimBound(claim, volume),
		...expansion(claim, volume),
	];
}

/** The volume's side of the binding; fails if the volume has just been bound to another claim. */
function volumeBinding(claim: PersistentVolumeClaim, volume: PersistentVolume): Action[] {
	const reference = volume.spec.claimRef;
	if (reference?.uid === claim.metadata.uid) return [];
	const { namespace, name, uid, resourceVersion } = claim.metadata;
	const claimRef = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid, resourceVersion };
	const annotations = { ...volume.metadata.annotations, [boundByControllerAnnotation]: "yes" };
	// An existing reference is the user's; the annotation marks one that the controller may remove again.
	const metadata = reference === undefined ? { ...volume.metadata, annotations } : volume.metadata;
	return [update(persistentVolumes, { ...volume, metadata, spec: { ...volume.spec, claimRef } })];
}

/** A volume with a claimRef to the claim, which is bound to another one. */
function otherVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined, nowMs: number): Action[] {
	const { claimRef } = volume.spec;
	if (!claimRef?.uid)
		return claim?.spec.volumeName || claim === undefined ? volumePhase(volume, "Available", nowMs) : [];
	if (claim === undefined || claim.metadata.uid !== claimRef.uid) return reclaim(volume, nowMs);
	if (!claim.spec.volumeName || claim.spec.volumeName === volume.metadata.name) return [];
	// Bound to another volume in the meantime.
	if (
		volume.spec.persistentVolumeReclaimPolicy === "Delete" &&
		volume.metadata.annotations?.[boundByControllerAnnotation] === undefined
	) {
		return reclaim(volume, nowMs);
	}
	const { claimRef: _, ...spec } = volume.spec;
	const { [boundByControllerAnnotation]: byController, ...annotations } = volume.metadata.annotations ?? {};
	const { uid: _uid, resourceVersion: _version, ...kept } = claimRef;
	return [
		update(persistentVolumes, {
			...volume,
			metadata: { ...volume.metadata, annotations },
			spec: byController === undefined ? { ...spec, claimRef: kept } : spec,
		}),
	];
}
