import type { Namespace } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const namespaces: Kind<Namespace> = {
	group: "",
	version: "v1",
	kind: "Namespace",
	plural: "namespaces",
	singular: "namespace",
	shortNames: ["ns"],
	categories: [],
	namespaced: false,
	schema: "Namespace",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsLabel",
	selectableFields: [],
	columns: [],
};
