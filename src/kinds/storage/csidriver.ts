import { oneOf } from "../../core/validation/field-checks.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { CSIDriver } from "../generated/types.ts";

export const csiDrivers: Kind<CSIDriver> = {
	group: "storage.k8s.io",
	version: "v1",
	kind: "CSIDriver",
	plural: "csidrivers",
	singular: "csidriver",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "CSIDriver",
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	returnsDeleted: true,
	selectableFields: [],
	columns: [
		nameColumn,
		column(
			"AttachRequired",
			"Whether volumes are attached first.",
			({ spec }) => spec.attachRequired ?? true,
			"boolean",
		),
		column(
			"PodInfoOnMount",
			"Whether mounting is told the pod.",
			({ spec }) => spec.podInfoOnMount ?? false,
			"boolean",
		),
		column(
			"StorageCapacity",
			"Whether scheduling minds capacity.",
			({ spec }) => spec.storageCapacity ?? false,
			"boolean",
		),
		column("TokenRequests", "Audiences of tokens it asks for.", ({ spec }) =>
			spec.tokenRequests === undefined ? "<unset>" : spec.tokenRequests.map(({ audience }) => audience).join(","),
		),
		column(
			"RequiresRepublish",
			"Whether mounting is repeated.",
			({ spec }) => spec.requiresRepublish ?? false,
			"boolean",
		),
		column(
			"Modes",
			"Life cycles of volumes it supports.",
			({ spec }) => spec.volumeLifecycleModes?.join(",") ?? "<none>",
		),
		ageColumn,
	],

	setDefaults({ spec }) {
		spec.attachRequired ??= true;
		spec.podInfoOnMount ??= false;
		spec.storageCapacity ??= false;
		spec.fsGroupPolicy ??= "ReadWriteOnceWithFSType";
		spec.volumeLifecycleModes ??= ["Persistent"];
		spec.requiresRepublish ??= false;
		spec.seLinuxMount ??= false;
	},
	validate: ({ spec }) => [
		...(spec.volumeLifecycleModes ?? []).flatMap((mode) =>
			oneOf(mode, ["Persistent", "Ephemeral"], "spec.volumeLifecycleModes"),
		),
		...oneOf(spec.fsGroupPolicy, ["ReadWriteOnceWithFSType", "File", "None"], "spec.fsGroupPolicy"),
	],
};
