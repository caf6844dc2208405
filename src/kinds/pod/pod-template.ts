/** Validates the pod template of a workload, and its selector. */
import type { Cause } from "../../core/errors.ts";
import type { LabelSelector } from "../../core/selection/selector.ts";
import { annotations, labels } from "../../core/validation/field-checks.ts";
import { forbidden, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { isEmptySelector, matchesOrBroken, validateLabelSelector } from "../engine/label-selector.ts";
import type { PodTemplateSpec } from "../generated/types.ts";
import { validatePodSpec } from "./spec/validate.ts";

export function validatePodTemplate(template: PodTemplateSpec | undefined, path: string): Cause[] {
	if (template === undefined) return [required(path)];
	const causes = [
		...labels(template.metadata?.labels, `${path}.metadata.labels`),
		...annotations(template.metadata?.annotations, `${path}.metadata.annotations`),
		...validatePodSpec(template.spec, `${path}.spec`),
	];
	if (template.spec?.ephemeralContainers !== undefined)
		causes.push(forbidden(`${path}.spec.ephemeralContainers`, "ephemeral containers not allowed in pod template"));
	return causes;
}

/** The template of a workload that keeps its pods running: they always restart, and match the selector. */
export function validateRunningTemplate(
	template: PodTemplateSpec | undefined,
	selector: LabelSelector | undefined,
	kind: string,
	path: string,
): Cause[] {
	const causes = validatePodTemplate(template, path);
	const policy = template?.spec?.restartPolicy;
	if (policy !== undefined && policy !== "Always" && ["Never", "OnFailure"].includes(policy))
		causes.push(notSupported(`${path}.spec.restartPolicy`, policy, ["Always"]));
	if (template?.spec?.activeDeadlineSeconds !== undefined)
		causes.push(forbidden(`${path}.spec.activeDeadlineSeconds`, `activeDeadlineSeconds in ${kind} is not Supported`));
	return [...validateTemplateLabels(template, selector, path), ...causes];
}

/** The selector must match the template's labels; an absent one matches nothing. */
export function validateTemplateLabels(
	template: PodTemplateSpec | undefined,
	selector: LabelSelector | undefined,
	path: string,
): Cause[] {
	if (selector !== undefined && isEmptySelector(selector)) return [];
	const templateLabels = template?.metadata?.labels;
	if (selector !== undefined && matchesOrBroken(selector, templateLabels ?? {})) return [];
	return [invalidValue(`${path}.metadata.labels`, templateLabels, "`selector` does not match template `labels`")];
}

/** @param kind in lower case, for the message: `deployment` */
export function validateWorkloadSelector(selector: LabelSelector | undefined, kind: string, path: string): Cause[] {
	if (selector === undefined) return [required(path)];
	const causes = validateLabelSelector(selector, path);
	if (isEmptySelector(selector)) causes.push(invalidValue(path, selector, `empty selector is invalid for ${kind}`));
	return causes;
}
