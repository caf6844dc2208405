import type { Job } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const jobs: Kind<Job> = {
	group: "batch",
	version: "v1",
	kind: "Job",
	plural: "jobs",
	singular: "job",
	shortNames: [],
	categories: ["all"],
	namespaced: true,
	schema: "Job",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
