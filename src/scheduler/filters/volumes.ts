/** Filters by the volumes that a pod claims: their location, or where they can be provisioned. */
import { parseQuantity } from "../../core/quantity.ts";
import { selectorFrom } from "../../core/selection/selector.ts";
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../kinds/generated/types.ts";
import { compileNodeSelector } from "../../kinds/pod/node-selector.ts";
import type { NodeInfo } from "../model/node-info.ts";
import type { PodInfo } from "../model/pod-info.ts";
import type { ClusterView } from "../model/snapshot.ts";
import { type Filter, type NodeCheck, type Prepared, refusal } from "./filter.ts";

/** The node for which a claim with `volumeBindingMode: WaitForFirstConsumer` is to be bound or provisioned. */
export const selectedNodeAnnotation = "volume.kubernetes.io/selected-node";
const bindCompletedAnnotation = "pv.kubernetes.io/bind-completed";
const noProvisioner = "kubernetes.io/no-provisioner";

const otherNode = refusal("node(s) didn't match PersistentVolume's node affinity", { final: true });
const otherZone = refusal("node(s) had no available volume zone", { final: true });
const volumeGone = refusal("node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)", {
	final: true,
});
const nothingToBind = refusal("node(s) didn't find available persistent volumes to bind", { final: true });
const unboundImmediate = refusal("pod has unbound immediate PersistentVolumeClaims", { final: true });

export const volumeBinding: Filter = {
	name: "VolumeBinding",
	wakesOn: ["storage", "node"],
	prepare(pod, cluster) {
		if (pod.claimNames.length === 0) return undefined;
		const checks: NodeCheck[] = [];
		for (const name of pod.claimNames) {
			const claim = cluster.volumes.claim(pod.namespace, name);
			if (claim === undefined) return { refused: refusal(missingText(pod, name), { final: true }) };
			const quoted = `persistentvolumeclaim "${name}"`;
			if (claim.metadata.deletionTimestamp !== undefined)
				return { refused: refusal(`${quoted} is being deleted`, { final: true }) };
			if (claim.status?.phase === "Lost") {
				const text = `${quoted} bound to non-existent persistentvolume "${claim.spec.volumeName ?? ""}"`;
				return { refused: refusal(text, { final: true }) };
			}
			const check = isBound(claim) ? boundCheck(claim, cluster) : delayedCheck(claim, cluster);
			if (check === undefined) return { refused: unboundImmediate };
			checks.push(check);
		}
		return {
			check(node) {
				for (const check of checks) {
					const refused = check(node);
					if (refused !== undefined) return refused;
				}
				return undefined;
			},
		};
	},
};

function missingText(pod: PodInfo, name: string): string {
	const ofTemplate = pod.pod.spec.volumes?.some(
		(volume) => volume.ephemeral !== undefined && `${pod.pod.metadata.name}-${volume.name}` === name,
	);
	return ofTemplate
		? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${name}"`
		: `persistentvolumeclaim "${name}" not found`;
}

export function isBound({ spec, metadata }: PersistentVolumeClaim): boolean {
	return !!spec.volumeName && metadata.annotations?.[bindCompletedAnnotation] !== undefined;
}

const zoneKeys = [
	"topology.kubernetes.io/zone",
	"topology.kubernetes.io/region",
	"failure-domain.beta.kubernetes.io/zone",
	"failure-domain.beta.kubernetes.io/region",
];

function boundCheck({ spec }: PersistentVolumeClaim, cluster: ClusterView): NodeCheck {
	const volume = cluster.volumes.volume(spec.volumeName ?? "");
	if (volume === undefined) return () => volumeGone;
	const reaches = reachOf(volume);
	const zones = zoneKeys.flatMap((key) => {
		const value = volume.metadata.labels?.[key];
		return value === undefined ? [] : [{ key, values: value.split("__") }];
	});
	return (node) => {
		if (!reaches(node)) return otherNode;
		const fits = zones.every(({ key, values }) => {
			const value = node.labels[key];
			// In a cluster without zones, nodes have none of the zone labels.
			return value === undefined ? !zoneKeys.some((any) => node.labels[any] !== undefined) : values.includes(value);
		});
		return fits ? undefined : otherZone;
	};
}

