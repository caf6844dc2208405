import { replicationControllers } from "../../kinds/apps/replicationcontroller.ts";
import type { ReplicationController } from "../../kinds/generated/types.ts";
import { selectorOf } from "../podcontrol/claim.ts";
import { type ReplicasState, replicasController } from "../replicaset/replicas.ts";
import type { Controller } from "../runtime/controller.ts";

/**
 * Maintains a ReplicationController's number of pods (Kubernetes documentation, "ReplicationController"): a ReplicaSet
 * with a plain map as its selector.
 */
export const replicationControllerController: Controller<ReplicasState<ReplicationController>> =
	replicasController<ReplicationController>({
		name: "replicationcontroller",
		component: "replication-controller",
		kind: replicationControllers,
		selector: (set) => selectorOf(labelSelector(set.spec?.selector)),
		countsTerminating: false,
		siblings: (set) => [set],
	});

/** One selector object per map, so that it is compiled once. Without a selector nothing matches. */
function labelSelector(
	matchLabels: Record<string, string> | undefined,
): { matchLabels: Record<string, string> } | undefined {
	if (matchLabels === undefined) return undefined;
	let selector = selectors.get(matchLabels);
	if (selector === undefined) {
		selector = { matchLabels };
		selectors.set(matchLabels, selector);
	}
	return selector;
}

const selectors = new WeakMap<object, { matchLabels: Record<string, string> }>();
