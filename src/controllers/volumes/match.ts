/** Which volume matches a claim (Kubernetes documentation, "Persistent Volumes", "Binding"). */
import { lookup } from "../../core/object.ts";
import { compareQuantities } from "../../core/quantity.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../kinds/generated/types.ts";
import { compileNodeSelector } from "../../kinds/pod/node-selector.ts";
import { hostnameLabel } from "../../kinds/storage/local-volume.ts";
import { selectorOf } from "../podcontrol/claim.ts";

const betaClassAnnotation = "volume.beta.kubernetes.io/storage-class";

/** The class of a claim or volume: empty for none, undefined if not specified. */
export function classNameOf(object: PersistentVolumeClaim | PersistentVolume): string | undefined {
	return object.metadata.annotations?.[betaClassAnnotation] ?? object.spec.storageClassName;
}

/** Whether a volume's claimRef is this claim: it is bound to it, or reserved for it. */
export function isFor(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
	const reference = volume.spec.claimRef;
	if (reference?.name !== claim.metadata.name || reference.namespace !== claim.metadata.namespace) return false;
	return !reference.uid || reference.uid === claim.metadata.uid;
}

/** Why the volume that a claim names does not match; undefined if it does. */
export function mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
	if (isSmaller(volume, claim)) return "requested PV is too small";
	if ((classNameOf(volume) ?? "") !== (classNameOf(claim) ?? "")) return "storageClassName does not match";
	if ((volume.spec.volumeAttributesClassName ?? "") !== (claim.spec.volumeAttributesClassName ?? ""))
		return "VolumeAttributesClassName does not match";
	if (modeOf(volume) !== modeOf(claim)) return "incompatible volumeMode";
	if (!coversModes(volume, claim)) return "incompatible accessMode";
	return undefined;
}

/**
 * The smallest available volume that meets the claim's requirements.
 * @param node where the claim's pod will run, if known: the volume must be accessible from there
 */
export function bestMatch(
	claim: PersistentVolumeClaim,
	volumes: Iterable<PersistentVolume>,
	node: Node | undefined,
): PersistentVolume | undefined {
	const selector = claim.spec.selector === undefined ? undefined : selectorOf(claim.spec.selector);
	let best: PersistentVolume | undefined;
	for (const volume of volumes) {
		if (volume.spec.claimRef !== undefined || volume.metadata.deletionTimestamp !== undefined) continue;
		if (volume.status?.phase !== "Available" || mismatch(volume, claim) !== undefined) continue;
		if (selector !== undefined && !selector.matches(volume.metadata.labels)) continue;
		if (node !== undefined && !reaches(volume, node)) continue;
		if (best === undefined || compareSizes(volume, best) < 0) best = volume;
	}
	return best;
}

export function reaches({ spec }: PersistentVolume, node: Node): boolean {
	const required = spec.nodeAffinity?.required;
	return required === undefined || compileNodeSelector(required)(node);
}

/** Whether a class allows volumes on the node. */
export function allowsNode({ allowedTopologies }: StorageClass, node: Node): boolean {
	if (allowedTopologies === undefined || allowedTopologies.length === 0) return true;
	const labels = lookup(node.metadata.labels ?? {});
	return allowedTopologies.some((term) =>
		(term.matchLabelExpressions ?? []).every(({ key, values }) => {
			const value = labels[key] ?? (key === hostnameLabel ? node.metadata.name : undefined);
			return value !== undefined && values.includes(value);
		}),
	);
}

function isSmaller({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
	const wanted = claim.spec.resources?.requests?.["storage"] ?? "0";
	return compareQuantities(spec.capacity?.["storage"] ?? "0", wanted) < 0;
}

function compareSizes(left: PersistentVolume, right: PersistentVolume): number {
	const sizes = compareQuantities(left.spec.capacity?.["storage"] ?? "0", right.spec.capacity?.["storage"] ?? "0");
	return sizes || (left.metadata.name < right.metadata.name ? -1 : 1);
}

function modeOf({ spec }: PersistentVolume | PersistentVolumeClaim): string {
	return spec.volumeMode ?? "Filesystem";
}

function coversModes({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
	return (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode));
}
