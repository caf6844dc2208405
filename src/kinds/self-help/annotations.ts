/**
 * Annotations that enable extensions of workloads beyond upstream (docs/self-help.md). An absent annotation costs
 * nothing and changes nothing.
 */

import type { Cause } from "../../core/errors.ts";
import { messageOf } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { durationMs } from "../../core/time/duration.ts";
import { forbidden, invalidEach, invalidValue, notSupported } from "../../core/validation/field-errors.ts";
import { dnsSubdomainProblems } from "../../core/validation/names.ts";
import type { CronJob, Job, JobSpec } from "../generated/types.ts";
import { eventsAnnotation, webhookAnnotation } from "../notify/annotations.ts";
import { notificationEvents } from "../notify/types.ts";
import { afterAnnotation, parseAfter, templateOf } from "./after.ts";
import { perNodeAnnotation, perNodeOf } from "./per-node.ts";

const domain = "coxswain.io/";
const told: Readonly<Record<string, Check>> = { [webhookAnnotation]: secretName, [eventsAnnotation]: eventNames };

/** A StatefulSet replaces a pod of an outdated revision that was never ready. */
export const recoverAnnotation = "coxswain.io/recover-rollout";
/** A StatefulSet's claims grow with its volumeClaimTemplates. */
export const growAnnotation = "coxswain.io/grow-claims";

/** Delays each of a CronJob's runs by up to this duration. */
const jitterAnnotation = "coxswain.io/jitter";
/** `once`: a CronJob runs once in the hour that a clock change repeats, and for the hour that it skips. */
export const clockChangesAnnotation = "coxswain.io/clock-changes";
/** `all`: a CronJob catches up on every missed run instead of only the last. */
const catchUpAnnotation = "coxswain.io/catch-up";
/** The user who started a run manually. */
export const startedByAnnotation = "coxswain.io/started-by";

/** Where the images of a pod, or of a namespace's pods, come from, instead of the cluster's `--images` (docs/images.md). */
export const imagesAnnotation = "coxswain.io/images";
export const imageSources: readonly string[] = ["auto", "registry", "machine"];

/** The problems of a value, with the path of its field. */
type Check = (value: string, path: string) => Cause[];

const oneOf = (values: readonly string[]): Check => {
	return (value, path) => (values.includes(value) ? [] : [notSupported(path, value, values)]);
};

const after: Check = (value, path) => {
	try {
		parseAfter(value);
		return [];
	} catch (error) {
		return [invalidValue(path, value, messageOf(error))];
	}
};
const order = { [afterAnnotation]: after };

/** Kind → annotation → check of its value. */
const checks: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
	Deployment: { ...order, ...told },
	DaemonSet: { ...order, ...told },
	Job: { ...order, ...told, [perNodeAnnotation]: oneOf(["true", "once", "false"]) },
	Namespace: { [imagesAnnotation]: oneOf(imageSources) },
	Pod: { ...order, [imagesAnnotation]: oneOf(imageSources) },
	StatefulSet: {
		...order,
		...told,
		[recoverAnnotation]: oneOf(["true", "false"]),
		[growAnnotation]: oneOf(["true", "false"]),
	},
	CronJob: {
		...order,
		...told,
		[jitterAnnotation]: jitter,
		[clockChangesAnnotation]: oneOf(["once", "as-they-come"]),
		[catchUpAnnotation]: oneOf(["all", "last"]),
	},
};

/** Names of the annotations that apply to objects of a kind. */
export function knownAnnotations(kind: string): readonly string[] {
	return Object.keys(checks[kind] ?? {});
}

function secretName(value: string, path: string): Cause[] {
	return value === "" ? [] : invalidEach(path, value, dnsSubdomainProblems(value));
}

function eventNames(value: string, path: string): Cause[] {
	const unknown = value.split(",").find((name) => !notificationEvents.some((event) => event === name.trim()));
	return unknown === undefined || value === "" ? [] : [notSupported(path, unknown.trim(), notificationEvents)];
}

const longestJitterMs = 24 * 3_600_000;

function jitter(value: string, path: string): Cause[] {
	const wanted = "must be a duration of at most 24h, such as 30s or 10m";
	return readJitter(value) === undefined ? [invalidValue(path, value, wanted)] : [];
}

