import { controllerOf, parseApiVersion } from "../../core/object.ts";
import { immutable, nonNegative } from "../../core/validation/field-checks.ts";
import { required } from "../../core/validation/field-errors.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { ControllerRevision } from "../generated/types.ts";

export const controllerRevisions: Kind<ControllerRevision> = {
	group: "apps",
	version: "v1",
	kind: "ControllerRevision",
	plural: "controllerrevisions",
	singular: "controllerrevision",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "ControllerRevision",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	// kubectl and upstream's tests compare its data byte by byte with JSON that they encode themselves.
	escapesJson: true,
	selectableFields: [],
	columns: [
		nameColumn,
		column("Controller", "Workload whose revision it is.", (revision) => {
			const owner = controllerOf(revision);
			if (owner === undefined) return "<none>";
			const { group } = parseApiVersion(owner.apiVersion);
			return `${owner.kind.toLowerCase()}${group && `.${group}`}/${owner.name}`;
		}),
		column("Revision", "Number of the revision.", ({ revision }) => revision ?? 0, "integer"),
		ageColumn,
	],

	validate: ({ data, revision }) => [
		...nonNegative(revision, "revision"),
		...(data === undefined ? [required("data", "data is mandatory")] : []),
	],
	validateUpdate: (next, old) => immutable(next.data, old.data, "data"),
};
