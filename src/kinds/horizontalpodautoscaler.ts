import type { V2HorizontalPodAutoscaler } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const horizontalPodAutoscalers: Kind<V2HorizontalPodAutoscaler> = {
	group: "autoscaling",
	version: "v2",
	kind: "HorizontalPodAutoscaler",
	plural: "horizontalpodautoscalers",
	singular: "horizontalpodautoscaler",
	shortNames: ["hpa"],
	categories: ["all"],
	namespaced: true,
	schema: "V2HorizontalPodAutoscaler",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
