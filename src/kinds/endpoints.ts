import type { Endpoints } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const endpoints: Kind<Endpoints> = {
	group: "",
	version: "v1",
	kind: "Endpoints",
	plural: "endpoints",
	singular: "endpoints",
	shortNames: ["ep"],
	categories: [],
	namespaced: true,
	schema: "Endpoints",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
