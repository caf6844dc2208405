/** One sync of an autoscaler: measure, decide, scale, and report. Pure. */

import { conditionOf } from "../../core/conditions.ts";
import { sameJson } from "../../core/equal.ts";
import { timestamp } from "../../core/time/clock.ts";
import { horizontalPodAutoscalers } from "../../kinds/autoscaling/horizontalpodautoscaler.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type {
	Pod,
	V2HorizontalPodAutoscaler,
	V2HorizontalPodAutoscalerCondition,
	V2MetricStatus,
} from "../../kinds/generated/types.ts";
import { event, patch, updateStatus } from "../runtime/actions.ts";
import type { Action, Plan, PlanContext } from "../runtime/controller.ts";
import { type Bounded, bounded, type History, recalled } from "./bounds.ts";
import { type Evaluation, evaluate } from "./evaluate.ts";
import type { Reading } from "./metrics.ts";

/** Upstream's --horizontal-pod-autoscaler-sync-period. */
const periodMs = 15_000;

export interface Target {
	kind: Kind;
	replicas: number;
	/** The number of pods in the target's status. */
	statusReplicas: number;
	hasSelector: boolean;
}

export interface AutoscalerState {
	autoscaler: V2HorizontalPodAutoscaler;
	/** Or why there is none. */
	target: Target | { problem: string };
	/** Pods that the target's selector matches. */
	pods: readonly Pod[];
	/** One for each metric of the spec. */
	readings: readonly Reading[];
	/** More than one autoscaler controls the pods of this selector. */
	ambiguity?: { selector: string; rivals: readonly string[] };
}

export function plan(state: AutoscalerState, { nowMs, failure, memory }: PlanContext<History>): Plan<History> {
	const { autoscaler, target } = state;
	const draft = new StatusDraft(autoscaler, nowMs);
	if ("problem" in target) {
		draft.condition(
			"AbleToScale",
			"False",
			"FailedGetScale",
			`the HPA controller was unable to get the target's current scale: ${target.problem}`,
		);
		const told = event(autoscaler, "Warning", "FailedGetScale", target.problem);
		return { actions: [told, ...draft.written()], requeueAfterMs: periodMs, ...(memory && { memory }) };
	}
	draft.condition(
		"AbleToScale",
		"True",
		"SucceededGetScale",
		"the HPA controller was able to get the target's current scale",
	);
	const history = recalled(memory, autoscaler, target.replicas, nowMs);
	const decision = decide(state, target, history, nowMs, draft);
	const actions = [...decision.events];
	if (decision.replicas === target.replicas) {
		draft.counts(target.replicas, decision.failed ? undefined : target.replicas, decision.statuses);
		return { actions: [...actions, ...draft.written()], requeueAfterMs: periodMs, memory: decision.history };
	}
	// The next sync retries.
	if (failure?.do === "patch") {
		const why = `the HPA controller was unable to update the target scale: ${failure.message}`;
		draft.condition("AbleToScale", "False", "FailedUpdateScale", why);
		draft.counts(target.replicas, undefined, decision.statuses);
		actions.push(failedRescale(autoscaler, decision, failure.message), ...draft.written());
		return { actions, requeueAfterMs: periodMs, memory: decision.history };
	}
	actions.push(...rescale(state, target, decision));
	draft.condition(
		"AbleToScale",
		"True",
		"SucceededRescale",
		`the HPA controller was able to update the target scale to ${decision.replicas}`,
	);
	draft.counts(target.replicas, decision.replicas, decision.statuses);
	draft.scaled();
	const asked = { atMs: nowMs, from: target.replicas, to: decision.replicas };
	return {
		actions: [...actions, ...draft.written()],
		requeueAfterMs: periodMs,
		memory: { ...decision.history, asked },
	};
}

interface Decision {
	replicas: number;
	reason: string;
	statuses: V2MetricStatus[] | undefined;
	events: Action[];
	history: History;
	/** The metrics do not provide enough information. */
	failed?: true;
}

function decide(state: AutoscalerState, target: Target, history: History, nowMs: number, draft: StatusDraft): Decision {
	const { autoscaler } = state;
	const { minReplicas = 1, maxReplicas } = autoscaler.spec;
	const current = target.replicas;
	const none = { statuses: undefined, events: [], history };
	if (current === 0 && minReplicas !== 0) {
		draft.condition(
			"ScalingActive",
			"False",
			"ScalingDisabled",
			"scaling is disabled since the replica count of the target is zero",
		);
		return { ...none, replicas: 0, reason: "" };
	}
	if (current > maxReplicas)
		return { ...none, replicas: maxReplicas, reason: "Current number of replicas above Spec.MaxReplicas" };
	if (current < minReplicas)
		return { ...none, replicas: minReplicas, reason: "Current number of replicas below Spec.MinReplicas" };
	if (!target.hasSelector) {
		draft.condition("ScalingActive", "False", "InvalidSelector", "the HPA target's scale is missing a selector");
		const events = [
			event(autoscaler, "Warning", "SelectorRequired", "selector is required"),
			event(autoscaler, "Warning", "FailedComputeMetricsReplicas", "selector is required"),
		];
		return { ...none, events, replicas: current, reason: "", failed: true };
	}
	if (state.ambiguity !== undefined) {
		const { selector, rivals } = state.ambiguity;
		const why = `pods by selector ${selector} are controlled by multiple HPAs: [${rivals.join(" ")}]`;
		draft.condition("ScalingActive", "False", "AmbiguousSelector", why);
		const events = [
			event(autoscaler, "Warning", "AmbiguousSelector", why),
			event(autoscaler, "Warning", "FailedComputeMetricsReplicas", why),
		];
		return { ...none, events, replicas: current, reason: "", failed: true };
	}
	const { replicas: currentReplicas, statusReplicas } = target;
	const evaluation = evaluate(autoscaler, state.readings, { currentReplicas, statusReplicas, pods: state.pods, nowMs });
	return decideByMetrics(autoscaler, evaluation, current, history, nowMs, draft);
}

