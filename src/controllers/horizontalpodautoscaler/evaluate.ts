/** The combined result of an autoscaler's metrics. Pure. */
import { formatQuantity, parseQuantity, quantityMilli } from "../../core/quantity.ts";
import type {
	V2HorizontalPodAutoscaler,
	V2MetricSpec,
	V2MetricStatus,
	V2MetricTarget,
	V2MetricValueStatus,
} from "../../kinds/generated/types.ts";
import type { Reading } from "./metrics.ts";
import {
	byAverage,
	byShare,
	byUtilization,
	byValue,
	type Measured,
	type Proposal,
	type Tolerance,
} from "./replicas.ts";

const defaultTolerance = 0.1;

export interface MetricFailure {
	reason: string;
	/** The error, for the condition. */
	problem: string;
	/** The same, for the summary Event. */
	summary: string;
}

export interface Evaluation {
	/** Undefined if the metrics do not provide enough information for a change. */
	wanted?: { replicas: number; metric: string };
	statuses: V2MetricStatus[];
	failures: MetricFailure[];
}

interface Outcome {
	proposal: Proposal;
	metric: string;
	status: V2MetricStatus;
}

export function evaluate(
	{ spec }: V2HorizontalPodAutoscaler,
	readings: readonly Reading[],
	measured: Omit<Measured, "tolerance"> & { statusReplicas: number },
): Evaluation {
	const tolerance = toleranceOf(spec.behavior);
	const statuses: V2MetricStatus[] = [];
	const failures: MetricFailure[] = [];
	let best: { replicas: number; metric: string } | undefined;
	for (const [index, metric] of (spec.metrics ?? []).entries()) {
		const reading = readings[index] ?? { problem: "there is no reading" };
		const outcome = evaluateOne(metric, reading, { ...measured, tolerance });
		if ("reason" in outcome) {
			failures.push(outcome);
			// Statuses are in the order of the metrics.
			statuses.push({ type: "" });
			continue;
		}
		statuses.push(outcome.status);
		const { replicas } = outcome.proposal;
		if (best === undefined || replicas > best.replicas) best = { replicas, metric: outcome.metric };
	}
	// If a metric is unknown, the others may only add pods.
	const enough = best !== undefined && (failures.length === 0 || best.replicas >= measured.currentReplicas);
	return { ...(best !== undefined && enough ? { wanted: best } : {}), statuses, failures };
}

function toleranceOf(behavior: V2HorizontalPodAutoscaler["spec"]["behavior"]): Tolerance {
	const of = (text: string | undefined) => (text === undefined ? defaultTolerance : parseQuantity(text));
	return { down: of(behavior?.scaleDown?.tolerance), up: of(behavior?.scaleUp?.tolerance) };
}

type AllMeasured = Measured & { statusReplicas: number };

