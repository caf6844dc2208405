/** Scales workloads by the usage of their pods (Kubernetes documentation, "Horizontal Pod Autoscaling"). */
import type { InformerCache } from "../../client/informer-cache.ts";
import { sameJson } from "../../core/equal.ts";
import { objectKey, parseApiVersion, parseKey } from "../../core/object.ts";
import { valueAt } from "../../core/object-path.ts";
import { deployments } from "../../kinds/apps/deployment.ts";
import { replicaSets } from "../../kinds/apps/replicaset.ts";
import { replicationControllers } from "../../kinds/apps/replicationcontroller.ts";
import { statefulSets } from "../../kinds/apps/statefulset.ts";
import { horizontalPodAutoscalers } from "../../kinds/autoscaling/horizontalpodautoscaler.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Registry } from "../../kinds/engine/registry.ts";
import type { Pod, V2HorizontalPodAutoscaler } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { type Controller, type WatchRule, watchRule } from "../runtime/controller.ts";
import { selectorAt } from "../runtime/scale.ts";
import type { History } from "./bounds.ts";
import { type MetricsSource, readMetric } from "./metrics.ts";
import { type AutoscalerState, plan, type Target } from "./plan.ts";

const unknownKindMs = 1000;

type GatheredState = AutoscalerState | "unknown kind";

export interface AutoscalerOptions {
	/** Finds targets of any kind with a scale subresource. */
	registry: Pick<Registry, "groupKind">;
	metrics: MetricsSource;
}

export function horizontalPodAutoscalerController({
	registry,
	metrics,
}: AutoscalerOptions): Controller<GatheredState, History> {
	return {
		name: "horizontalpodautoscaler",
		component: "horizontal-pod-autoscaler",
		watches: [
			watchRule(horizontalPodAutoscalers, (current, old) => {
				if (current === undefined || (old !== undefined && sameJson(current.spec, old.spec))) return [];
				return [objectKey(current)];
			}),
			watchRule(pods, () => [], { expectations: false }),
			// Synced periodically; the effect of scaling must be observed before the next sync.
			...[deployments, replicaSets, replicationControllers, statefulSets].map(
				(kind: Kind): WatchRule => watchRule(kind, () => []),
			),
		],
		gather(key, informers) {
			const { namespace, name } = parseKey(key);
			const autoscaler = informers.of(horizontalPodAutoscalers).get(namespace, name);
			if (autoscaler === undefined || autoscaler.metadata.deletionTimestamp !== undefined) return undefined;
			return stateOf(autoscaler, informers, registry, metrics);
		},
		plan(state, context) {
			if (state !== "unknown kind") return plan(state, context);
			const { memory } = context;
			return { actions: [], requeueAfterMs: unknownKindMs, ...(memory && { memory }) };
		},
	};
}

function stateOf(
	autoscaler: V2HorizontalPodAutoscaler,
	informers: InformerCache,
	registry: Pick<Registry, "groupKind">,
	metrics: MetricsSource,
): GatheredState {
	const { namespace = "" } = autoscaler.metadata;
	const { kind: kindName, name, apiVersion = "" } = autoscaler.spec.scaleTargetRef;
	const without = (problem: string) => ({ autoscaler, target: { problem }, pods: [], readings: [] });
	const group = parseApiVersion(apiVersion).group;
	const kind = registry.groupKind(group, kindName);
	if (kind === undefined) return without(`no matches for kind "${kindName}" in group "${group}"`);
	const { scale } = kind.subresources;
	if (scale === undefined) return without("the server could not find the requested resource");
	if (!informers.of(kind).synced) return "unknown kind";
	const object = informers.of(kind).get(namespace, name);
	if (object === undefined) return without(`${kind.plural}${group === "" ? "" : `.${group}`} "${name}" not found`);
	const selector = selectorAt(object, scale.selector);
	const target: Target = {
		kind,
		replicas: Number(valueAt(object, scale.specReplicas) ?? 0),
		statusReplicas: Number(valueAt(object, scale.statusReplicas) ?? 0),
		hasSelector: selector !== undefined,
	};
	const selected =
		selector === undefined
			? []
			: [...informers.of(pods).list(namespace)].filter((pod) => selector.matches(pod.metadata.labels));
	const rivals = rivalsOf(autoscaler, selected, informers, registry);
	const readings = (autoscaler.spec.metrics ?? []).map((metric) => readMetric(metrics, namespace, metric, selected));
	const ambiguity = rivals.length === 0 ? undefined : { selector: String(selector), rivals };
	return { autoscaler, target, pods: selected, readings, ...(ambiguity === undefined ? {} : { ambiguity }) };
}

/** Autoscalers that control some of the same pods, including this one; empty if there is no other. */
function rivalsOf(
	autoscaler: V2HorizontalPodAutoscaler,
	selected: readonly Pod[],
	informers: InformerCache,
	registry: Pick<Registry, "groupKind">,
): string[] {
	const { namespace } = autoscaler.metadata;
	const rivals = [...informers.of(horizontalPodAutoscalers).list(namespace)].filter((other) => {
		if (other.metadata.uid === autoscaler.metadata.uid) return false;
		const { apiVersion = "", kind: kindName, name } = other.spec.scaleTargetRef;
		const kind = registry.groupKind(parseApiVersion(apiVersion).group, kindName);
		const object = kind && informers.of(kind).get(namespace, name);
		const selector = object && selectorAt(object, kind.subresources.scale?.selector);
		return selector !== undefined && selected.some((pod) => selector.matches(pod.metadata.labels));
	});
	return rivals.length === 0 ? [] : [autoscaler, ...rivals].map(objectKey).sort();
}
