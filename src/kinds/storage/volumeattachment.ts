import type { Cause } from "../../core/errors.ts";
import { immutable } from "../../core/validation/field-checks.ts";
import { forbidden, invalidEach, required } from "../../core/validation/field-errors.ts";
import { dnsSubdomainProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { VolumeAttachment } from "../generated/types.ts";
import { driverName } from "./driver-name.ts";

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
	returnsDeleted: true,
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
		...driverName(spec.attacher, "spec.attacher"),
		...invalidEach("spec.nodeName", spec.nodeName, dnsSubdomainProblems(spec.nodeName ?? "")),
		...sourceProblems(spec.source ?? {}, "spec.source"),
	],
	validateUpdate: ({ spec }, old) => immutable(spec, old.spec, "spec"),
};

function sourceProblems(source: Partial<VolumeAttachment["spec"]["source"]>, path: string): Cause[] {
	const { inlineVolumeSpec, persistentVolumeName: name } = source;
	const one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
	if (inlineVolumeSpec === undefined && name === undefined) return [required(path, one)];
	if (inlineVolumeSpec !== undefined && name !== undefined) return [forbidden(path, one)];
	if (name === "") return [required(`${path}.persistentVolumeName`, "must specify non empty persistentVolumeName")];
	return name === undefined ? [] : invalidEach(`${path}.persistentVolumeName`, name, dnsSubdomainProblems(name));
}