function evaluateOne(spec: V2MetricSpec, reading: Reading, measured: AllMeasured): Outcome | MetricFailure {
	const { resource, containerResource, pods, object, external } = spec;
	if (spec.type === "Resource" && resource !== undefined) {
		const { name, target } = resource;
		const fail = failing("FailedGetResourceMetric", `failed to get ${name} resource metric value`);
		const found = resourceProposal(reading, measured, { name, target });
		if ("problem" in found) return fail(found.problem);
		const metric =
			found.percent === undefined ? `${name} resource` : `${name} resource utilization (percentage of request)`;
		return { proposal: found, metric, status: { type: spec.type, resource: { name, current: currentOf(found) } } };
	}
	if (spec.type === "ContainerResource" && containerResource !== undefined) {
		const { name, container, target } = containerResource;
		const fail = failing("FailedGetContainerResourceMetric", `failed to get ${container} container metric value`);
		const found = resourceProposal(reading, measured, { name, target, container });
		if ("problem" in found) return fail(found.problem);
		const metric =
			found.percent === undefined
				? `${name} resource`
				: `${name} container resource utilization (percentage of request)`;
		const status = { name, container, current: currentOf(found) };
		return { proposal: found, metric, status: { type: spec.type, containerResource: status } };
	}
	if (spec.type === "Pods" && pods !== undefined) {
		const fail = failing("FailedGetPodsMetric", "failed to get pods metric value");
		if ("problem" in reading) return fail(reading.problem);
		if (!("samples" in reading)) return fail("there are no samples of pods");
		const found = byAverage(measured, reading.samples, { resource: "", milli: milliOf(pods.target.averageValue) });
		if ("problem" in found) return fail(found.problem);
		const status = { metric: pods.metric, current: { averageValue: text(found.milli) } };
		return { proposal: found, metric: `pods metric ${pods.metric.name}`, status: { type: spec.type, pods: status } };
	}
	if (spec.type === "Object" && object !== undefined) {
		const fail = failing("FailedGetObjectMetric", "failed to get object metric value");
		const found = valueProposal(reading, measured, object.target);
		if ("problem" in found) return fail(found.problem);
		const { metric, describedObject } = object;
		const status = { metric, describedObject, current: valueStatus(found, object.target) };
		const name = `${describedObject.kind} metric ${metric.name}`;
		return { proposal: found, metric: name, status: { type: spec.type, object: status } };
	}
	if (spec.type === "External" && external !== undefined) {
		const { metric, target } = external;
		const fail = failing("FailedGetExternalMetric", `failed to get ${metric.name} external metric value`);
		const found = valueProposal(reading, measured, target);
		if ("problem" in found) return fail(found.problem);
		const status = { metric, current: valueStatus(found, target) };
		return { proposal: found, metric: `external metric ${metric.name}`, status: { type: spec.type, external: status } };
	}
	return failing("InvalidMetricSourceType", "")(`unknown metric source type "${spec.type}"`);
}

function failing(reason: string, prefix: string): (problem: string) => MetricFailure {
	return (problem) => ({ reason, problem, summary: prefix === "" ? problem : `${prefix}: ${problem}` });
}

function resourceProposal(
	reading: Reading,
	measured: AllMeasured,
	{ name, target, container }: { name: string; target: V2MetricTarget; container?: string },
): Proposal | { problem: string } {
	const what = target.averageValue === undefined ? "utilization" : "usage";
	const failed = (problem: string) => ({ problem: `failed to get ${name} ${what}: ${problem}` });
	if ("problem" in reading) return failed(reading.problem);
	if (!("samples" in reading)) return failed("there are no samples of pods");
	if (target.averageValue !== undefined) {
		const found = byAverage(measured, reading.samples, { resource: name, milli: milliOf(target.averageValue) });
		return "problem" in found ? failed(found.problem) : found;
	}
	if (target.averageUtilization === undefined)
		return {
			problem:
				"invalid resource metric source: neither an average utilization target nor an average value (usage) target was set",
		};
	const percent = target.averageUtilization;
	const found = byUtilization(measured, reading.samples, { resource: name, container, percent });
	return "problem" in found ? failed(found.problem) : found;
}

function valueProposal(
	reading: Reading,
	measured: AllMeasured,
	target: V2MetricTarget,
): Proposal | { problem: string } {
	if ("problem" in reading) return reading;
	if (!("value" in reading)) return { problem: "there is no value" };
	if (target.averageValue !== undefined)
		return byShare(measured.statusReplicas, measured.tolerance, reading.value, milliOf(target.averageValue));
	return byValue(measured, reading.value, milliOf(target.value));
}

function valueStatus({ milli }: Proposal, target: V2MetricTarget): V2MetricValueStatus {
	return target.averageValue === undefined ? { value: text(milli) } : { averageValue: text(milli) };
}

function currentOf({ milli, percent }: Proposal): V2MetricValueStatus {
	return { ...(percent === undefined ? {} : { averageUtilization: percent }), averageValue: text(milli) };
}

function milliOf(quantity: string | undefined): number {
	return Number(quantityMilli(quantity ?? "0"));
}

function text(milli: number): string {
	return formatQuantity(BigInt(Math.round(milli)) * 1_000_000n, "decimal");
}
