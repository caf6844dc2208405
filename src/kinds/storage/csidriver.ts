import type { Cause } from "../../core/errors.ts";
import { immutable, oneOf } from "../../core/validation/field-checks.ts";
import { duplicate, invalidValue } from "../../core/validation/field-errors.ts";
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
		...tokenProblems(spec.tokenRequests ?? [], "spec.tokenRequests"),
		...periodProblems(spec.nodeAllocatableUpdatePeriodSeconds, "spec.nodeAllocatableUpdatePeriodSeconds"),
	],
	validateUpdate: ({ spec }, { spec: old }) => [
		// As upstream spells it.
		...immutable(spec.attachRequired, old.attachRequired, "spec.attachedRequired"),
		...immutable(spec.volumeLifecycleModes, old.volumeLifecycleModes, "spec.volumeLifecycleModes"),
	],
};

/** One token for each audience. */
function tokenProblems(requests: NonNullable<CSIDriver["spec"]["tokenRequests"]>, path: string): Cause[] {
	const audiences = new Set<string>();
	return requests.flatMap(({ audience = "", expirationSeconds: seconds }, index) => {
		const at = `${path}[${index}]`;
		if (audiences.has(audience)) return [duplicate(`${at}.audience`, audience)];
		audiences.add(audience);
		const causes: Cause[] = [];
		const wrong = (why: string) => causes.push(invalidValue(`${at}.expirationSeconds`, seconds, why));
		if (seconds !== undefined && seconds < 600) wrong("may not specify a duration less than 10 minutes");
		if (seconds !== undefined && seconds > 2 ** 32) wrong("may not specify a duration larger than 2^32 seconds");
		return causes;
	});
}

function periodProblems(seconds: number | undefined, path: string): Cause[] {
	if (seconds === undefined || seconds >= 10) return [];
	return [invalidValue(path, seconds, "must be greater than or equal to 10 seconds")];
}
