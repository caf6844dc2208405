/** Maintains the status of PodDisruptionBudgets, which determines whether evictions are allowed. */
import type { InformerCache } from "../../client/informer-cache.ts";
import { controllerOf, type KubeObject, objectKey, parseApiVersion, parseKey } from "../../core/object.ts";
import { valueAt } from "../../core/object-path.ts";
import { selectorFrom } from "../../core/selection/selector.ts";
import { deployments } from "../../kinds/apps/deployment.ts";
import { replicaSets } from "../../kinds/apps/replicaset.ts";
import { replicationControllers } from "../../kinds/apps/replicationcontroller.ts";
import { statefulSets } from "../../kinds/apps/statefulset.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Registry } from "../../kinds/engine/registry.ts";
import type { Pod, PodDisruptionBudget } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { podDisruptionBudgets } from "../../kinds/policy/poddisruptionbudget.ts";
import { coalesceMsFor } from "../podcontrol/coalesce.ts";
import { matters } from "../podcontrol/pods.ts";
import { type Controller, type WatchRule, watchRule } from "../runtime/controller.ts";
import { type DisruptionState, plan } from "./plan.ts";

/** Kinds whose changes are watched for the number of pods they want. */
const scalable: readonly Kind[] = [deployments, replicaSets, replicationControllers, statefulSets];

const unknownScaleMs = 1000;

type GatheredState = Omit<DisruptionState, "scale"> & { scale: DisruptionState["scale"] | "unknown" };

/** @param registry for other kinds with a scale subresource: custom resources */
export function disruptionController(registry: Pick<Registry, "groupKind">): Controller<GatheredState> {
	return {
		name: "disruption",
		component: "controllermanager",
		account: "disruption-controller",
		watches: [
			watchRule(podDisruptionBudgets, (current) => (current === undefined ? [] : [objectKey(current)])),
			watchRule(
				pods,
				function* (current, old, informers) {
					if (!matters(current, old)) return;
					for (const pod of [current, old]) if (pod !== undefined) yield* budgetsOf(pod, informers);
				},
				{ expectations: false },
			),
			...scalable.map(
				(kind): WatchRule =>
					watchRule(
						kind,
						(current, old, informers) => {
							if (current !== undefined && old !== undefined && replicasOf(current) === replicasOf(old)) return [];
							const namespace = (current ?? old)?.metadata.namespace;
							return [...informers.of(podDisruptionBudgets).list(namespace)].map(objectKey);
						},
						{ expectations: false },
					),
			),
		],
		coalesceMs(key, informers) {
			const { namespace, name } = parseKey(key);
			return coalesceMsFor(informers.of(podDisruptionBudgets).get(namespace, name)?.status?.expectedPods);
		},
		gather(key, informers) {
			const { namespace, name } = parseKey(key);
			const budget = informers.of(podDisruptionBudgets).get(namespace, name);
			if (budget === undefined || budget.metadata.deletionTimestamp !== undefined) return undefined;
			const selector = selectorFrom(budget.spec?.selector);
			const selected = [...informers.of(pods).list(namespace)].filter((pod) => selector.matches(pod.metadata.labels));
			const unmanaged = selected.some((pod) => controllerOf(pod) === undefined);
			return { budget, pods: selected, scale: scaleOf(selected, registry, informers), unmanaged };
		},
		plan(state, { nowMs }) {
			// A kind that was not requested before is listed now.
			if (state.scale === "unknown") return { actions: [], requeueAfterMs: unknownScaleMs };
			return plan({ ...state, scale: state.scale }, nowMs);
		},
	};
}

function* budgetsOf(pod: Pod, informers: InformerCache): Iterable<string> {
	for (const budget of informers.of(podDisruptionBudgets).list(pod.metadata.namespace)) {
		if (selects(budget, pod)) yield objectKey(budget);
	}
}

function selects(budget: PodDisruptionBudget, pod: Pod): boolean {
	return selectorFrom(budget.spec?.selector).matches(pod.metadata.labels);
}

/** The sum of the desired pods of the pods' controllers, each counted once. Pods without a controller add nothing. */
function scaleOf(
	selected: readonly Pod[],
	registry: Pick<Registry, "groupKind">,
	informers: InformerCache,
): GatheredState["scale"] {
	const wanted = new Map<string, number>();
	for (const pod of selected) {
		const reference = controllerOf(pod);
		if (reference === undefined || wanted.has(reference.uid)) continue;
		const { apiVersion, kind: kindName, name, uid } = reference;
		const kind = registry.groupKind(parseApiVersion(apiVersion).group, kindName);
		if (kind?.subresources.scale === undefined)
			return { problem: `${kind?.plural ?? kindName}.${apiVersion} does not implement the scale subresource` };
		if (!informers.of(kind).synced) return "unknown";
		const controller = informers.of(kind).get(pod.metadata.namespace, name);
		// It is being deleted together with its pods.
		if (controller?.metadata.uid !== uid) continue;
		// A Deployment's number counts for all of its ReplicaSets.
		const parent = controllerOf(controller);
		const deployment =
			parent?.kind === "Deployment" ? informers.of(deployments).get(pod.metadata.namespace, parent.name) : undefined;
		const counted = deployment !== undefined && deployment.metadata.uid === parent?.uid ? deployment : controller;
		wanted.set(uid, 0);
		wanted.set(counted.metadata.uid, replicasOf(counted, kind));
	}
	return [...wanted.values()].reduce((sum, count) => sum + count, 0);
}

function replicasOf(object: KubeObject, kind: Kind = deployments): number {
	const path = kind.subresources.scale?.specReplicas ?? ".spec.replicas";
	return Number(valueAt(object, path) ?? 1);
}
