/**
 * Local volumes: the contract of the volume controller, the scheduler and the node agents. A provisioned
 * PersistentVolume is a directory on one node:
 *
 * - annotation `pv.kubernetes.io/provisioned-by` is `coxswain.io/local`; `spec.local.path` is the directory, in the
 *   node's own view of the file system; `spec.nodeAffinity` names the node by its label kubernetes.io/hostname;
 * - the label `coxswain.io/node` names the node, too: an agent may watch only the volumes with its own name;
 * - the node's agent creates the directory when a pod first mounts it;
 * - the finalizer `coxswain.io/local-volume` keeps a deleted PersistentVolume until its node's agent has removed the
 *   directory, after `kubernetes.io/pv-protection` was removed. If the node no longer exists, the controller removes
 *   the finalizer.
 */
import type { PersistentVolume } from "../generated/types.ts";

export const localProvisioner = "coxswain.io/local";
export const localVolumeFinalizer = "coxswain.io/local-volume";
export const volumeProtectionFinalizer = "kubernetes.io/pv-protection";
export const claimProtectionFinalizer = "kubernetes.io/pvc-protection";
export const provisionedByAnnotation = "pv.kubernetes.io/provisioned-by";
/** On a claim whose class waits for the first consumer: the node that the scheduler selected. */
export const selectedNodeAnnotation = "volume.kubernetes.io/selected-node";
export const hostnameLabel = "kubernetes.io/hostname";
export const localVolumeNodeLabel = "coxswain.io/node";

export function localVolumePath(volumeName: string): string {
	return `/var/lib/coxswain/volumes/${volumeName}`;
}

export function isLocalVolume(volume: PersistentVolume): boolean {
	return volume.metadata.annotations?.[provisionedByAnnotation] === localProvisioner;
}

/** The hostname of the node with the volume's directory; undefined if its affinity does not name one. */
export function hostnameOf({ spec }: PersistentVolume): string | undefined {
	for (const { matchExpressions } of spec.nodeAffinity?.required?.nodeSelectorTerms ?? []) {
		for (const { key, operator, values } of matchExpressions ?? []) {
			if (key === hostnameLabel && operator === "In" && values?.length === 1) return values[0];
		}
	}
	return undefined;
}
