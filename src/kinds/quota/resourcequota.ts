import type { Cause } from "../../core/errors.ts";
import { immutable, nonNegativeQuantity } from "../../core/validation/field-checks.ts";
import { invalidEach, invalidValue, notSupported } from "../../core/validation/field-errors.ts";
import { qualifiedNameProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { ResourceQuota } from "../generated/types.ts";

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
	returnsDeleted: true,
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
			if (!name.includes("/") && !isStandard(name))
				causes.push(invalidValue(at, name, "must be a standard resource for quota"));
			causes.push(...nonNegativeQuantity(quantity, at));
		}
		for (const [index, scope] of (spec?.scopes ?? []).entries())
			if (!scopes.includes(scope)) causes.push(notSupported(`spec.scopes[${index}]`, scope, scopes));
		return [...causes, ...scopeProblems(spec?.scopes ?? [], Object.keys(spec?.hard ?? {}))];
	},
	validateUpdate: ({ spec }, old) => immutable(spec?.scopes, old.spec?.scopes, "spec.scopes"),
};

const computed = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];
const standard = new Set([
	...computed,
	"ephemeral-storage",
	"requests.ephemeral-storage",
	"limits.ephemeral-storage",
	"requests.storage",
	"pods",
	"resourcequotas",
	"services",
	"services.nodeports",
	"services.loadbalancers",
	"replicationcontrollers",
	"secrets",
	"configmaps",
	"persistentvolumeclaims",
]);

function isStandard(name: string): boolean {
	return standard.has(name) || /^(requests\.)?hugepages-/.test(name);
}

/** The resources that may be limited for the pods, or claims, of a scope. */
function isOfScope(scope: string, name: string): boolean {
	if (scope === "VolumeAttributesClass") return name === "persistentvolumeclaims" || name === "requests.storage";
	return name === "pods" || (scope !== "BestEffort" && computed.includes(name));
}

const opposites = [
	["BestEffort", "NotBestEffort"],
	["Terminating", "NotTerminating"],
] as const;

function scopeProblems(given: readonly string[], names: readonly string[]): Cause[] {
	const causes: Cause[] = [];
	for (const scope of given.filter((one) => scopes.includes(one)))
		for (const name of names)
			if (isStandard(name) && !isOfScope(scope, name))
				causes.push(invalidValue("spec.scopes", given, "unsupported scope applied to resource"));
	for (const pair of opposites)
		if (pair.every((scope) => given.includes(scope)))
			causes.push(invalidValue("spec.scopes", given, "conflicting scopes"));
	return causes;
}

function usage({ status }: ResourceQuota, limits: boolean): string {
	return Object.keys(status?.hard ?? {})
		.filter((name) => name.startsWith("limits.") === limits)
		.sort()
		.map((name) => `${name}: ${status?.used?.[name] ?? "0"}/${status?.hard?.[name]}`)
		.join(", ");
}
