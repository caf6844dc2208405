import { semanticEqual } from "../../core/equal.ts";
import { annotations, immutable, labels } from "../../core/validation/field-checks.ts";
import { ageColumn, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { ResourceClaimTemplate } from "../generated/types.ts";
import { claimProblems, setClaimDefaults } from "./device-claim.ts";

/** From which every pod that names it gets a ResourceClaim of its own. */
export const resourceClaimTemplates: Kind<ResourceClaimTemplate> = {
	group: "resource.k8s.io",
	version: "v1",
	kind: "ResourceClaimTemplate",
	plural: "resourceclaimtemplates",
	singular: "resourceclaimtemplate",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "ResourceClaimTemplate",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	returnsDeleted: true,
	selectableFields: [],
	columns: [nameColumn, ageColumn],

	setDefaults({ spec }) {
		setClaimDefaults(spec.spec?.devices ?? {});
	},
	validate({ spec }, old) {
		if (semanticEqual(spec, old?.spec)) return [];
		return [
			...labels(spec.metadata?.labels, "spec.metadata.labels"),
			...annotations(spec.metadata?.annotations, "spec.metadata.annotations"),
			...claimProblems(spec.spec?.devices ?? {}, "spec.spec.devices"),
		];
	},
	validateUpdate: ({ spec }, old) => immutable(spec, old.spec, "spec"),
};
