import type { PriorityClass } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const priorityClasses: Kind<PriorityClass> = {
	group: "scheduling.k8s.io",
	version: "v1",
	kind: "PriorityClass",
	plural: "priorityclasses",
	singular: "priorityclass",
	shortNames: ["pc"],
	categories: [],
	namespaced: false,
	schema: "PriorityClass",
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
