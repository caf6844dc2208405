import type { ControllerRevision } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const controllerRevisions: Kind<ControllerRevision> = {
	group: "apps",
	version: "v1",
	kind: "ControllerRevision",
	plural: "controllerrevisions",
	singular: "controllerrevision",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "ControllerRevision",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
