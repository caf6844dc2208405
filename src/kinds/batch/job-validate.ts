/** Validates a Job, or the Job template of a CronJob (API reference, "JobSpec"). */
import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { nonNegative, oneOf } from "../../core/validation/field-checks.ts";
import { invalidEach, invalidValue, notSupported, required, tooLongValue } from "../../core/validation/field-errors.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../../core/validation/names.ts";
import { validateLabelSelector } from "../engine/label-selector.ts";
import type { Job, JobSpec } from "../generated/types.ts";
import { validatePodTemplate, validateTemplateLabels } from "../pod/pod-template.ts";
import { validateFailurePolicy, validateSuccessPolicy } from "./job-policies.ts";
import { generatedJobLabels, jobLabels } from "./job-selector.ts";

const mostIndexedParallelism = 100_000;
const mostFailedIndexes = 100_000;
const manyCompletions = 100_000;
const parallelismOfMany = 10_000;

export function validateJob(job: Job): Cause[] {
	const { spec } = job;
	const causes = [...generatedSelector(job), ...validateJobSpec(spec, "spec")];
	if (spec.selector === undefined) causes.push(required("spec.selector"));
	else causes.push(...validateLabelSelector(spec.selector, "spec.selector"));
	causes.push(...validateTemplateLabels(spec.template, spec.selector, "spec.template"));
	if (spec.completionMode === "Indexed" && (spec.completions ?? 0) > 0) causes.push(...podHostname(job));
	return causes;
}

/** Rules that Jobs and Job templates share. */
export function validateJobSpec(spec: JobSpec, path: string): Cause[] {
	const counts = [
		"parallelism",
		"completions",
		"activeDeadlineSeconds",
		"backoffLimit",
		"ttlSecondsAfterFinished",
		"backoffLimitPerIndex",
		"maxFailedIndexes",
	] as const;
	const causes = [
		...counts.flatMap((count) => nonNegative(spec[count], `${path}.${count}`)),
		...limits(spec, path),
		...managedBy(spec.managedBy, `${path}.managedBy`),
		...indexed(spec, path),
		...validateFailurePolicy(spec, path),
		...validateSuccessPolicy(spec, path),
		...validatePodTemplate(spec.template, `${path}.template`),
	];
	causes.push(...replacement(spec, path));
	const policy = spec.template?.spec?.restartPolicy;
	const at = `${path}.template.spec.restartPolicy`;
	if (!policy || policy === "Always") causes.push(required(at, 'valid values: "OnFailure", "Never"'));
	else if (policy === "OnFailure" && spec.podFailurePolicy !== undefined)
		causes.push(invalidValue(at, policy, 'only "Never" is supported when podFailurePolicy is specified'));
	return causes;
}

function limits(spec: JobSpec, path: string): Cause[] {
	const causes: Cause[] = [];
	const { maxFailedIndexes, backoffLimitPerIndex, completions } = spec;
	if (maxFailedIndexes === undefined) return causes;
	if (backoffLimitPerIndex === undefined)
		causes.push(required(`${path}.backoffLimitPerIndex`, "when maxFailedIndexes is specified"));
	const at = `${path}.maxFailedIndexes`;
	if (completions !== undefined && maxFailedIndexes > completions)
		causes.push(invalidValue(at, maxFailedIndexes, "must be less than or equal to completions"));
	if (maxFailedIndexes > mostFailedIndexes)
		causes.push(invalidValue(at, maxFailedIndexes, `must be less than or equal to ${mostFailedIndexes}`));
	return causes;
}

