import type { PodDisruptionBudget } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const podDisruptionBudgets: Kind<PodDisruptionBudget> = {
	group: "policy",
	version: "v1",
	kind: "PodDisruptionBudget",
	plural: "poddisruptionbudgets",
	singular: "poddisruptionbudget",
	shortNames: ["pdb"],
	categories: [],
	namespaced: true,
	schema: "PodDisruptionBudget",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
