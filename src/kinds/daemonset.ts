import type { DaemonSet } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const daemonSets: Kind<DaemonSet> = {
	group: "apps",
	version: "v1",
	kind: "DaemonSet",
	plural: "daemonsets",
	singular: "daemonset",
	shortNames: ["ds"],
	categories: ["all"],
	namespaced: true,
	schema: "DaemonSet",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
