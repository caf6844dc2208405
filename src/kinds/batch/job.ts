import { isTrue } from "../../core/conditions.ts";
import { humanDuration } from "../../core/time/age.ts";
import { parseTimestamp } from "../../core/time/clock.ts";
import { ageColumn, column, nameColumn, selectorText, templateColumns } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { Job, JobSpec, JobStatus } from "../generated/types.ts";
import { podSpecWarnings } from "../pod/pod-warnings.ts";
import { setPodTemplateDefaults } from "../pod/spec/defaults.ts";
import { manyNodes, nodesAnnotation, perNodeOf } from "../self-help/per-node.ts";
import { generateJobSelector, labelWithCronJob } from "./job-selector.ts";
import { validateJobStatus } from "./job-status.ts";
import { validateJobUpdate } from "./job-update.ts";
import { validateJob } from "./job-validate.ts";

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
	defaultPropagation: "Orphan",
	deletionWarning:
		"child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning",
	nameRule: "dnsSubdomain",
	selectableFields: [{ path: "status.successful", value: ({ status }) => String(status?.succeeded ?? 0) }],
	columns: [
		nameColumn,
		column("Status", "What the job is doing, or how it ended.", statusText),
		column("Completions", "Pods that succeeded, and how many must.", ({ spec, status }) =>
			completionsText(spec, status),
		),
		column("Duration", "Time from start to completion, or until now.", durationText),
		ageColumn,
		...templateColumns<Job>(
			({ spec }) => spec.template,
			({ spec }) => selectorText(spec.selector),
		),
	],

	setDefaults(job) {
		const { spec, metadata } = job;
		if (perNodeOf(job) !== undefined) setPerNodeDefaults(spec);
		if (spec.completions === undefined && spec.parallelism === undefined) spec.completions = 1;
		spec.parallelism ??= 1;
		// With a limit for each index, the total does not end a Job.
		spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : 2 ** 31 - 1;
		spec.completionMode ||= "NonIndexed";
		spec.suspend ??= false;
		spec.manualSelector ??= false;
		spec.podReplacementPolicy ||= spec.podFailurePolicy === undefined ? "TerminatingOrFailed" : "Failed";
		for (const rule of spec.podFailurePolicy?.rules ?? [])
			for (const condition of rule.onPodConditions ?? []) condition.status ||= "True";
		const labels = spec.template?.metadata?.labels;
		if (labels !== undefined) metadata.labels ??= { ...labels };
		setPodTemplateDefaults(spec);
	},
	prepareForCreate(job) {
		job.status = {};
		// Clients may not set the nodes of indexes.
		if (job.metadata.annotations !== undefined) delete job.metadata.annotations[nodesAnnotation];
		generateJobSelector(job);
		labelWithCronJob(job);
	},
	prepareForUpdate(job, old) {
		job.status = old.status ?? {};
		if (perNodeOf(old) !== undefined) keepNodes(job, old);
	},
	validate: validateJob,
	validateUpdate: validateJobUpdate,
	validateStatusUpdate: validateJobStatus,
	warnings({ spec, metadata }) {
		const warnings = podSpecWarnings(spec.template?.spec, "spec.template.spec");
		if (metadata.name?.includes("."))
			warnings.push(
				`metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: [must not contain dots]`,
			);
		if (spec.completionMode === "Indexed" && (spec.completions ?? 0) > 100_000 && (spec.parallelism ?? 0) > 10_000)
			warnings.push(
				"spec.completions and spec.parallelism: in Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completions properly",
			);
		return warnings;
	},
};

/** Its completions follow the nodes. */
function setPerNodeDefaults(spec: JobSpec): void {
	spec.completionMode ||= "Indexed";
	// Validation rejects any other mode.
	if (spec.completionMode !== "Indexed") return;
	spec.completions ??= 0;
	spec.parallelism ??= manyNodes;
	// The failures of each node are counted separately.
	spec.backoffLimitPerIndex ??= spec.backoffLimit ?? 6;
}

/** A manifest that replaces the Job does not contain its nodes. */
function keepNodes({ metadata, spec }: Job, old: Job): void {
	const kept = old.metadata.annotations?.[nodesAnnotation];
	if (kept === undefined || metadata.annotations?.[nodesAnnotation] !== undefined) return;
	metadata.annotations = { ...metadata.annotations, [nodesAnnotation]: kept };
	if (spec.completions === 0 && old.spec.completions !== undefined) spec.completions = old.spec.completions;
}

function statusText(job: Job): string {
	const { metadata } = job;
	const has = (type: string) => isTrue(job, type);
	if (has("Complete")) return "Complete";
	if (has("Failed")) return "Failed";
	if (metadata.deletionTimestamp !== undefined) return "Terminating";
	for (const type of ["Suspended", "FailureTarget", "SuccessCriteriaMet"]) if (has(type)) return type;
	return "Running";
}

function completionsText(spec: JobSpec, status: JobStatus | undefined): string {
	const succeeded = status?.succeeded ?? 0;
	if (spec.completions !== undefined) return `${succeeded}/${spec.completions}`;
	const parallelism = spec.parallelism ?? 0;
	return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`;
}

function durationText({ status }: Job, nowMs: number): string {
	if (status?.startTime === undefined) return "";
	const endMs = status.completionTime === undefined ? nowMs : parseTimestamp(status.completionTime);
	return humanDuration(endMs - parseTimestamp(status.startTime));
}
