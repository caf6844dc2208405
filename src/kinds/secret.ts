import type { Secret } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const secrets: Kind<Secret> = {
	group: "",
	version: "v1",
	kind: "Secret",
	plural: "secrets",
	singular: "secret",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "Secret",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
