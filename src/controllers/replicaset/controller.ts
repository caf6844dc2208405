import { controllerOf } from "../../core/object.ts";
import { replicaSets } from "../../kinds/apps/replicaset.ts";
import type { ReplicaSet } from "../../kinds/generated/types.ts";
import { selectorOf } from "../podcontrol/claim.ts";
import type { Controller } from "../runtime/controller.ts";
import { type ReplicasState, replicasController } from "./replicas.ts";

/** Maintains a ReplicaSet's number of pods (Kubernetes documentation, "ReplicaSet"). */
export const replicaSetController: Controller<ReplicasState<ReplicaSet>> = replicasController<ReplicaSet>({
	name: "replicaset",
	component: "replicaset-controller",
	kind: replicaSets,
	selector: (set) => selectorOf(set.spec?.selector),
	countsTerminating: true,
	siblings: (set, informers) => {
		const owner = controllerOf(set);
		return owner === undefined ? [set] : informers.of(replicaSets).controlledBy(owner.uid);
	},
});
