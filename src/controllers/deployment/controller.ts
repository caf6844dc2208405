import { controllerOf, objectKey, parseKey } from "../../core/object.ts";
import { deployments } from "../../kinds/apps/deployment.ts";
import { replicaSets } from "../../kinds/apps/replicaset.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { pods as podKind } from "../../kinds/pod/pod.ts";
import { isFinished } from "../../kinds/pod/pod-lifecycle.ts";
import { gatherClaimable, selectorOf, watchOwned } from "../podcontrol/claim.ts";
import { type Controller, type InformerCache, watchRule } from "../runtime/controller.ts";
import { isRollingUpdate } from "./bounds.ts";
import { plan } from "./plan.ts";
import { newSetHash } from "./revision.ts";
import type { DeploymentState } from "./state.ts";

/** Rolls out a Deployment's template with ReplicaSets (Kubernetes documentation, "Deployments"). */
export const deploymentController: Controller<DeploymentState> = {
	name: "deployment",
	component: "deployment-controller",
	watches: [
		watchRule(deployments, (current, old) => [current, old].flatMap((one) => (one ? [objectKey(one)] : []))),
		watchOwned(deployments, replicaSets, ({ spec }) => selectorOf(spec.selector)),
		watchRule(podKind, recreateKeys, { expectations: false }),
	],
	gather,
	plan,
};

function gather(key: string, informers: InformerCache): DeploymentState | undefined {
	const { namespace, name } = parseKey(key);
	const deployment = informers.of(deployments).get(namespace, name);
	if (deployment === undefined) return undefined;
	const sets = gatherClaimable(informers, replicaSets, deployment, selectorOf(deployment.spec.selector));
	const runningPods = new Set<string>();
	if (!isRollingUpdate(deployment)) {
		for (const { metadata } of sets.controlled) {
			for (const pod of informers.of(podKind).controlledBy(metadata.uid)) {
				if (!isFinished(pod)) runningPods.add(metadata.uid);
			}
		}
	}
	const newName = `${name}-${newSetHash(deployment)}`;
	return { deployment, sets, runningPods, nameTaken: informers.of(replicaSets).get(namespace, newName) !== undefined };
}

/** A terminated or deleted pod may be the last that a Deployment with the strategy Recreate waits for. */
function recreateKeys(current: Pod | undefined, old: Pod | undefined, informers: InformerCache): string[] {
	const pod = current ?? old;
	if (pod === undefined || (current !== undefined && !isFinished(current))) return [];
	const owner = controllerOf(pod);
	if (owner?.kind !== replicaSets.kind) return [];
	const set = informers.of(replicaSets).get(pod.metadata.namespace, owner.name);
	const name = set && controllerOf(set)?.name;
	const deployment = name === undefined ? undefined : informers.of(deployments).get(pod.metadata.namespace, name);
	return deployment === undefined || isRollingUpdate(deployment) ? [] : [objectKey(deployment)];
}
