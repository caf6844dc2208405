import type { Deployment } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const deployments: Kind<Deployment> = {
	group: "apps",
	version: "v1",
	kind: "Deployment",
	plural: "deployments",
	singular: "deployment",
	shortNames: ["deploy"],
	categories: ["all"],
	namespaced: true,
	schema: "Deployment",
	subresources: {
		status: true,
		scale: { specReplicas: ".spec.replicas", statusReplicas: ".status.replicas", selector: ".spec.selector" },
	},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
