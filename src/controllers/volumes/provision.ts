/** Provisions local volumes for claims; see kinds/storage/local-volume.ts for their form. */
import { isTrue } from "../../core/conditions.ts";
import type { Draft } from "../../core/object.ts";
import type { Node, PersistentVolume, PersistentVolumeClaim, StorageClass } from "../../kinds/generated/types.ts";
import {
	hostnameLabel,
	localProvisioner,
	localVolumeFinalizer,
	localVolumeNodeLabel,
	localVolumePath,
	provisionedByAnnotation,
	selectedNodeAnnotation,
	volumeProtectionFinalizer,
} from "../../kinds/storage/local-volume.ts";
import { persistentVolumes } from "../../kinds/storage/persistentvolume.ts";
import { revisionHash } from "../revisions/hash.ts";
import { create, event } from "../runtime/actions.ts";
import type { Action } from "../runtime/controller.ts";
import { allowsNode } from "./match.ts";
import type { ClaimState } from "./state.ts";
import {
	betaStorageProvisionerAnnotation,
	bindCompletedAnnotation,
	boundByControllerAnnotation,
	changeClaim,
	claimBound,
	claimPhase,
	storageProvisionerAnnotation,
	volumePhaseOf,
} from "./writes.ts";

/** The actions for a claim whose class has no matching volume yet. */
export function provisioning(
	state: ClaimState & { claim: PersistentVolumeClaim; storageClass: StorageClass },
	nowMs: number,
): Action[] {
	const { claim, storageClass } = state;
	if (storageClass.provisioner === "kubernetes.io/no-provisioner") {
		const message = "no persistent volumes available for this claim and no storage class is set";
		return [event(claim, "Normal", "FailedBinding", message), ...claimPhase(claim, "Pending")];
	}
	if (storageClass.provisioner !== localProvisioner) {
		const message =
			`Waiting for a volume to be created either by the external provisioner '${storageClass.provisioner}' or manually by the ` +
			"system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.";
		return [
			...provisionerMarks(claim, storageClass.provisioner),
			event(claim, "Normal", "ExternalProvisioning", message),
			...claimPhase(claim, "Pending"),
		];
	}
	const refusal = refuse(claim);
	if (refusal !== undefined) return [...failed(claim, refusal), ...claimPhase(claim, "Pending")];
	const waits = storageClass.volumeBindingMode === "WaitForFirstConsumer";
	const node = waits ? state.selectedNode : anyNode(state);
	if (node === undefined || !allowsNode(storageClass, node))
		return [...noNode(state, waits), ...claimPhase(claim, "Pending")];
	return provision(claim, storageClass, node, nowMs);
}

/** Annotates the claim with its provisioner. */
function provisionerMarks(claim: PersistentVolumeClaim, provisioner: string): Action[] {
	if (claim.metadata.annotations?.[storageProvisionerAnnotation] === provisioner) return [];
	return [changeClaim(claim, { metadata: { annotations: marks(provisioner) } })];
}

function marks(provisioner: string): Record<string, string> {
	return { [betaStorageProvisionerAnnotation]: provisioner, [storageProvisionerAnnotation]: provisioner };
}

function refuse({ spec }: PersistentVolumeClaim): string | undefined {
	if (spec.selector !== undefined) return "claim.Spec.Selector is not supported for dynamic provisioning";
	if (spec.volumeMode === "Block") return "a local volume is a directory: volumeMode Block is not supported";
	if (spec.dataSource !== undefined || spec.dataSourceRef !== undefined)
		return "dataSource is not supported for local volumes";
	return undefined;
}

function failed(claim: PersistentVolumeClaim, why: string): Action[] {
	const { storageClassName } = claim.spec;
	const message = `failed to provision volume with StorageClass "${storageClassName}": ${why}`;
	return [event(claim, "Warning", "ProvisioningFailed", message)];
}

