import type { ConfigMap } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const configMaps: Kind<ConfigMap> = {
	group: "",
	version: "v1",
	kind: "ConfigMap",
	plural: "configmaps",
	singular: "configmap",
	shortNames: ["cm"],
	categories: [],
	namespaced: true,
	schema: "ConfigMap",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
