/**
 * How many pods a metric asks for (Kubernetes documentation, "Horizontal Pod Autoscaling", "Algorithm details"). Pure.
 */

import type { Pod } from "../../kinds/generated/types.ts";
import { isReady } from "../../kinds/pod/pod-lifecycle.ts";
import type { Sample } from "./metrics.ts";
import { groupPods, type PodGroups, requestsOf } from "./pod-groups.ts";

/** A ratio between 1 - down and 1 + up changes nothing. */
export interface Tolerance {
	down: number;
	up: number;
}

export interface Measured {
	currentReplicas: number;
	pods: readonly Pod[];
	tolerance: Tolerance;
	nowMs: number;
}

/** The proposed replicas, and the usage: in thousandths, per pod on average (or in total), and in percent. */
export interface Proposal {
	replicas: number;
	milli: number;
	percent?: number;
}

type Answer = Proposal | { problem: string };

/** By the ratio of usage to requests. */
export function byUtilization(
	measured: Measured,
	samples: ReadonlyMap<string, Sample>,
	target: { resource: string; container?: string | undefined; percent: number },
): Answer {
	const prepared = prepare(measured, samples, target.resource);
	if ("problem" in prepared) return prepared;
	const requests = requestsOf(measured.pods, target.resource, target.container);
	if ("problem" in requests) return requests;
	const first = utilization(prepared.counted, requests, target.percent);
	if (first === undefined) return { problem: "no metrics returned matched known pods" };
	const fallback = Math.max(100, target.percent);
	const replicas = settle(measured, prepared, first.ratio, {
		assumed: (name) => Math.trunc(((requests.get(name) ?? 0) * fallback) / 100),
		ratioOf: (values) => utilization(values, requests, target.percent)?.ratio ?? 1,
	});
	return { replicas, milli: first.average, percent: first.percent };
}

/** By the average value per pod. */
export function byAverage(
	measured: Measured,
	samples: ReadonlyMap<string, Sample>,
	target: { resource: string; milli: number },
): Answer {
	const prepared = prepare(measured, samples, target.resource);
	if ("problem" in prepared) return prepared;
	const average = averageOf(prepared.counted);
	const replicas = settle(measured, prepared, average / target.milli, {
		assumed: () => target.milli,
		ratioOf: (values) => averageOf(values) / target.milli,
	});
	return { replicas, milli: average };
}

/** By a value that should reach its target when the load is spread over the ready pods. */
export function byValue({ currentReplicas, pods, tolerance }: Measured, value: number, targetMilli: number): Answer {
	const ratio = value / targetMilli;
	if (currentReplicas === 0) return { replicas: Math.ceil(ratio), milli: value };
	if (isWithin(ratio, tolerance)) return { replicas: currentReplicas, milli: value };
	const readyCount = pods.filter((pod) => pod.status?.phase === "Running" && isReady(pod)).length;
	return { replicas: Math.ceil(ratio * readyCount), milli: value };
}

/**
 * By a value that is divided among the pods.
 * @param statusReplicas the current number of pods
 */
export function byShare(statusReplicas: number, tolerance: Tolerance, value: number, targetMilli: number): Answer {
	const ratio = value / (targetMilli * statusReplicas);
	const replicas = isWithin(ratio, tolerance) ? statusReplicas : Math.ceil(value / targetMilli);
	return { replicas, milli: statusReplicas === 0 ? value : Math.ceil(value / statusReplicas) };
}

interface Prepared {
	grouped: PodGroups;
	/** Values by name of the pods that count. */
	counted: Map<string, number>;
}

function prepare(
	{ pods, nowMs }: Measured,
	samples: ReadonlyMap<string, Sample>,
	resource: string,
): Prepared | { problem: string } {
	if (pods.length === 0) return { problem: "no pods returned by selector while calculating replica count" };
	const grouped = groupPods(pods, samples, resource, nowMs);
	const counted = new Map<string, number>();
	for (const [name, { milli }] of samples)
		if (!grouped.ignored.has(name) && !grouped.unready.has(name)) counted.set(name, milli);
	if (counted.size === 0) return { problem: "did not receive metrics for targeted pods (pods might be unready)" };
	return { grouped, counted };
}

/** Pods without a sample, and pods that are starting, are assumed to have values that limit the change. */
function settle(
	{ currentReplicas, tolerance }: Measured,
	{ grouped, counted }: Prepared,
	ratio: number,
	assume: { assumed(name: string): number; ratioOf(values: ReadonlyMap<string, number>): number },
): number {
	const withUnready = grouped.unready.size > 0 && ratio > 1;
	if (!withUnready && grouped.missing.size === 0)
		return isWithin(ratio, tolerance) ? currentReplicas : Math.ceil(ratio * grouped.readyCount);
	const values = new Map(counted);
	for (const name of grouped.missing) {
		if (ratio < 1) values.set(name, assume.assumed(name));
		else if (ratio > 1) values.set(name, 0);
	}
	if (withUnready) for (const name of grouped.unready) values.set(name, 0);
	const revised = assume.ratioOf(values);
	const turned = (ratio < 1 && revised > 1) || (ratio > 1 && revised < 1);
	if (turned || isWithin(revised, tolerance)) return currentReplicas;
	const replicas = Math.ceil(revised * values.size);
	if ((revised < 1 && replicas > currentReplicas) || (revised > 1 && replicas < currentReplicas))
		return currentReplicas;
	return replicas;
}

function utilization(values: ReadonlyMap<string, number>, requests: ReadonlyMap<string, number>, target: number) {
	let used = 0;
	let requested = 0;
	let count = 0;
	for (const [name, value] of values) {
		const request = requests.get(name);
		if (request === undefined) continue;
		used += value;
		requested += request;
		count++;
	}
	if (requested === 0) return undefined;
	const percent = Math.trunc((used * 100) / requested);
	return { ratio: percent / target, percent, average: Math.trunc(used / count) };
}

function averageOf(values: ReadonlyMap<string, number>): number {
	let sum = 0;
	for (const value of values.values()) sum += value;
	return Math.trunc(sum / values.size);
}

/** Ratios are decimal fractions: rounding errors of binary ones must not matter. */
function isWithin(ratio: number, { down, up }: Tolerance): boolean {
	return ratio >= 1 - down - 1e-9 && ratio <= 1 + up + 1e-9;
}
