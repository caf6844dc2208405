import type { StorageClass } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const storageClasses: Kind<StorageClass> = {
	group: "storage.k8s.io",
	version: "v1",
	kind: "StorageClass",
	plural: "storageclasses",
	singular: "storageclass",
	shortNames: ["sc"],
	categories: [],
	namespaced: false,
	schema: "StorageClass",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
