import type { ResourceQuota } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

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
	columns: [],
};
