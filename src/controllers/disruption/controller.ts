/** Keeps the status of PodDisruptionBudgets, by which evictions are allowed or refused. */
import type { Mirror } from "../../client/mirror.ts";
import { controllerOf, type KubeObject, objectKey } from "../../core/object.ts";
import { selectorFrom } from "../../core/selector.ts";
import { deployments } from "../../kinds/deployment.ts";
import type { Pod, PodDisruptionBudget } from "../../kinds/generated/types.ts";
import type { Kind } from "../../kinds/kind.ts";
import { pods } from "../../kinds/pod.ts";
import { podDisruptionBudgets } from "../../kinds/poddisruptionbudget.ts";
import { replicaSets } from "../../kinds/replicaset.ts";
import { replicationControllers } from "../../kinds/replicationcontroller.ts";
import { statefulSets } from "../../kinds/statefulset.ts";
import { type Controller, type WatchRule, watchRule } from "../controller.ts";
import { coalesceMsFor } from "../podcontrol/coalesce.ts";
import { matters } from "../podcontrol/pods.ts";
import { type DisruptionState, plan } from "./plan.ts";

/** Kinds that say how many pods they want. */
const scalable: readonly Kind[] = [deployments, replicaSets, replicationControllers, statefulSets];

export const disruptionController: Controller<DisruptionState> = {
	name: "disruption",
	component: "controllermanager",
	watches: [
		watchRule(podDisruptionBudgets, (current) => (current === undefined ? [] : [objectKey(current)])),
		watchRule(
			pods,
			function* (current, old, mirror) {
				if (!matters(current, old)) return;
				for (const pod of [current, old]) if (pod !== undefined) yield* budgetsOf(pod, mirror);
			},
			{ barrier: false },
		),
		...scalable.map(
			(kind): WatchRule =>
				watchRule(
					kind,
					(current, old, mirror) => {
						if (current !== undefined && old !== undefined && replicasOf(current) === replicasOf(old)) return [];
						const namespace = (current ?? old)?.metadata.namespace;
						return [...mirror.of(podDisruptionBudgets).list(namespace)].map(objectKey);
					},
					{ barrier: false },
				),
		),
	],
	coalesceMs(key, mirror) {
		const [namespace, name = ""] = key.split("/");
		return coalesceMsFor(mirror.of(podDisruptionBudgets).get(namespace, name)?.status?.expectedPods);
	},
	gather(key, mirror) {
		const [namespace, name = ""] = key.split("/");
		const budget = mirror.of(podDisruptionBudgets).get(namespace, name);
		if (budget === undefined || budget.metadata.deletionTimestamp !== undefined) return undefined;
		const selector = selectorFrom(budget.spec?.selector);
		const selected = [...mirror.of(pods).list(namespace)].filter((pod) => selector.matches(pod.metadata.labels));
		return { budget, pods: selected, scale: scaleOf(selected, mirror) };
	},
	plan: (state, { nowMs }) => plan(state, nowMs),
};

function* budgetsOf(pod: Pod, mirror: Mirror): Iterable<string> {
	for (const budget of mirror.of(podDisruptionBudgets).list(pod.metadata.namespace)) {
		if (selects(budget, pod)) yield objectKey(budget);
	}
}

function selects(budget: PodDisruptionBudget, pod: Pod): boolean {
	return selectorFrom(budget.spec?.selector).matches(pod.metadata.labels);
}

/** The sum of what the pods' controllers want, each counted once. */
function scaleOf(selected: readonly Pod[], mirror: Mirror): DisruptionState["scale"] {
	const wanted = new Map<string, number>();
	for (const pod of selected) {
		const reference = controllerOf(pod);
		if (reference === undefined) return { problem: `found no controller ref for pod "${pod.metadata.name}"` };
		if (wanted.has(reference.uid)) continue;
		const kind = scalable.find((one) => one.kind === reference.kind);
		if (kind === undefined)
			return { problem: `${reference.kind} ${reference.name} does not implement the scale subresource` };
		const controller = mirror.of(kind).get(pod.metadata.namespace, reference.name);
		// On its way out, and its pods with it.
		if (controller?.metadata.uid !== reference.uid) continue;
		// A Deployment's word counts for all of its ReplicaSets.
		const parent = controllerOf(controller);
		const deployment =
			parent?.kind === "Deployment" ? mirror.of(deployments).get(pod.metadata.namespace, parent.name) : undefined;
		const counted = deployment !== undefined && deployment.metadata.uid === parent?.uid ? deployment : controller;
		wanted.set(reference.uid, 0);
		wanted.set(counted.metadata.uid, replicasOf(counted));
	}
	return [...wanted.values()].reduce((sum, count) => sum + count, 0);
}

function replicasOf(object: KubeObject): number {
	// All scalable kinds have it in the same place.
	return (object as { spec?: { replicas?: number } }).spec?.replicas ?? 1;
}