function readJitter(text: string): number | undefined {
	try {
		const ms = durationMs(text);
		return ms <= longestJitterMs ? ms : undefined;
	} catch {
		return undefined;
	}
}

/** The maximum delay of a CronJob's runs; 0 if there is none. */
export function jitterMs({ metadata }: CronJob): number {
	const text = metadata.annotations?.[jitterAnnotation];
	return text === undefined ? 0 : (readJitter(text) ?? 0);
}

/** If one run replaces another, only the last one can be caught up. */
export function catchesUp({ metadata, spec }: CronJob): boolean {
	return metadata.annotations?.[catchUpAnnotation] === "all" && spec.concurrencyPolicy !== "Replace";
}

export function isAsked({ metadata }: { metadata: { annotations?: Record<string, string> } }, name: string): boolean {
	return metadata.annotations?.[name] === "true";
}

/**
 * The problems of annotations that are new or changed since `old`: a stored value must not prevent other changes.
 * Templates of pods and of Jobs are checked, too.
 */
export function selfHelpProblems(object: KubeObject, old: KubeObject | undefined): Cause[] {
	const causes = problemsOf(object.kind, object.metadata, old?.metadata, "metadata");
	const [template, before] = [templateOf(object), old && templateOf(old)];
	causes.push(...problemsOf("Pod", template?.metadata, before?.metadata, "spec.template.metadata"));
	// The object has that kind.
	if (object.kind === "Job" && old === undefined) causes.push(...perNodeProblems(object as Job, "spec"));
	if (object.kind !== "CronJob") return causes;
	// Both have that kind.
	const [jobs, jobsBefore] = [object as CronJob, old as CronJob | undefined].map((one) => one?.spec.jobTemplate);
	const [pods, podsBefore] = [jobs, jobsBefore].map((one) => one?.spec?.template?.metadata);
	causes.push(...problemsOf("Job", jobs?.metadata, jobsBefore?.metadata, "spec.jobTemplate.metadata"));
	causes.push(...problemsOf("Pod", pods, podsBefore, "spec.jobTemplate.spec.template.metadata"));
	// Another check requires its spec.
	if (old === undefined && jobs?.spec !== undefined)
		causes.push(...perNodeProblems({ metadata: jobs.metadata ?? {}, spec: jobs.spec }, "spec.jobTemplate.spec"));
	return causes;
}

/** A new Job that runs on each node cannot specify the number of nodes, nor end before the last one. */
function perNodeProblems(job: { metadata: Annotated; spec: JobSpec }, path: string): Cause[] {
	if (perNodeOf(job) === undefined) return [];
	const { completions = 0, completionMode, successPolicy } = job.spec;
	const causes: Cause[] = [];
	if (completions > 0)
		causes.push(
			invalidValue(
				`${path}.completions`,
				completions,
				`must not be set: with ${perNodeAnnotation} it follows the nodes`,
			),
		);
	if (completionMode === "NonIndexed")
		causes.push(
			invalidValue(`${path}.completionMode`, completionMode, `must be Indexed, or not set, with ${perNodeAnnotation}`),
		);
	if (successPolicy !== undefined)
		causes.push(forbidden(`${path}.successPolicy`, `may not be used with ${perNodeAnnotation}`));
	return causes;
}

interface Annotated {
	annotations?: Record<string, string>;
}

function problemsOf(kind: string, metadata: Annotated | undefined, old: Annotated | undefined, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const name in metadata?.annotations) {
		if (!name.includes(domain)) continue;
		const value = metadata.annotations[name] ?? "";
		if (old?.annotations?.[name] !== value)
			causes.push(...(checks[kind]?.[name]?.(value, annotationPath(name, path)) ?? []));
	}
	return causes;
}

/**
 * The problem of a workload that waits for itself through others.
 * @param cycle `deployment/a`, `job/b`, `deployment/a`
 */
export function cycleProblem(cycle: readonly string[]): Cause {
	return forbidden(annotationPath(afterAnnotation), `workloads would wait for each other: ${cycle.join(" → ")}`);
}

export function annotationPath(name: string, within = "metadata"): string {
	return `${within}.annotations[${name}]`;
}
