import { immutable } from "../../core/validation/field-checks.ts";
import { forbidden, required } from "../../core/validation/field-errors.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { VolumeAttributesClass } from "../generated/types.ts";
import { parameterProblems } from "./parameters.ts";
import { provisionerName } from "./storageclass.ts";

export const volumeAttributesClasses: Kind<VolumeAttributesClass> = {
	group: "storage.k8s.io",
	version: "v1",
	kind: "VolumeAttributesClass",
	plural: "volumeattributesclasses",
	singular: "volumeattributesclass",
	shortNames: ["vac"],
	categories: [],
	namespaced: false,
	schema: "VolumeAttributesClass",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	returnsDeleted: true,
	selectableFields: [],
	columns: [nameColumn, column("DriverName", "Driver of the class.", ({ driverName }) => driverName), ageColumn],

	validate: ({ driverName, parameters = {} }) => [
		...provisionerName(driverName, "driverName"),
		...parameterProblems(parameters, "parameters"),
		...(Object.keys(parameters).length === 0
			? [required("parameters", "must contain at least one key/value pair")]
			: []),
	],
	validateUpdate: (next, old) => [
		...immutable(next.driverName, old.driverName, "driverName").map(() =>
			forbidden("driverName", "updates to driverName are forbidden."),
		),
		...immutable(next.parameters, old.parameters, "parameters").map(() =>
			forbidden("parameters", "updates to parameters are forbidden."),
		),
	],
};
