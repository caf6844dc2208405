import type { EndpointSlice } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const endpointSlices: Kind<EndpointSlice> = {
	group: "discovery.k8s.io",
	version: "v1",
	kind: "EndpointSlice",
	plural: "endpointslices",
	singular: "endpointslice",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "EndpointSlice",
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
