/** Definitions of custom resources (Kubernetes documentation, "Extend the Kubernetes API with CRDs"). */
import { semanticEqual } from "../../core/equal.ts";
import { oldCustomResourceDefinition } from "../conversion/customresourcedefinition.ts";
import { definitionWarnings } from "../custom/definition-warnings.ts";
import { column, createdAtColumn, nameColumn, wideColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { CustomResourceDefinition } from "../generated/types.ts";
import { conditionHolds, withCondition } from "./conditions.ts";
import { parseDefinition } from "./stored-definition.ts";
import { definitionProblems, definitionUpdateProblems, statusProblems } from "./validate.ts";

/** Keeps a definition until all objects of its resource are gone. */
export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

export const customResourceDefinitions: Kind<CustomResourceDefinition> = {
	group: "apiextensions.k8s.io",
	version: "v1",
	kind: "CustomResourceDefinition",
	plural: "customresourcedefinitions",
	singular: "customresourcedefinition",
	shortNames: ["crd", "crds"],
	categories: ["api-extensions"],
	namespaced: false,
	schema: "CustomResourceDefinition",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	replacesOnlyKnown: true,
	finalizersOfAnyName: true,
	parseStored: parseDefinition,
	selectableFields: [],
	columns: [
		nameColumn,
		column("Scope", "Cluster or Namespaced.", ({ spec }) => spec.scope),
		column("Versions", "Served versions.", servedVersionsText),
		createdAtColumn,
		wideColumn("Group", "API group.", ({ spec }) => spec.group),
		wideColumn("Kind", "Kind of the custom resource.", ({ spec }) => spec.names.kind),
		wideColumn("ShortNames", "Short names.", ({ spec }) => (spec.names.shortNames ?? []).join(",")),
		wideColumn("Established", "Whether it is served.", (it) => conditionHolds(it, "Established"), "boolean"),
	],
	servedAs: [oldCustomResourceDefinition],

	setDefaults({ spec }) {
		spec.names ??= { plural: "", kind: "" };
		spec.versions ??= [];
		const { names } = spec;
		names.singular ||= names.kind.toLowerCase();
		if (names.kind !== "") names.listKind ||= `${names.kind}List`;
		spec.conversion ??= { strategy: "None" };
		const service = spec.conversion.webhook?.clientConfig?.service;
		if (service !== undefined) service.port ??= 443;
	},
	prepareForCreate(definition) {
		definition.status = {};
		noteStorageVersion(definition);
	},
	prepareForUpdate(definition, old) {
		definition.status = { ...old.status };
		noteStorageVersion(definition);
	},
	warnings: definitionWarnings,
	validate: definitionProblems,
	validateUpdate: definitionUpdateProblems,
	validateStatusUpdate: ({ status }) => statusProblems(status),
	// The first deletion only marks it: what it defines goes first.
	isHeld: ({ metadata }) => metadata.deletionTimestamp === undefined,
	markDeleted(definition) {
		const { metadata } = definition;
		const finalizers = metadata.finalizers ?? [];
		if (!finalizers.includes(cleanupFinalizer)) metadata.finalizers = [...finalizers, cleanupFinalizer];
		definition.status = withCondition(definition.status, {
			type: "Terminating",
			status: "True",
			reason: "InstanceDeletionPending",
			message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
			lastTransitionTime: metadata.deletionTimestamp,
		});
	},
};

/** Whatever has ever been stored in a version is remembered until it is migrated. */
function noteStorageVersion(definition: CustomResourceDefinition): void {
	const version = definition.spec.versions.find(({ storage }) => storage)?.name;
	const before = definition.status?.storedVersions ?? [];
	if (version === undefined || before.includes(version)) return;
	definition.status = { ...definition.status, storedVersions: [...before, version] };
}

function servedVersionsText({ spec }: CustomResourceDefinition): string {
	return spec.versions
		.filter(({ served }) => served)
		.map(({ name, storage }) => (storage ? `${name}(storage)` : name))
		.sort()
		.join(",");
}

/** Whether two definitions serve the same in the same way. */
export function servesTheSame(one: CustomResourceDefinition, other: CustomResourceDefinition): boolean {
	return semanticEqual(one.spec, other.spec) && semanticEqual(one.status?.acceptedNames, other.status?.acceptedNames);
}
