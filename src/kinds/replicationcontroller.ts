import type { ReplicationController } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const replicationControllers: Kind<ReplicationController> = {
	group: "",
	version: "v1",
	kind: "ReplicationController",
	plural: "replicationcontrollers",
	singular: "replicationcontroller",
	shortNames: ["rc"],
	categories: ["all"],
	namespaced: true,
	schema: "ReplicationController",
	subresources: {
		status: true,
		scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
	},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
