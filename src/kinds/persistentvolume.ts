import type { PersistentVolume } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const persistentVolumes: Kind<PersistentVolume> = {
	group: "",
	version: "v1",
	kind: "PersistentVolume",
	plural: "persistentvolumes",
	singular: "persistentvolume",
	shortNames: ["pv"],
	categories: [],
	namespaced: false,
	schema: "PersistentVolume",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
