import type { LimitRange } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const limitRanges: Kind<LimitRange> = {
	group: "",
	version: "v1",
	kind: "LimitRange",
	plural: "limitranges",
	singular: "limitrange",
	shortNames: ["limits"],
	categories: [],
	namespaced: true,
	schema: "LimitRange",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
