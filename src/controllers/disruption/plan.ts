/** How many of a budget's pods may be evicted now (Kubernetes documentation, "Disruptions"). Pure. */

import { conditionOf } from "../../core/conditions.ts";
import { sameJson } from "../../core/equal.ts";
import { lookup } from "../../core/object.ts";
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import type { Condition, LabelSelector, Pod, PodDisruptionBudget } from "../../kinds/generated/types.ts";
import { isReady } from "../../kinds/pod/pod-lifecycle.ts";
import { podDisruptionBudgets } from "../../kinds/policy/poddisruptionbudget.ts";
import { scaled } from "../podcontrol/scaled.ts";
import { event, updateStatus } from "../runtime/actions.ts";
import type { Action, Plan } from "../runtime/controller.ts";

/** An eviction that has not led to a deletion after this time has failed. */
const evictionTimeoutMs = 120_000;

const emptyStatus = { currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };

export interface DisruptionState {
	budget: PodDisruptionBudget;
	/** Pods that it selects. */
	pods: readonly Pod[];
	/** The total number of pods that their controllers want, or why it is unknown. */
	scale: number | { problem: string };
	/** Some of the pods have no controller: they are ignored if the controllers' numbers count. */
	unmanaged: boolean;
}

export function plan({ budget, pods, scale, unmanaged }: DisruptionState, nowMs: number): Plan {
	const actions: Action[] = [];
	if (pods.length === 0) actions.push(event(budget, "Normal", "NoPods", "No matching pods found"));
	const expected = expectedOf(budget, pods.length, scale);
	if ("problem" in expected) {
		const message = `Failed to calculate the number of expected pods: ${expected.problem}`;
		actions.push(event(budget, "Warning", "CalculateExpectedPodCountFailed", message));
		// Other fields keep their last values, including the observed generation.
		const { observedGeneration } = budget.status ?? {};
		const condition = allowedCondition(budget, false, "SyncFailed", expected.problem, nowMs, observedGeneration);
		const status = { ...emptyStatus, ...budget.status, disruptionsAllowed: 0, conditions: [condition] };
		return written(budget, status, actions);
	}
	if (unmanaged && readsScale(budget)) actions.push(event(budget, "Warning", "UnmanagedPods", unmanagedText(budget)));
	const { disruptedPods, nextMs } = stillDisrupted(budget, pods, nowMs);
	const currentHealthy = pods.filter(
		(pod) =>
			pod.metadata.deletionTimestamp === undefined && !Object.hasOwn(disruptedPods, pod.metadata.name) && isReady(pod),
	).length;
	const surplus = currentHealthy - expected.desiredHealthy;
	const disruptionsAllowed = expected.expectedPods <= 0 ? 0 : Math.max(surplus, 0);
	const reason = disruptionsAllowed > 0 ? "SufficientPods" : "InsufficientPods";
	const status = {
		...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
		currentHealthy,
		...expected,
		disruptionsAllowed,
		...generationOf(budget),
		conditions: [allowedCondition(budget, disruptionsAllowed > 0, reason, "", nowMs, budget.metadata.generation)],
	};
	return { ...written(budget, status, actions), ...(nextMs === undefined ? {} : { requeueAtMs: nextMs }) };
}

/** Events are recorded with a change of the status, not at every sync. */
function written(budget: PodDisruptionBudget, status: PodDisruptionBudget["status"], events: Action[]): Plan {
	if (sameJson(status, budget.status)) return { actions: [] };
	return { actions: [...events, updateStatus(podDisruptionBudgets, { ...budget, status })] };
}

function expectedOf(
	{ spec }: PodDisruptionBudget,
	podCount: number,
	scale: DisruptionState["scale"],
): { expectedPods: number; desiredHealthy: number } | { problem: string } {
	const { maxUnavailable, minAvailable } = spec ?? {};
	if (maxUnavailable !== undefined) {
		if (typeof scale !== "number") return scale;
		return { expectedPods: scale, desiredHealthy: Math.max(scale - scaled(maxUnavailable, scale, "up"), 0) };
	}
	// A budget that specifies neither allows no disruptions.
	if (minAvailable === undefined) return { expectedPods: 0, desiredHealthy: 0 };
	if (typeof minAvailable === "number") return { expectedPods: podCount, desiredHealthy: minAvailable };
	if (typeof scale !== "number") return scale;
	return { expectedPods: scale, desiredHealthy: scaled(minAvailable, scale, "up") };
}

function readsScale({ spec }: PodDisruptionBudget): boolean {
	return spec?.maxUnavailable !== undefined || typeof spec?.minAvailable === "string";
}

function unmanagedText({ spec }: PodDisruptionBudget): string {
	return (
		`Pods selected by this PodDisruptionBudget (selector: ${selectorStructText(spec?.selector)}) were found to be ` +
		"unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined " +
		'behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
	);
}

/** The selector in the format of upstream's message. */
function selectorStructText(selector: LabelSelector | undefined): string {
	const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
	const labels = Object.entries(matchLabels)
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([key, value]) => `${key}: ${value},`);
	const requirements = matchExpressions.map(
		({ key, operator, values = [] }) =>
			`LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(" ")}],},`,
	);
	return (
		`&LabelSelector{MatchLabels:map[string]string{${labels.join("")}},` +
		`MatchExpressions:[]LabelSelectorRequirement{${requirements.join("")}},}`
	);
}

/** Pods whose eviction was allowed but is not visible yet. */
function stillDisrupted({ status }: PodDisruptionBudget, pods: readonly Pod[], nowMs: number) {
	// Pods may have any name, including `constructor`.
	const disrupted = lookup(status?.disruptedPods ?? {});
	const disruptedPods: Record<string, string> = {};
	let nextMs: number | undefined;
	for (const pod of pods) {
		const { name, deletionTimestamp } = pod.metadata;
		const since = disrupted[name];
		if (since === undefined || deletionTimestamp !== undefined) continue;
		const untilMs = parseTimestamp(since) + evictionTimeoutMs;
		if (untilMs <= nowMs) continue;
		disruptedPods[name] = since;
		nextMs = Math.min(nextMs ?? untilMs, untilMs);
	}
	return { disruptedPods, nextMs };
}

function generationOf({ metadata }: PodDisruptionBudget): { observedGeneration?: number } {
	return metadata.generation === undefined ? {} : { observedGeneration: metadata.generation };
}

function allowedCondition(
	budget: PodDisruptionBudget,
	allowed: boolean,
	reason: string,
	message: string,
	nowMs: number,
	observedGeneration: number | undefined,
): Condition {
	const type = "DisruptionAllowed";
	const status = allowed ? "True" : "False";
	const old = conditionOf(budget, type);
	const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timestamp(nowMs);
	return {
		type,
		status,
		reason,
		message,
		lastTransitionTime,
		...(observedGeneration === undefined ? {} : { observedGeneration }),
	};
}
