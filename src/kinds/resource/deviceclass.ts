import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { invalidValue } from "../../core/validation/field-errors.ts";
import { ageColumn, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { DeviceClass, DeviceClassSpec } from "../generated/types.ts";
import { isExtendedResource } from "../pod/spec/resource-requirements.ts";
import { opaqueProblems, selectorProblems } from "./device-claim.ts";
import { limits } from "./limits.ts";
import { each } from "./lists.ts";

/** Devices that requests name together, and their configuration. */
export const deviceClasses: Kind<DeviceClass> = {
	group: "resource.k8s.io",
	version: "v1",
	kind: "DeviceClass",
	plural: "deviceclasses",
	singular: "deviceclass",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "DeviceClass",
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	returnsDeleted: true,
	selectableFields: [],
	columns: [nameColumn, ageColumn],

	validate: ({ spec }, old) => classProblems(spec, old?.spec, "spec"),
};

/** What is unchanged was valid once, and is not compiled again. */
function classProblems(spec: DeviceClassSpec, old: DeviceClassSpec | undefined, path: string): Cause[] {
	const { selectors = [], config = [], extendedResourceName: name } = spec;
	const causes: Cause[] = [];
	if (!semanticEqual(selectors, old?.selectors ?? [])) causes.push(...selectorProblems(selectors, `${path}.selectors`));
	if (!semanticEqual(config, old?.config ?? []))
		causes.push(
			...each(config, limits.configurations, `${path}.config`, ({ opaque }, at) => opaqueProblems(opaque, at)),
		);
	if (name !== undefined && !isExtendedResource(name))
		causes.push(invalidValue(`${path}.extendedResourceName`, name, "must be a valid extended resource name"));
	return causes;
}
