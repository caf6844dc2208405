/** What is wrong with a HorizontalPodAutoscaler, in upstream's order and words. */
import type { Cause } from "../../core/errors.ts";
import { quantityNano } from "../../core/quantity.ts";
import { atLeast, oneOf, pathSegment, positive } from "../../core/validation/field-checks.ts";
import { forbidden, invalidEach, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { dnsLabelProblems } from "../../core/validation/names.ts";
import type { V2HorizontalPodAutoscaler, V2HPAScalingRules, V2MetricSpec, V2MetricTarget } from "../generated/types.ts";

/** @param old before an update: the one without replicas may stay so */
export function horizontalPodAutoscalerProblems(
	{ spec }: V2HorizontalPodAutoscaler,
	old?: V2HorizontalPodAutoscaler,
): Cause[] {
	const { minReplicas = 1, maxReplicas, scaleTargetRef = {}, metrics = [], behavior } = spec;
	const causes = [
		...atLeast(minReplicas, old?.spec.minReplicas === 0 ? 0 : 1, "spec.minReplicas"),
		...positive(maxReplicas ?? 0, "spec.maxReplicas"),
	];
	if (maxReplicas < minReplicas)
		causes.push(invalidValue("spec.maxReplicas", maxReplicas, "must be greater than or equal to `minReplicas`"));
	causes.push(...referenceProblems(scaleTargetRef, "spec.scaleTargetRef"));
	for (const [index, metric] of metrics.entries()) causes.push(...metricProblems(metric, `spec.metrics[${index}]`));
	if (minReplicas === 0 && !metrics.some(({ type }) => type === "Object" || type === "External")) {
		const why = "must specify at least one Object or External metric to support scaling to zero replicas";
		causes.push(forbidden("spec.metrics", why));
	}
	return causes.concat(
		rules(behavior?.scaleUp, "spec.behavior.scaleUp"),
		rules(behavior?.scaleDown, "spec.behavior.scaleDown"),
	);
}

function referenceProblems({ kind, name }: { kind?: string; name?: string }, path: string): Cause[] {
	return [...pathSegment(kind, `${path}.kind`), ...pathSegment(name, `${path}.name`)];
}

/** Metric type → the field that describes it. */
const sources = {
	Object: "object",
	External: "external",
	Pods: "pods",
	Resource: "resource",
	ContainerResource: "containerResource",
} as const;
const metricTypes = Object.keys(sources).sort();

function metricProblems(metric: V2MetricSpec, path: string): Cause[] {
	const causes: Cause[] = [];
	const { type = "" } = metric;
	if (type === "") causes.push(required(`${path}.type`, "must specify a metric source type"));
	const isKnown = (text: string): text is keyof typeof sources => metricTypes.includes(text);
	if (!isKnown(type)) return [...causes, notSupported(`${path}.type`, type, metricTypes)];
	const given = Object.values(sources).filter((field) => metric[field] !== undefined);
	if (given[0] !== undefined) causes.push(...sourceProblems(metric, given[0], `${path}.${given[0]}`));
	const field = sources[type];
	if (!given.includes(field))
		causes.push(required(`${path}.${field}`, "must populate information for the given metric source"));
	if (given.length > 1)
		for (const other of given)
			if (other !== field) causes.push(forbidden(`${path}.${other}`, "must populate the given metric source only"));
	return causes;
}

function sourceProblems(metric: V2MetricSpec, field: (typeof sources)[keyof typeof sources], path: string): Cause[] {
	const source = metric[field];
	if (source === undefined) return [];
	const { target } = source;
	const causes: Cause[] = [];
	if (field === "object")
		causes.push(...referenceProblems(metric.object?.describedObject ?? {}, `${path}.describedObject`));
	if ("metric" in source)
		causes.push(...pathSegment(source.metric?.name, `${path}.metric.name`, "must specify a metric name"));
	if ("name" in source && !source.name) causes.push(required(`${path}.name`, "must specify a resource name"));
	if (field === "containerResource") causes.push(...containerProblems(metric.containerResource?.container, path));
	return causes.concat(targetProblems(target, `${path}.target`), choiceProblems(field, target, `${path}.target`));
}

function containerProblems(container: string | undefined, path: string): Cause[] {
	const at = `${path}.container`;
	return container
		? invalidEach(at, container, dnsLabelProblems(container))
		: [required(at, "must specify a container")];
}

/** Which of the three values a source takes. */
function choiceProblems(field: string, target: Partial<V2MetricTarget> | undefined, path: string): Cause[] {
	const { value, averageValue, averageUtilization } = target ?? {};
	const average = `${path}.averageValue`;
	switch (field) {
		case "pods":
			return averageValue === undefined ? [required(average, "must specify a positive target averageValue")] : [];
		case "object":
			if (value !== undefined || averageValue !== undefined) return [];
			return [required(average, "must set either a target value or averageValue")];
		case "external":
			if (value === undefined && averageValue === undefined)
				return [required(average, "must set either a target value for metric or a per-pod target")];
			if (value === undefined || averageValue === undefined) return [];
			return [forbidden(`${path}.value`, "may not set both a target value for metric and a per-pod target")];
		default:
			if (averageUtilization === undefined && averageValue === undefined) {
				const why = "must set either a target raw value or a target utilization";
				return [required(`${path}.averageUtilization`, why)];
			}
			if (averageUtilization === undefined || averageValue === undefined) return [];
			return [forbidden(average, "may not set both a target raw value and a target utilization")];
	}
}

function targetProblems(target: Partial<V2MetricTarget> | undefined, path: string): Cause[] {
	const { type = "", averageUtilization } = target ?? {};
	const causes: Cause[] = [];
	if (type === "") causes.push(required(`${path}.type`, "must specify a metric target type"));
	if (!["AverageValue", "Utilization", "Value"].includes(type))
		causes.push(invalidValue(`${path}.type`, type, "must be either Utilization, Value, or AverageValue"));
	for (const field of ["value", "averageValue"] as const) {
		const quantity = target?.[field];
		if (quantity !== undefined && quantityNano(quantity) <= 0n)
			causes.push(invalidValue(`${path}.${field}`, quantity, "must be positive"));
	}
	return causes.concat(positive(averageUtilization, `${path}.averageUtilization`));
}

function rules(rule: V2HPAScalingRules | undefined, path: string): Cause[] {
	if (rule === undefined) return [];
	const causes: Cause[] = [];
	const window = rule.stabilizationWindowSeconds ?? 0;
	const at = `${path}.stabilizationWindowSeconds`;
	if (window < 0) causes.push(invalidValue(at, window, "must be greater than or equal to zero"));
	else if (window > 3600) causes.push(invalidValue(at, window, "must be less than or equal to 3600"));
	if (rule.tolerance !== undefined && quantityNano(rule.tolerance) < 0n)
		causes.push(invalidValue(`${path}.tolerance`, rule.tolerance, "must be greater than or equal to 0"));
	causes.push(...oneOf(rule.selectPolicy, ["Disabled", "Max", "Min"], `${path}.selectPolicy`));
	if ((rule.policies ?? []).length === 0) causes.push(required(`${path}.policies`, "must specify at least one Policy"));
	for (const [index, { type, value, periodSeconds }] of (rule.policies ?? []).entries()) {
		const item = `${path}.policies[${index}]`;
		causes.push(...oneOf(type, ["Percent", "Pods"], `${item}.type`));
		if (value <= 0) causes.push(invalidValue(`${item}.value`, value, "must be greater than zero"));
		if (periodSeconds <= 0)
			causes.push(invalidValue(`${item}.periodSeconds`, periodSeconds, "must be greater than zero"));
		if (periodSeconds > 1800)
			causes.push(invalidValue(`${item}.periodSeconds`, periodSeconds, "must be less than or equal to 1800"));
	}
	return causes;
}
