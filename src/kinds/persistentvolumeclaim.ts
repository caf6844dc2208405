import type { PersistentVolumeClaim } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const persistentVolumeClaims: Kind<PersistentVolumeClaim> = {
	group: "",
	version: "v1",
	kind: "PersistentVolumeClaim",
	plural: "persistentvolumeclaims",
	singular: "persistentvolumeclaim",
	shortNames: ["pvc"],
	categories: [],
	namespaced: true,
	schema: "PersistentVolumeClaim",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
