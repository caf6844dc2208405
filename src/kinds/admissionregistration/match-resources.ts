/** Which requests a policy or a binding is about (`MatchResources`). */
import type { Cause } from "../../core/errors.ts";
import { duplicate, invalidEach, notSupported, required } from "../../core/validation/field-errors.ts";
import { pathSegmentProblems } from "../../core/validation/names.ts";
import { validateLabelSelector } from "../engine/label-selector.ts";
import type { MatchResources, NamedRuleWithOperations } from "../generated/types.ts";
import { setRuleDefaults, validateRule } from "./rules.ts";

export function setMatchResourcesDefaults(resources: MatchResources | undefined): void {
	if (resources === undefined) return;
	resources.matchPolicy ??= "Equivalent";
	resources.namespaceSelector ??= {};
	resources.objectSelector ??= {};
	setRuleDefaults(resources.resourceRules);
	setRuleDefaults(resources.excludeResourceRules);
}

export function validateMatchResources(resources: MatchResources, path: string): Cause[] {
	const { matchPolicy = "", resourceRules = [], excludeResourceRules = [] } = resources;
	const causes: Cause[] = [];
	if (matchPolicy === "") causes.push(required(`${path}.matchPolicy`));
	else if (matchPolicy !== "Equivalent" && matchPolicy !== "Exact")
		causes.push(notSupported(`${path}.matchPolicy`, matchPolicy, ["Equivalent", "Exact"]));
	return causes.concat(
		validateLabelSelector(resources.namespaceSelector, `${path}.namespaceSelector`),
		validateLabelSelector(resources.objectSelector, `${path}.objectSelector`),
		resourceRules.flatMap((rule, index) => validateNamedRule(rule, `${path}.resourceRules[${index}]`)),
		excludeResourceRules.flatMap((rule, index) => validateNamedRule(rule, `${path}.excludeResourceRules[${index}]`)),
	);
}

function validateNamedRule(rule: NamedRuleWithOperations, path: string): Cause[] {
	const causes: Cause[] = [];
	const names = rule.resourceNames ?? [];
	for (const [index, name] of names.entries()) {
		const at = `${path}.resourceNames[${index}]`;
		causes.push(...invalidEach(at, name, pathSegmentProblems(name)));
		if (names.indexOf(name) < index) causes.push(duplicate(at, name));
	}
	return causes.concat(validateRule(rule, path));
}