function decideByMetrics(
	autoscaler: V2HorizontalPodAutoscaler,
	{ wanted, statuses, failures }: Evaluation,
	current: number,
	history: History,
	nowMs: number,
	draft: StatusDraft,
): Decision {
	const events = failures.map(({ reason, problem }) => event(autoscaler, "Warning", reason, problem));
	const [failure] = failures;
	if (wanted === undefined) {
		if (failure !== undefined) {
			draft.condition(
				"ScalingActive",
				"False",
				failure.reason,
				`the HPA was unable to compute the replica count: ${failure.problem}`,
			);
			const count = autoscaler.spec.metrics?.length ?? 0;
			const message = `invalid metrics (${failures.length} invalid out of ${count}), first error is: ${failure.summary}`;
			events.push(event(autoscaler, "Warning", "FailedComputeMetricsReplicas", message));
		}
		return { replicas: current, reason: "", statuses, events, history, failed: true };
	}
	draft.condition(
		"ScalingActive",
		"True",
		"ValidMetricFound",
		`the HPA was able to successfully calculate a replica count from ${wanted.metric}`,
	);
	const reason = wanted.replicas > current ? `${wanted.metric} above target` : "All metrics below target";
	const bounds = bounded(autoscaler, history, { wanted: wanted.replicas, current, nowMs });
	tellBounds(draft, bounds);
	const recommendations = [...history.recommendations, { atMs: nowMs, replicas: wanted.replicas }];
	return { replicas: bounds.replicas, reason, statuses, events, history: { ...history, recommendations } };
}

function tellBounds(draft: StatusDraft, { stabilized, limited, limit }: Bounded): void {
	const { reason, message } = stabilized ?? {
		reason: "ReadyForNewScale",
		message: "recommended size matches current size",
	};
	draft.condition("AbleToScale", "True", reason, message);
	draft.condition("ScalingLimited", limited ? "True" : "False", limit.reason, limit.message);
}

function rescale({ autoscaler }: AutoscalerState, { kind }: Target, { replicas, reason }: Decision): Action[] {
	const ref = { namespace: autoscaler.metadata.namespace, name: autoscaler.spec.scaleTargetRef.name };
	return [
		patch(kind, ref, { type: "merge", patch: { spec: { replicas } } }, { subresource: "scale" }),
		event(autoscaler, "Normal", "SuccessfulRescale", `New size: ${replicas}; reason: ${reason}`),
	];
}

function failedRescale(autoscaler: V2HorizontalPodAutoscaler, { replicas, reason }: Decision, error: string): Action {
	const message = `New size: ${replicas}; reason: ${reason}; error: ${error}`;
	return event(autoscaler, "Warning", "FailedRescale", message);
}

/** The status after this sync. */
class StatusDraft {
	readonly #autoscaler: V2HorizontalPodAutoscaler;
	readonly #now: string;
	#conditions: V2HorizontalPodAutoscalerCondition[];
	#counts: { currentReplicas: number; desiredReplicas: number; currentMetrics?: V2MetricStatus[] } | undefined;
	#scaled = false;

	constructor(autoscaler: V2HorizontalPodAutoscaler, nowMs: number) {
		this.#autoscaler = autoscaler;
		this.#now = timestamp(nowMs);
		this.#conditions = autoscaler.status?.conditions ?? [];
	}

	/** Sets a condition; the transition time changes only with the status. */
	condition(type: string, status: "True" | "False", reason: string, message: string): void {
		const before = conditionOf(this.#autoscaler, type);
		const lastTransitionTime = before?.status === status ? before.lastTransitionTime : this.#now;
		const condition = {
			type,
			status,
			reason,
			message,
			...(lastTransitionTime === undefined ? {} : { lastTransitionTime }),
		};
		const others = this.#conditions.filter((one) => one.type !== type);
		const place = this.#conditions.findIndex((one) => one.type === type);
		this.#conditions =
			place < 0 ? [...others, condition] : [...others.slice(0, place), condition, ...others.slice(place)];
	}

	/** @param desired undefined: unchanged */
	counts(current: number, desired: number | undefined, statuses: V2MetricStatus[] | undefined): void {
		this.#counts = {
			currentReplicas: current,
			desiredReplicas: desired ?? this.#autoscaler.status?.desiredReplicas ?? 0,
			...(statuses === undefined ? {} : { currentMetrics: statuses }),
		};
	}

	scaled(): void {
		this.#scaled = true;
	}

	written(): Action[] {
		const { status } = this.#autoscaler;
		const { currentReplicas = 0, desiredReplicas = 0, currentMetrics, lastScaleTime } = status ?? {};
		const kept = { currentReplicas, desiredReplicas, ...(currentMetrics === undefined ? {} : { currentMetrics }) };
		const scaleTime = this.#scaled ? this.#now : lastScaleTime;
		const next = {
			...(this.#counts ?? kept),
			conditions: this.#conditions,
			...(scaleTime === undefined ? {} : { lastScaleTime: scaleTime }),
		};
		if (sameJson(next, status)) return [];
		return [updateStatus(horizontalPodAutoscalers, { ...this.#autoscaler, status: next })];
	}
}
