import type { Job } from "../generated/types.ts";
import { cronJobOf } from "./cronjob-jobs.ts";

/** Of the pods of an Indexed Job: which of its completions. */
export const completionIndexAnnotation = "batch.kubernetes.io/job-completion-index";

/** Labels by which a job knows its pods: current names, and those without a prefix that older clients use. */
export const jobLabels = {
	uid: "batch.kubernetes.io/controller-uid",
	name: "batch.kubernetes.io/job-name",
	legacyUid: "controller-uid",
	legacyName: "job-name",
} as const;

/** The labels that the pods of a job carry. */
export function generatedJobLabels(job: Pick<Job, "metadata">): Record<string, string> {
	const { uid, name } = job.metadata;
	return {
		[jobLabels.uid]: uid,
		[jobLabels.name]: name,
		[jobLabels.legacyUid]: uid,
		[jobLabels.legacyName]: name,
	};
}

/**
 * Gives a new job, unless its selector is made by hand, a selector that selects its own pods alone. What a client has
 * set stays, for validation to refuse. In place; needs `metadata.uid`.
 */
export function generateJobSelector(job: Job): void {
	if (job.spec.manualSelector === true) return;
	job.spec.template ??= { spec: { containers: [] } };
	job.spec.template.metadata ??= {};
	const labels = Object.assign(generatedJobLabels(job), job.spec.template.metadata.labels);
	job.spec.template.metadata.labels = labels;
	job.spec.selector ??= {};
	job.spec.selector.matchLabels = { ...job.spec.selector.matchLabels, [jobLabels.uid]: job.metadata.uid };
	// Clients list jobs by these labels too.
	job.metadata.labels ??= { ...labels };
}

/**
 * Labels a job that a CronJob owns, and its pods, with `cronjob=NAME`, unless the user has a label of that name.
 * Course notes list jobs and logs by it. In place.
 */
export function labelWithCronJob({ metadata, spec }: Job): void {
	const owner = cronJobOf(metadata);
	if (owner === undefined) return;
	metadata.labels = { cronjob: owner.name, ...metadata.labels };
	spec.template.metadata = { ...spec.template.metadata };
	spec.template.metadata.labels = { cronjob: owner.name, ...spec.template.metadata.labels };
}
