import type { Service } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const services: Kind<Service> = {
	group: "",
	version: "v1",
	kind: "Service",
	plural: "services",
	singular: "service",
	shortNames: ["svc"],
	categories: ["all"],
	namespaced: true,
	schema: "Service",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dns1035Label",
	selectableFields: [],
	columns: [],
};
