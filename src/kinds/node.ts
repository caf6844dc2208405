import type { Node } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const nodes: Kind<Node> = {
	group: "",
	version: "v1",
	kind: "Node",
	plural: "nodes",
	singular: "node",
	shortNames: ["no"],
	categories: [],
	namespaced: false,
	schema: "Node",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
