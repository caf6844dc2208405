import type { Cause } from "../../core/errors.ts";
import { immutable } from "../../core/validation/field-checks.ts";
import { forbidden, invalidEach, invalidValue, required, tooLongValue } from "../../core/validation/field-errors.ts";
import { dnsSubdomainProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { VolumeAttachment, VolumeError } from "../generated/types.ts";
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
	validateStatusUpdate: ({ status }) => [
		...metadataProblems(status?.attachmentMetadata, "status.attachmentMetadata"),
		...errorProblems(status?.attachError, "status.attachError"),
		...errorProblems(status?.detachError, "status.detachError"),
	],
};

const longestMetadata = 256 * 1024;
const longestMessage = 1024;

function metadataProblems(metadata: Readonly<Record<string, string>> = {}, path: string): Cause[] {
	let bytes = 0;
	for (const [key, value] of Object.entries(metadata)) bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
	return bytes > longestMetadata ? [tooLongValue(path, longestMetadata)] : [];
}

function errorProblems({ message = "", errorCode = 0 }: VolumeError = {}, path: string): Cause[] {
	const causes: Cause[] = [];
	// Upstream names the limit of the metadata.
	if (Buffer.byteLength(message) > longestMessage) causes.push(tooLongValue(`${path}.message`, longestMetadata));
	const range = "must be between 0 and 2147483647, inclusive";
	return errorCode < 0 ? [...causes, invalidValue(`${path}.errorCode`, errorCode, range)] : causes;
}

function sourceProblems(source: Partial<VolumeAttachment["spec"]["source"]>, path: string): Cause[] {
	const { inlineVolumeSpec, persistentVolumeName: name } = source;
	const one = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
	if (inlineVolumeSpec === undefined && name === undefined) return [required(path, one)];
	if (inlineVolumeSpec !== undefined && name !== undefined) return [forbidden(path, one)];
	if (name === "") return [required(`${path}.persistentVolumeName`, "must specify non empty persistentVolumeName")];
	return name === undefined ? [] : invalidEach(`${path}.persistentVolumeName`, name, dnsSubdomainProblems(name));
}
