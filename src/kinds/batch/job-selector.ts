import type { Job } from "../generated/types.ts";
import { cronJobOf } from "./cronjob-jobs.ts";

/** On pods of an Indexed Job: the completion index. */
export const completionIndexAnnotation = "batch.kubernetes.io/job-completion-index";

/** Labels that identify a Job's pods: current names, and those without a prefix that older clients use. */
export const jobLabels = {
	uid: "batch.kubernetes.io/controller-uid",
	name: "batch.kubernetes.io/job-name",
	legacyUid: "controller-uid",
	legacyName: "job-name",
} as const;

/** The labels of a Job's pods. */
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
 * Sets a selector on a new Job that selects only its own pods, unless its selector is manual. Values that a client has
 * set are kept, for validation to reject. In place; needs `metadata.uid`.
 */
export function generateJobSelector(job: Job): void {
	if (job.spec.manualSelector === true) return;
	job.spec.template ??= { spec: { containers: [] } };
	job.spec.template.metadata ??= {};
	const labels = Object.assign(generatedJobLabels(job), job.spec.template.metadata.labels);
	job.spec.template.metadata.labels = labels;
	job.spec.selector ??= {};
	job.spec.selector.matchLabels = { ...job.spec.selector.matchLabels, [jobLabels.uid]: job.metadata.uid };
	// Clients list Jobs by these labels, too.
	job.metadata.labels ??= { ...labels };
}

/**
 * Labels a Job that a CronJob owns, and its pods, with `cronjob=NAME`, unless the user has set a label with that name.
 * Course notes list Jobs and logs by it. In place.
 */
export function labelWithCronJob({ metadata, spec }: Job): void {
	const owner = cronJobOf(metadata);
	if (owner === undefined) return;
	metadata.labels = { cronjob: owner.name, ...metadata.labels };
	spec.template.metadata = { ...spec.template.metadata };
	spec.template.metadata.labels = { cronjob: owner.name, ...spec.template.metadata.labels };
}
