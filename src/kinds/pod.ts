import type { Pod } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const pods: Kind<Pod> = {
	group: "",
	version: "v1",
	kind: "Pod",
	plural: "pods",
	singular: "pod",
	shortNames: ["po"],
	categories: ["all"],
	namespaced: true,
	schema: "Pod",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
