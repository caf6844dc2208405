import type { Cause } from "../core/errors.ts";
import { immutable, nonNegativeQuantity } from "../core/field-checks.ts";
import { invalidEach, notSupported } from "../core/field-errors.ts";
import { qualifiedNameProblems } from "../core/names.ts";
import { ageColumn, column, nameColumn } from "./columns.ts";
import type { ResourceQuota } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

const scopes = [
	"BestEffort",
	"CrossNamespacePodAffinity",
	"NotBestEffort",
	"NotTerminating",
	"PriorityClass",
	"Terminating",
	"VolumeAttributesClass",
];

export const resourceQuotas: Kind<ResourceQuota> = {
	group: "",
	version: "v1",
	kind: "ResourceQuota",
	plural: "resourcequotas",
	singular: "resourcequota",
	shortNames: ["quota"],
	categories: [],
	namespaced: true,
	schema: "ResourceQuota",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Request", "Requests and objects in use, and how much may be.", (quota) => usage(quota, false)),
		column("Limit", "Limits in use, and how much may be.", (quota) => usage(quota, true)),
		ageColumn,
	],

	setDefaults(quota) {
		quota.spec ??= {};
	},
	prepareForCreate(quota) {
		quota.status = {};
	},
	prepareForUpdate(quota, old) {
		quota.status = old.status ?? {};
	},
	validate({ spec }) {
		const causes: Cause[] = [];
		for (const [name, quantity] of Object.entries(spec?.hard ?? {})) {
			const at = `spec.hard[${name}]`;
			causes.push(...invalidEach(at, name, qualifiedNameProblems(name.replace(/^count\//, ""))));
			causes.push(...nonNegativeQuantity(quantity, at));
		}
		for (const [index, scope] of (spec?.scopes ?? []).entries())
			if (!scopes.includes(scope)) causes.push(notSupported(`spec.scopes[${index}]`, scope, scopes));
		return causes;
	},
	validateUpdate: ({ spec }, old) => immutable(spec?.scopes, old.spec?.scopes, "spec.scopes"),
};

function usage({ status }: ResourceQuota, limits: boolean): string {
	return Object.keys(status?.hard ?? {})
		.filter((name) => name.startsWith("limits.") === limits)
		.sort()
		.map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${status?.hard?.[name]}`)
		.join(", ");
}
