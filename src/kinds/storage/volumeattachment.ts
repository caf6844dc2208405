import { immutable, requiredText } from "../../core/field-checks.ts";
import { ageColumn, column, nameColumn } from "../columns.ts";
import type { VolumeAttachment } from "../generated/types.ts";
import type { Kind } from "../kind.ts";

export const volumeAttachments: Kind<VolumeAttachment> = {
	group: "storage.k8s.io",
	version: "v1",
	kind: "VolumeAttachment",
	plural: "volumeattachments",
	singular: "volumeattachment",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "VolumeAttachment",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Attacher", "Driver that attaches the volume.", ({ spec }) => spec.attacher),
		column("PV", "Volume to attach.", ({ spec }) => spec.source?.persistentVolumeName ?? ""),
		column("Node", "Node to attach it to.", ({ spec }) => spec.nodeName),
		column("Attached", "Whether it is attached.", ({ status }) => status?.attached ?? false, "boolean"),
		ageColumn,
	],

	prepareForCreate(attachment) {
		attachment.status = { attached: false };
	},
	prepareForUpdate(attachment, old) {
		attachment.status = old.status ?? { attached: false };
	},
	validate: ({ spec }) => [
		...requiredText(spec.attacher, "spec.attacher"),
		...requiredText(spec.nodeName, "spec.nodeName"),
	],
	validateUpdate: ({ spec }, old) => immutable(spec, old.spec, "spec"),
};
