import { ageColumn, column, nameColumn } from "../columns.ts";
import type { CSINode } from "../generated/types.ts";
import type { Kind } from "../kind.ts";

export const csiNodes: Kind<CSINode> = {
	group: "storage.k8s.io",
	version: "v1",
	kind: "CSINode",
	plural: "csinodes",
	singular: "csinode",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "CSINode",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Drivers", "Number of drivers on the node.", ({ spec }) => spec?.drivers?.length ?? 0, "integer"),
		ageColumn,
	],
};
