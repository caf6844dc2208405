import type { StatefulSet } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const statefulSets: Kind<StatefulSet> = {
	group: "apps",
	version: "v1",
	kind: "StatefulSet",
	plural: "statefulsets",
	singular: "statefulset",
	shortNames: ["sts"],
	categories: ["all"],
	namespaced: true,
	schema: "StatefulSet",
	subresources: {
		status: true,
		scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
	},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
