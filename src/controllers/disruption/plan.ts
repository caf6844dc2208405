/** How many of a budget's pods may be evicted now (Kubernetes documentation, "Disruptions"). Pure. */
import { parseTimestamp, timestamp } from "../../core/clock.ts";
import type { Condition, Pod, PodDisruptionBudget } from "../../kinds/generated/types.ts";
import { podDisruptionBudgets } from "../../kinds/poddisruptionbudget.ts";
import { event, updateStatus } from "../actions.ts";
import type { Action, Plan } from "../controller.ts";
import { sameJson } from "../equal.ts";
import { isReady } from "../podcontrol/pods.ts";
import { scaled } from "../podcontrol/scaled.ts";

/** An eviction that has not led to a deletion by then never will. */
const evictionTimeoutMs = 120_000;

export interface DisruptionState {
	budget: PodDisruptionBudget;
	/** Pods that it selects. */
	pods: readonly Pod[];
	/** How many pods their controllers want in all, or why that cannot be said. */
	scale: number | { problem: string };
}

export function plan({ budget, pods, scale }: DisruptionState, nowMs: number): Plan {
	const actions: Action[] = [];
	if (pods.length === 0) actions.push(event(budget, "Normal", "NoPods", "No matching pods found"));
	const expected = expectedOf(budget, pods.length, scale);
	if ("problem" in expected) {
		const message = `Failed to calculate the number of expected pods: ${expected.problem}`;
		actions.push(event(budget, "Warning", "CalculateExpectedPodCountFailed", message));
		const condition = conditionOf(budget, false, "SyncFailed", expected.problem, nowMs);
		const status = { ...budget.status, disruptionsAllowed: 0, ...generationOf(budget), conditions: [condition] };
		return written(budget, status, actions);
	}
	const { disruptedPods, nextMs } = stillDisrupted(budget, pods, nowMs);
	const currentHealthy = pods.filter(
		(pod) => pod.metadata.deletionTimestamp === undefined && !(pod.metadata.name in disruptedPods) && isReady(pod),
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
		conditions: [conditionOf(budget, disruptionsAllowed > 0, reason, "", nowMs)],
	};
	return { ...written(budget, status, actions), ...(nextMs === undefined ? {} : { requeueAtMs: nextMs }) };
}

/** Events are told along with a change of the status, not again at every look. */
function written(budget: PodDisruptionBudget, status: PodDisruptionBudget["status"], events: Action[]): Plan {
	if (sameJson(status, budget.status)) return { actions: [] };
	return { actions: [...events, updateStatus(podDisruptionBudgets, { ...budget, status })] };
}

function expectedOf(
	{ spec }: PodDisruptionBudget,
	podCount: number,
	scale: DisruptionState["scale"],
): { expectedPods: number; desiredHealthy: number } | { problem: string } {
	const { maxUnavailable, minAvailable = 1 } = spec ?? {};
	if (maxUnavailable === undefined && typeof minAvailable === "number") {
		return { expectedPods: podCount, desiredHealthy: minAvailable };
	}
	if (typeof scale !== "number") return scale;
	if (maxUnavailable === undefined) {
		return { expectedPods: scale, desiredHealthy: scaled(minAvailable, scale, "up") };
	}
	return { expectedPods: scale, desiredHealthy: Math.max(scale - scaled(maxUnavailable, scale, "up"), 0) };
}

/** Pods whose eviction was allowed and has not shown up yet. */
function stillDisrupted({ status }: PodDisruptionBudget, pods: readonly Pod[], nowMs: number) {
	const disruptedPods: Record<string, string> = {};
	let nextMs: number | undefined;
	for (const pod of pods) {
		const { name, deletionTimestamp } = pod.metadata;
		const since = status?.disruptedPods?.[name];
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

function conditionOf(
	budget: PodDisruptionBudget,
	allowed: boolean,
	reason: string,
	message: string,
	nowMs: number,
): Condition {
	const type = "DisruptionAllowed";
	const status = allowed ? "True" : "False";
	const old = budget.status?.conditions?.find((condition) => condition.type === type);
	const lastTransitionTime = old?.status === status ? old.lastTransitionTime : timestamp(nowMs);
	return { type, status, reason, message, lastTransitionTime, ...generationOf(budget) };
}
