import { parseQuantity } from "../../core/quantity.ts";
import type { PersistentVolume } from "../../kinds/generated/types.ts";
import { persistentVolumes } from "../../kinds/storage/persistentvolume.ts";
import { persistentVolumeClaims } from "../../kinds/storage/persistentvolumeclaim.ts";
import { storageClasses } from "../../kinds/storage/storageclass.ts";
import { volumeAttachments } from "../../kinds/storage/volumeattachment.ts";
import { conditions, created, deletion, info, type Labels, ofKind, oneOf, value } from "./family.ts";

export const claimFamilies = ofKind(
	persistentVolumeClaims,
	({ metadata: { namespace, name } }) => ({ namespace, persistentvolumeclaim: name }),
	[
		info("kube_persistentvolumeclaim_info", "Information about the claim", ({ metadata, spec }) => ({
			storageclass:
				metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? spec.storageClassName ?? "<none>",
			volumename: spec.volumeName,
			volumemode: spec.volumeMode,
		})),
		created("persistentvolumeclaim"),
		deletion("persistentvolumeclaim"),
		oneOf(
			"kube_persistentvolumeclaim_status_phase",
			"Current phase",
			"phase",
			["Lost", "Bound", "Pending"],
			({ status }) => status?.phase,
		),
		value("kube_persistentvolumeclaim_resource_requests_storage_bytes", "Requested storage in bytes", ({ spec }) =>
			bytesOf(spec.resources?.requests),
		),
		{
			name: "kube_persistentvolumeclaim_access_mode",
			help: "Access modes",
			each({ spec }, add) {
				for (const mode of spec.accessModes ?? []) add(1, { access_mode: mode });
			},
		},
		conditions(
			"kube_persistentvolumeclaim_status_condition",
			"Conditions by type and status",
			({ status }) => status?.conditions,
		),
	],
);

export const volumeFamilies = ofKind(persistentVolumes, ({ metadata }) => ({ persistentvolume: metadata.name }), [
	info("kube_persistentvolume_info", "Information about the volume", ({ spec }) => ({
		storageclass: spec.storageClassName,
		...sourceLabels(spec),
		reclaim_policy: spec.persistentVolumeReclaimPolicy,
	})),
	created("persistentvolume"),
	deletion("persistentvolume"),
	oneOf(
		"kube_persistentvolume_status_phase",
		"Current phase",
		"phase",
		["Pending", "Available", "Bound", "Released", "Failed"],
		({ status }) => status?.phase,
	),
	info(
		"kube_persistentvolume_claim_ref",
		"Claim that the volume is bound to",
		({ spec: { claimRef } }) => claimRef && { name: claimRef.name, claim_namespace: claimRef.namespace },
	),
	value("kube_persistentvolume_capacity_bytes", "Capacity in bytes", ({ spec }) => bytesOf(spec.capacity)),
	info("kube_persistentvolume_volume_mode", "Volume mode", ({ spec }) => ({
		volumemode: spec.volumeMode ?? "Filesystem",
	})),
	{
		name: "kube_persistentvolume_access_mode",
		help: "Access modes",
		each({ spec }, add) {
			for (const mode of spec.accessModes ?? []) add(1, { access_mode: mode });
		},
	},
	info(
		"kube_persistentvolume_csi_attributes",
		"Attributes for the CSI driver",
		({ spec: { csi } }) =>
			csi && { csi_mounter: csi.volumeAttributes?.["mounter"], csi_map_options: csi.volumeAttributes?.["mapOptions"] },
	),
]);

function bytesOf(amounts: Readonly<Record<string, string | undefined>> | undefined): number | undefined {
	const quantity = amounts?.["storage"];
	return quantity === undefined ? undefined : parseQuantity(quantity);
}

/** All labels; those of other volume sources are empty. */
function sourceLabels({ hostPath, local, nfs, csi, fc, iscsi, ...spec }: PersistentVolume["spec"]): Labels {
	return {
		gce_persistent_disk_name: spec.gcePersistentDisk?.pdName,
		ebs_volume_id: spec.awsElasticBlockStore?.volumeID,
		azure_disk_name: spec.azureDisk?.diskName,
		fc_wwids: fc?.wwids?.join(","),
		fc_lun: fc?.lun === undefined ? "" : String(fc.lun),
		fc_target_wwns: fc?.targetWWNs?.join(","),
		iscsi_target_portal: iscsi?.targetPortal,
		iscsi_iqn: iscsi?.iqn,
		iscsi_lun: iscsi === undefined ? "" : String(iscsi.lun),
		iscsi_initiator_name: iscsi?.initiatorName,
		nfs_server: nfs?.server,
		nfs_path: nfs?.path,
		csi_driver: csi?.driver,
		csi_volume_handle: csi?.volumeHandle,
		local_path: local?.path,
		local_fs: local?.fsType,
		host_path: hostPath?.path,
		host_path_type: hostPath?.type,
	};
}

export const storageClassFamilies = ofKind(storageClasses, ({ metadata }) => ({ storageclass: metadata.name }), [
	info(
		"kube_storageclass_info",
		"Information about the storage class",
		({ provisioner, reclaimPolicy, volumeBindingMode }) => ({
			provisioner,
			reclaim_policy: reclaimPolicy ?? "Delete",
			volume_binding_mode: volumeBindingMode ?? "Immediate",
		}),
	),
	created("storageclass"),
]);

export const volumeAttachmentFamilies = ofKind(
	volumeAttachments,
	({ metadata }) => ({ volumeattachment: metadata.name }),
	[
		info("kube_volumeattachment_info", "Information about the attachment", ({ spec }) => ({
			attacher: spec.attacher,
			node: spec.nodeName,
		})),
		created("volumeattachment"),
		info("kube_volumeattachment_spec_source_persistentvolume", "Volume of the attachment", ({ spec: { source } }) =>
			source.persistentVolumeName === undefined ? undefined : { volumename: source.persistentVolumeName },
		),
		value("kube_volumeattachment_status_attached", "Whether it is attached", ({ status }) =>
			status?.attached === true ? 1 : 0,
		),
	],
);
