import type { Event } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const events: Kind<Event> = {
	group: "",
	version: "v1",
	kind: "Event",
	plural: "events",
	singular: "event",
	shortNames: ["ev"],
	categories: [],
	namespaced: true,
	schema: "Event",
	subresources: {},
	hasGeneration: false,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
