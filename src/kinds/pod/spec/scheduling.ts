/** Where a pod may run: node selectors, affinity, tolerations, topology spread. */
import type { Cause } from "../../../core/errors.ts";
import { labels, oneOf, positive, requiredOneOf } from "../../../core/validation/field-checks.ts";
import {
	duplicate,
	forbidden,
	invalidEach,
	invalidValue,
	notSupported,
	required,
} from "../../../core/validation/field-errors.ts";
import { dnsLabelProblems, labelValueProblems, qualifiedNameProblems } from "../../../core/validation/names.ts";
import { validateLabelSelector } from "../../engine/label-selector.ts";
import type {
	Affinity,
	NodeSelector,
	NodeSelectorRequirement,
	NodeSelectorTerm,
	PodAffinityTerm,
	PodSpec,
	Toleration,
	TopologySpreadConstraint,
} from "../../generated/types.ts";

export const taintEffects = ["NoExecute", "NoSchedule", "PreferNoSchedule"];

export function validateScheduling(spec: PodSpec, path: string): Cause[] {
	const causes = [
		...labels(spec.nodeSelector, `${path}.nodeSelector`),
		...validateAffinity(spec.affinity, `${path}.affinity`),
		...validateTolerations(spec.tolerations, `${path}.tolerations`),
		...spread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
	];
	for (const [index, { conditionType }] of (spec.readinessGates ?? []).entries())
		causes.push(
			...invalidEach(
				`${path}.readinessGates[${index}].conditionType`,
				conditionType,
				qualifiedNameProblems(conditionType),
			),
		);
	const gates = new Set<string>();
	for (const [index, { name }] of (spec.schedulingGates ?? []).entries()) {
		const at = `${path}.schedulingGates[${index}]`;
		causes.push(...invalidEach(at, name, qualifiedNameProblems(name)));
		if (gates.has(name)) causes.push(duplicate(at, name));
		gates.add(name);
	}
	if (gates.size > 0 && spec.nodeName)
		causes.push(forbidden(`${path}.nodeName`, "cannot be set until all schedulingGates have been cleared"));
	return causes;
}