/** The scheduler must choose again, or the claim must wait for a node. */
function noNode(
	{ claim, storageClass }: ClaimState & { claim: PersistentVolumeClaim; storageClass: StorageClass },
	waits: boolean,
): Action[] {
	const selected = claim.metadata.annotations?.[selectedNodeAnnotation];
	if (!waits) return failed(claim, `no node is ready for a volume of class ${storageClass.metadata.name}`);
	return [
		...failed(claim, `failed to get target node: node "${selected}" not found or not allowed by the class`),
		changeClaim(claim, { metadata: { annotations: { [selectedNodeAnnotation]: null } } }),
	];
}

/** For a volume that is provisioned before it has a consumer: the claim's UID determines the node. */
function anyNode({ claim, nodes, storageClass }: ClaimState): Node | undefined {
	if (claim === undefined || storageClass === undefined) return undefined;
	const fit = nodes
		.filter((node) => takesVolumes(node) && allowsNode(storageClass, node))
		.sort((left, right) => (left.metadata.name < right.metadata.name ? -1 : 1));
	const hash = revisionHash(claim.metadata.uid, undefined);
	const number = [...hash].reduce((total, letter) => (total * 31 + letter.charCodeAt(0)) % 65521, 0);
	return fit[number % Math.max(1, fit.length)];
}

/** Ready and not cordoned: nodes for a volume without a consumer. */
export function takesVolumes({ spec, status }: Node): boolean {
	return !spec?.unschedulable && isTrue({ status }, "Ready");
}

/** Creates the volume, already bound to the claim, and completes the binding on both sides. */
function provision(claim: PersistentVolumeClaim, storageClass: StorageClass, node: Node, nowMs: number): Action[] {
	const volume = volumeDraft(claim, storageClass, node);
	const { namespace, name } = claim.metadata;
	const started = `External provisioner is provisioning volume for claim "${namespace}/${name}"`;
	const volumeName = volume.metadata.name ?? "";
	const bound = { [bindCompletedAnnotation]: "yes", [boundByControllerAnnotation]: "yes" };
	const annotations = { ...marks(storageClass.provisioner), ...bound };
	return [
		event(claim, "Normal", "Provisioning", started),
		create(persistentVolumes, volume, { orExists: true }),
		event(claim, "Normal", "ProvisioningSucceeded", `Successfully provisioned volume ${volumeName}`),
		changeClaim(claim, { metadata: { annotations }, spec: { volumeName } }),
		volumePhaseOf(volumeName, "Bound", nowMs),
		...claimBound(claim, volume),
	];
}

function volumeDraft(
	claim: PersistentVolumeClaim,
	storageClass: StorageClass,
	node: Node,
): Draft<PersistentVolume> & Pick<PersistentVolume, "spec"> {
	const { namespace, name, uid, resourceVersion } = claim.metadata;
	const volumeName = `pvc-${uid}`;
	const hostname = node.metadata.labels?.[hostnameLabel] ?? node.metadata.name;
	const matchExpressions = [{ key: hostnameLabel, operator: "In", values: [hostname] }];
	return {
		metadata: {
			name: volumeName,
			annotations: { [provisionedByAnnotation]: localProvisioner },
			labels: { [localVolumeNodeLabel]: node.metadata.name },
			finalizers: [volumeProtectionFinalizer, localVolumeFinalizer],
		},
		spec: {
			accessModes: claim.spec.accessModes,
			capacity: { storage: claim.spec.resources?.requests?.["storage"] ?? "0" },
			claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid, resourceVersion },
			local: { path: localVolumePath(volumeName) },
			...(storageClass.mountOptions === undefined ? {} : { mountOptions: storageClass.mountOptions }),
			nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions }] } },
			persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
			storageClassName: storageClass.metadata.name,
			volumeMode: claim.spec.volumeMode ?? "Filesystem",
			...(claim.spec.volumeAttributesClassName
				? { volumeAttributesClassName: claim.spec.volumeAttributesClassName }
				: {}),
		},
	};
}