/** A name with a domain, such as `example.com/scheduler`. */
function managedBy(value: string | undefined, path: string): Cause[] {
	if (value === undefined) return [];
	const causes: Cause[] = [];
	const [domain = "", rest] = value.split("/", 2);
	if (value === "") causes.push(required(path));
	else if (rest === undefined || rest === "" || domain === "")
		causes.push(invalidValue(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")'));
	else causes.push(...invalidEach(path, domain, dnsSubdomainProblems(domain)));
	if (value.length > 63) causes.push(tooLongValue(path, 63));
	return causes;
}

function indexed(spec: JobSpec, path: string): Cause[] {
	const { completionMode, completions, parallelism = 0, backoffLimitPerIndex, maxFailedIndexes } = spec;
	const causes: Cause[] = [];
	if (completionMode !== undefined && completionMode !== "NonIndexed" && completionMode !== "Indexed")
		return [notSupported(`${path}.completionMode`, completionMode, ["Indexed", "NonIndexed"])];
	if (completionMode !== "Indexed") {
		for (const field of ["backoffLimitPerIndex", "maxFailedIndexes"] as const)
			if (spec[field] !== undefined)
				causes.push(invalidValue(`${path}.${field}`, spec[field], "requires indexed completion mode"));
		return causes;
	}
	if (completions === undefined) causes.push(required(`${path}.completions`, "when completion mode is Indexed"));
	if (parallelism > mostIndexedParallelism)
		causes.push(
			invalidValue(
				`${path}.parallelism`,
				parallelism,
				`must be less than or equal to ${mostIndexedParallelism} when completion mode is Indexed`,
			),
		);
	if (backoffLimitPerIndex === undefined || (completions ?? 0) <= manyCompletions) return causes;
	if (maxFailedIndexes === undefined)
		causes.push(required(`${path}.maxFailedIndexes`, `must be specified when completions is above ${manyCompletions}`));
	const bound = `when completions are above ${manyCompletions} and used with backoff limit per index`;
	if (parallelism > parallelismOfMany)
		causes.push(
			invalidValue(`${path}.parallelism`, parallelism, `must be less than or equal to ${parallelismOfMany} ${bound}`),
		);
	if ((maxFailedIndexes ?? 0) > parallelismOfMany)
		causes.push(
			invalidValue(
				`${path}.maxFailedIndexes`,
				maxFailedIndexes,
				`must be less than or equal to ${parallelismOfMany} ${bound}`,
			),
		);
	return causes;
}

function replacement(spec: JobSpec, path: string): Cause[] {
	const at = `${path}.podReplacementPolicy`;
	const supported = spec.podFailurePolicy === undefined ? ["Failed", "TerminatingOrFailed"] : ["Failed"];
	return oneOf(spec.podReplacementPolicy, supported, at);
}

/** Without manualSelector, labels and selector must be the generated ones. */
function generatedSelector(job: Job): Cause[] {
	const { spec, metadata } = job;
	if (spec.manualSelector === true || metadata.uid === undefined || spec.selector === undefined) return [];
	const causes: Cause[] = [];
	const labels = spec.template?.metadata?.labels ?? {};
	for (const [key, value] of Object.entries(generatedJobLabels(job))) {
		const at = "spec.template.metadata.labels";
		if (labels[key] === undefined) {
			// Jobs of clients that know only the old names stay valid.
			if (key === jobLabels.legacyName || key === jobLabels.legacyUid)
				causes.push(required(`${at}`, `must be '${value}'`));
		} else if (labels[key] !== value) causes.push(invalidValue(at, labels, `must be '${value}'`));
	}
	const expected = [jobLabels.uid, jobLabels.legacyUid].map((key) => ({ matchLabels: { [key]: metadata.uid } }));
	if (!expected.some((selector) => semanticEqual(selector, spec.selector)))
		causes.push(invalidValue("spec.selector", spec.selector, "`selector` not auto-generated"));
	return causes;
}

/** Pods of an Indexed Job have host names of the form `job-index`. */
function podHostname(job: Job): Cause[] {
	const { name } = job.metadata;
	const hostname = `${name}-${(job.spec.completions ?? 1) - 1}`;
	if (name === undefined || dnsLabelProblems(hostname).length === 0) return [];
	return [invalidValue("metadata.name", name, `will not able to create pod with invalid DNS label: ${hostname}`)];
}
