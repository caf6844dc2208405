/** Which fields of a Job may change after its creation (API reference, "JobSpec"; KEP-2926, KEP-3715). */
import { isTrue } from "../../core/conditions.ts";
import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { immutable } from "../../core/validation/field-checks.ts";
import { invalidValue } from "../../core/validation/field-errors.ts";
import type { Job, JobSpec, PodSpec, PodTemplateSpec } from "../generated/types.ts";
import { annotationPath } from "../self-help/annotations.ts";
import { perNodeAnnotation, perNodeOf } from "../self-help/per-node.ts";

export function validateJobUpdate(job: Job, old: Job): Cause[] {
	const { spec } = job;
	const fields = [
		"selector",
		"completionMode",
		"podFailurePolicy",
		"backoffLimitPerIndex",
		"managedBy",
		"successPolicy",
	] as const;
	return [
		...(perNodeOf(old) === undefined ? completions(spec, old.spec) : []),
		...perNode(job, old),
		...immutable(spec.selector, old.spec.selector, "spec.selector"),
		...template(spec.template, old),
		...fields.slice(1).flatMap((field) => immutable(spec[field], old.spec[field], `spec.${field}`)),
	];
}

/** Whether a Job runs on each node is immutable. */
function perNode(job: Job, old: Job): Cause[] {
	const [value, before] = [job, old].map(({ metadata }) => metadata.annotations?.[perNodeAnnotation]);
	return immutable(value, before, annotationPath(perNodeAnnotation));
}

/** Elastic Indexed Jobs: completions may change together with parallelism, and must equal it. */
function completions(spec: JobSpec, old: JobSpec): Cause[] {
	if (spec.completions === old.completions) return [];
	const elastic = spec.completionMode === "Indexed" && spec.completions !== undefined && old.completions !== undefined;
	if (!elastic) return immutable(spec.completions, old.completions, "spec.completions");
	if (spec.completions === spec.parallelism) return [];
	return [invalidValue("spec.completions", spec.completions, "can only be modified in tandem with spec.parallelism")];
}

/** While a Job is suspended, the scheduling directives and resource requests of its pods may change. */
function template(next: PodTemplateSpec, old: Job): Cause[] {
	const path = "spec.template";
	if (semanticEqual(next, old.spec.template)) return [];
	if (!isSuspended(old)) return [immutableTemplate(next, path)];
	return semanticEqual(withoutDirectives(next), withoutDirectives(old.spec.template))
		? []
		: [immutableTemplate(next, path)];
}

function immutableTemplate(next: PodTemplateSpec, path: string): Cause {
	return invalidValue(path, next, "field is immutable");
}

/** Suspended and without running pods: never started, or stopped according to the condition (KEP-5440). */
function isSuspended(job: Job): boolean {
	const { spec, status } = job;
	if (spec.suspend !== true || (status?.active ?? 0) > 0) return false;
	if (status?.startTime === undefined) return true;
	return isTrue(job, "Suspended");
}

/** The template without fields that schedulers and queues adjust. */
function withoutDirectives({ metadata, spec }: PodTemplateSpec): unknown {
	const { labels: _labels, annotations: _annotations, ...restOfMetadata } = metadata ?? {};
	if (spec === undefined) return { metadata: restOfMetadata };
	const { nodeSelector: _nodeSelector, tolerations: _tolerations, schedulingGates: _gates, ...rest } = spec;
	const affinity = { ...spec.affinity, nodeAffinity: undefined };
	const empty = affinity.podAffinity === undefined && affinity.podAntiAffinity === undefined;
	return {
		metadata: restOfMetadata,
		spec: {
			...rest,
			affinity: empty ? undefined : affinity,
			containers: withoutResources(spec.containers),
			initContainers: withoutResources(spec.initContainers),
		},
	};
}

function withoutResources(containers: PodSpec["containers"] | undefined): unknown {
	return containers?.map((container) => ({ ...container, resources: undefined }));
}