/** The nodes on which the volume can be used. */
export function reachOf(volume: PersistentVolume): (node: NodeInfo) => boolean {
	const required = volume.spec?.nodeAffinity?.required;
	if (required === undefined) return () => true;
	const matches = compileNodeSelector(required);
	return ({ node }) => node !== undefined && matches(node);
}

/** Undefined: the claim is bound independently of pods, and is not bound yet. */
function delayedCheck(claim: PersistentVolumeClaim, cluster: ClusterView): NodeCheck | undefined {
	const storageClass = classOf(claim, cluster);
	if (storageClass?.volumeBindingMode !== "WaitForFirstConsumer" || claim.spec.volumeName) return undefined;
	const selected = claim.metadata.annotations?.[selectedNodeAnnotation];
	// A node was selected for this claim before: the volume may be about to be provisioned there.
	if (selected !== undefined) return (node) => (node.name === selected ? undefined : nothingToBind);
	const ready = [...cluster.volumes.available(storageClass.metadata.name)]
		.filter((volume) => suits(volume, claim))
		.map(reachOf);
	const makes = provisioningReach(storageClass);
	return (node) => (ready.some((reaches) => reaches(node)) || makes(node) ? undefined : nothingToBind);
}

function classOf(claim: PersistentVolumeClaim, cluster: ClusterView): StorageClass | undefined {
	const name = claim.spec.storageClassName;
	return name === undefined || name === "" ? undefined : cluster.volumes.storageClass(name);
}

/** Where volumes of the class can be provisioned. */
function provisioningReach({ provisioner, allowedTopologies }: StorageClass): (node: NodeInfo) => boolean {
	if (provisioner === noProvisioner) return () => false;
	if (allowedTopologies === undefined || allowedTopologies.length === 0) return () => true;
	return (node) =>
		allowedTopologies.some(({ matchLabelExpressions = [] }) =>
			matchLabelExpressions.every(({ key, values }) => values.includes(node.labels[key] ?? "")),
		);
}

/** Whether an available volume matches the claim, apart from the node. */
function suits({ spec, metadata }: PersistentVolume, { spec: wanted }: PersistentVolumeClaim): boolean {
	const modes = spec?.accessModes ?? [];
	const requested = wanted.resources?.requests?.["storage"];
	return (
		(wanted.accessModes ?? []).every((mode) => modes.includes(mode)) &&
		(wanted.volumeMode ?? "Filesystem") === (spec?.volumeMode ?? "Filesystem") &&
		(requested === undefined || parseQuantity(spec?.capacity?.["storage"] ?? "0") >= parseQuantity(requested)) &&
		(wanted.selector === undefined || selectorFrom(wanted.selector).matches(metadata.labels))
	);
}

/** Claims that need a selected node before their volumes are created. */
export function claimsToSelect(pod: PodInfo, cluster: ClusterView): PersistentVolumeClaim[] {
	return pod.claimNames
		.map((name) => cluster.volumes.claim(pod.namespace, name))
		.filter((claim) => claim !== undefined)
		.filter((claim) => !isBound(claim));
}

const usedByOther = refusal(
	"node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode",
	{ final: false },
);

/** ReadWriteOncePod: one pod in the whole cluster. */
export const volumeRestrictions: Filter = {
	name: "VolumeRestrictions",
	wakesOn: ["podGone", "storage"],
	prepare(pod, cluster): Prepared | undefined {
		const conflicting = pod.claimNames.some(
			(name) =>
				cluster.volumes.claim(pod.namespace, name)?.spec.accessModes?.includes("ReadWriteOncePod") === true &&
				cluster.claimUsed(pod.namespace, name),
		);
		return conflicting ? { check: () => usedByOther } : undefined;
	},
};
