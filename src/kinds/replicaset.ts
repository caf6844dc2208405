import type { ReplicaSet } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const replicaSets: Kind<ReplicaSet> = {
	group: "apps",
	version: "v1",
	kind: "ReplicaSet",
	plural: "replicasets",
	singular: "replicaset",
	shortNames: ["rs"],
	categories: ["all"],
	namespaced: true,
	schema: "ReplicaSet",
	subresources: {
		status: true,
		scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
	},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
