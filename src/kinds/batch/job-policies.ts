/** Pod failure policy and success policy of jobs (KEP-3329, KEP-3998). */
import type { Cause } from "../../core/errors.ts";
import { nonNegative, requiredOneOf } from "../../core/validation/field-checks.ts";
import { duplicate, invalidEach, invalidValue, required, tooMany } from "../../core/validation/field-errors.ts";
import { qualifiedNameProblems } from "../../core/validation/names.ts";
import type { JobSpec, PodFailurePolicyOnExitCodesRequirement, PodFailurePolicyRule } from "../generated/types.ts";
import { parseIndexes } from "./job-indexes.ts";

const mostRules = 20;
const mostExitCodes = 255;
const actions = ["Count", "FailIndex", "FailJob", "Ignore"];

export function validateFailurePolicy(spec: JobSpec, path: string): Cause[] {
	const rules = spec.podFailurePolicy?.rules;
	if (spec.podFailurePolicy === undefined) return [];
	const at = `${path}.podFailurePolicy.rules`;
	if ((rules ?? []).length > mostRules) return [tooMany(at, rules?.length ?? 0, mostRules)];
	const template = spec.template?.spec;
	const names = new Set(
		[...(template?.containers ?? []), ...(template?.initContainers ?? [])].map((container) => container.name),
	);
	return (rules ?? []).flatMap((rule, index) => failureRule(rule, spec, names, `${at}[${index}]`));
}

function failureRule(rule: PodFailurePolicyRule, spec: JobSpec, names: ReadonlySet<string>, path: string): Cause[] {
	const causes = requiredOneOf(rule.action, actions, `${path}.action`);
	if (rule.action === "FailIndex" && spec.backoffLimitPerIndex === undefined)
		causes.push(invalidValue(`${path}.action`, rule.action, "requires the backoffLimitPerIndex to be set"));
	if (rule.onExitCodes !== undefined) causes.push(...exitCodes(rule.onExitCodes, names, `${path}.onExitCodes`));
	const conditions = rule.onPodConditions ?? [];
	if (conditions.length > mostRules) causes.push(tooMany(`${path}.onPodConditions`, conditions.length, mostRules));
	for (const [index, { type, status }] of conditions.entries()) {
		const at = `${path}.onPodConditions[${index}]`;
		causes.push(...invalidEach(`${at}.type`, type, qualifiedNameProblems(type)));
		causes.push(...requiredOneOf(status, ["False", "True", "Unknown"], `${at}.status`));
	}
	if (rule.onExitCodes !== undefined && conditions.length > 0)
		causes.push(invalidValue(path, rule, "specifying both OnExitCodes and OnPodConditions is not supported"));
	if (rule.onExitCodes === undefined && conditions.length === 0)
		causes.push(invalidValue(path, rule, "specifying one of OnExitCodes and OnPodConditions is required"));
	return causes;
}

function exitCodes(
	{ operator, values = [], containerName }: PodFailurePolicyOnExitCodesRequirement,
	names: ReadonlySet<string>,
	path: string,
): Cause[] {
	const causes = requiredOneOf(operator, ["In", "NotIn"], `${path}.operator`);
	if (containerName !== undefined && !names.has(containerName))
		causes.push(
			invalidValue(
				`${path}.containerName`,
				containerName,
				"must be one of the container or initContainer names in the pod template",
			),
		);
	if (values.length === 0) causes.push(invalidValue(`${path}.values`, values, "at least one value is required"));
	else if (values.length > mostExitCodes) causes.push(tooMany(`${path}.values`, values.length, mostExitCodes));
	const seen = new Set<number>();
	let ordered = true;
	for (const [index, value] of values.entries()) {
		if (operator === "In" && value === 0)
			causes.push(invalidValue(`${path}.values[${index}]`, value, "must not be 0 for the In operator"));
		if (seen.has(value)) causes.push(duplicate(`${path}.values[${index}]`, value));
		seen.add(value);
		if (value < (values[index - 1] ?? value)) ordered = false;
	}
	if (!ordered) causes.push(invalidValue(`${path}.values`, values, "must be ordered"));
	return causes;
}

export function validateSuccessPolicy(spec: JobSpec, path: string): Cause[] {
	if (spec.successPolicy === undefined) return [];
	const at = `${path}.successPolicy`;
	if (spec.completionMode !== "Indexed")
		return [invalidValue(at, spec.successPolicy, "requires indexed completion mode")];
	const rules = spec.successPolicy.rules ?? [];
	if (rules.length === 0)
		return [required(`${at}.rules`, "at least one rules must be specified when the successPolicy is specified")];
	if (rules.length > mostRules) return [tooMany(`${at}.rules`, rules.length, mostRules)];
	const completions = spec.completions ?? 0;
	return rules.flatMap(({ succeededCount, succeededIndexes }, index) => {
		const rule = `${at}.rules[${index}]`;
		if (succeededCount === undefined && succeededIndexes === undefined)
			return [required(rule, "at least one of succeededCount or succeededIndexes must be specified")];
		const causes = nonNegative(succeededCount, `${rule}.succeededCount`);
		let count = completions;
		if (succeededIndexes !== undefined) {
			const parsed = parseIndexes(succeededIndexes, completions);
			if (typeof parsed === "string")
				causes.push(
					invalidValue(`${rule}.succeededIndexes`, succeededIndexes, `error parsing succeededIndexes: ${parsed}`),
				);
			else count = parsed.reduce((total, [first, last]) => total + last - first + 1, 0);
		}
		if (succeededCount !== undefined && succeededCount > completions)
			causes.push(
				invalidValue(
					`${rule}.succeededCount`,
					succeededCount,
					`must be less than or equal to ${completions} (the number of specified completions)`,
				),
			);
		else if (succeededCount !== undefined && succeededIndexes !== undefined && succeededCount > count)
			causes.push(
				invalidValue(
					`${rule}.succeededCount`,
					succeededCount,
					`must be less than or equal to ${count} (the number of indexes in the specified succeededIndexes field)`,
				),
			);
		return causes;
	});
}