export function validateTolerations(tolerations: readonly Toleration[] | undefined, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const [index, toleration] of (tolerations ?? []).entries()) {
		const at = `${path}[${index}]`;
		const { key = "", operator = "", value = "", effect = "", tolerationSeconds } = toleration;
		if (key !== "") causes.push(...invalidEach(`${at}.key`, key, qualifiedNameProblems(key)));
		else if (operator !== "Exists")
			causes.push(
				invalidValue(
					`${at}.operator`,
					operator,
					'operator must be Exists when `key` is empty, which means "match all values and all keys"',
				),
			);
		if (tolerationSeconds !== undefined && effect !== "NoExecute")
			causes.push(invalidValue(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"));
		if (operator === "Equal" || operator === "")
			causes.push(...invalidEach(`${at}.operator`, value, labelValueProblems(value)));
		else if (operator === "Exists") {
			if (value !== "")
				causes.push(invalidValue(`${at}.operator`, toleration, "value must be empty when `operator` is 'Exists'"));
		} else causes.push(notSupported(`${at}.operator`, operator, ["Equal", "Exists"]));
		causes.push(...oneOf(effect, taintEffects, `${at}.effect`));
	}
	return causes;
}

function validateAffinity(affinity: Affinity | undefined, path: string): Cause[] {
	if (affinity === undefined) return [];
	const causes: Cause[] = [];
	const { nodeAffinity } = affinity;
	if (nodeAffinity !== undefined) {
		const at = `${path}.nodeAffinity`;
		const {
			requiredDuringSchedulingIgnoredDuringExecution: must,
			preferredDuringSchedulingIgnoredDuringExecution: may,
		} = nodeAffinity;
		if (must !== undefined)
			causes.push(...validateNodeSelector(must, `${at}.requiredDuringSchedulingIgnoredDuringExecution`));
		for (const [index, { weight, preference }] of (may ?? []).entries()) {
			const item = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
			causes.push(...weightProblems(weight, `${item}.weight`), ...nodeTerm(preference ?? {}, `${item}.preference`));
		}
	}
	for (const name of ["podAffinity", "podAntiAffinity"] as const) {
		const at = `${path}.${name}`;
		const {
			requiredDuringSchedulingIgnoredDuringExecution: must,
			preferredDuringSchedulingIgnoredDuringExecution: may,
		} = affinity[name] ?? {};
		for (const [index, term] of (must ?? []).entries())
			causes.push(...podTerm(term, `${at}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`));
		for (const [index, { weight, podAffinityTerm }] of (may ?? []).entries()) {
			const item = `${at}.preferredDuringSchedulingIgnoredDuringExecution[${index}]`;
			causes.push(
				...weightProblems(weight, `${item}.weight`),
				...podTerm(podAffinityTerm ?? { topologyKey: "" }, `${item}.podAffinityTerm`),
			);
		}
	}
	return causes;
}

function weightProblems(weight: number, path: string): Cause[] {
	return weight >= 1 && weight <= 100 ? [] : [invalidValue(path, weight, "must be in the range 1-100")];
}

export function validateNodeSelector(selector: NodeSelector, path: string): Cause[] {
	const terms = selector.nodeSelectorTerms ?? [];
	if (terms.length === 0) return [required(`${path}.nodeSelectorTerms`, "must have at least one node selector term")];
	return terms.flatMap((term, index) => nodeTerm(term, `${path}.nodeSelectorTerms[${index}]`));
}

function nodeTerm(term: NodeSelectorTerm, path: string): Cause[] {
	const causes: Cause[] = [];
	for (const [index, requirement] of (term.matchExpressions ?? []).entries()) {
		const at = `${path}.matchExpressions[${index}]`;
		causes.push(...nodeRequirement(requirement, at));
		causes.push(...invalidEach(`${at}.key`, requirement.key, qualifiedNameProblems(requirement.key)));
	}
	for (const [index, { key, operator, values }] of (term.matchFields ?? []).entries()) {
		const at = `${path}.matchFields[${index}]`;
		if (operator !== "In" && operator !== "NotIn")
			causes.push(invalidValue(`${at}.operator`, operator, "not a valid selector operator"));
		else if (values?.length !== 1)
			causes.push(
				required(`${at}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
			);
		if (key !== "metadata.name") causes.push(invalidValue(`${at}.key`, key, "not a valid field selector key"));
	}
	return causes;
}

function nodeRequirement({ operator, values = [] }: NodeSelectorRequirement, path: string): Cause[] {
	switch (operator) {
		case "In":
		case "NotIn":
			if (values.length > 0) return [];
			return [required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'")];
		case "Exists":
		case "DoesNotExist":
			if (values.length === 0) return [];
			return [forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")];
		case "Gt":
		case "Lt":
			if (values.length === 1) return [];
			return [required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'")];
		default:
			return [invalidValue(`${path}.operator`, operator, "not a valid selector operator")];
	}
}

function podTerm(term: PodAffinityTerm, path: string): Cause[] {
	const causes = [
		...validateLabelSelector(term.labelSelector, `${path}.labelSelector`),
		...validateLabelSelector(term.namespaceSelector, `${path}.namespaceSelector`),
	];
	for (const name of term.namespaces ?? [])
		causes.push(...invalidEach(`${path}.namespace`, name, dnsLabelProblems(name)));
	for (const field of ["matchLabelKeys", "mismatchLabelKeys"] as const) {
		const keys = term[field] ?? [];
		if (keys.length > 0 && term.labelSelector === undefined)
			causes.push(forbidden(`${path}.${field}`, "must not be specified when labelSelector is not set"));
		for (const [index, key] of keys.entries())
			causes.push(...invalidEach(`${path}.${field}[${index}]`, key, qualifiedNameProblems(key)));
	}
	if (!term.topologyKey) causes.push(required(`${path}.topologyKey`, "can not be empty"));
	else causes.push(...invalidEach(`${path}.topologyKey`, term.topologyKey, qualifiedNameProblems(term.topologyKey)));
	return causes;
}

function spread(constraints: readonly TopologySpreadConstraint[] | undefined, path: string): Cause[] {
	const causes: Cause[] = [];
	const seen = new Set<string>();
	for (const [index, constraint] of (constraints ?? []).entries()) {
		const at = `${path}[${index}]`;
		const { maxSkew, minDomains, topologyKey, whenUnsatisfiable } = constraint;
		causes.push(...positive(maxSkew ?? 0, `${at}.maxSkew`), ...positive(minDomains, `${at}.minDomains`));
		if (!topologyKey) causes.push(required(`${at}.topologyKey`, "can not be empty"));
		else causes.push(...invalidEach(`${at}.topologyKey`, topologyKey, qualifiedNameProblems(topologyKey)));
		causes.push(...requiredOneOf(whenUnsatisfiable, ["DoNotSchedule", "ScheduleAnyway"], `${at}.whenUnsatisfiable`));
		if (minDomains !== undefined && whenUnsatisfiable === "ScheduleAnyway")
			causes.push(
				invalidValue(
					`${at}.minDomains`,
					minDomains,
					"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway",
				),
			);
		const key = `${topologyKey}, ${whenUnsatisfiable}`;
		if (seen.has(key)) causes.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${key}}`));
		seen.add(key);
		causes.push(
			...oneOf(constraint.nodeAffinityPolicy, ["Honor", "Ignore"], `${at}.nodeAffinityPolicy`),
			...oneOf(constraint.nodeTaintsPolicy, ["Honor", "Ignore"], `${at}.nodeTaintsPolicy`),
			...validateLabelSelector(constraint.labelSelector, `${at}.labelSelector`),
		);
		const keys = constraint.matchLabelKeys ?? [];
		if (keys.length > 0 && constraint.labelSelector === undefined)
			causes.push(forbidden(`${at}.matchLabelKeys`, "must not be specified when labelSelector is not set"));
	}
	return causes;
}
