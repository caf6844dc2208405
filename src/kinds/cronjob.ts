import type { CronJob } from "./generated/types.ts";
import type { Kind } from "./kind.ts";

export const cronJobs: Kind<CronJob> = {
	group: "batch",
	version: "v1",
	kind: "CronJob",
	plural: "cronjobs",
	singular: "cronjob",
	shortNames: ["cj"],
	categories: ["all"],
	namespaced: true,
	schema: "CronJob",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [],
};
