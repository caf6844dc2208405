/**
 * Old course notes use `kubectl run backend …` followed by `kubectl expose deployment backend`: until 1.18, kubectl run
 * created a Deployment. In a namespace with the label `coxswain.io/kubectl-run=deployment`, the pod of a newer kubectl
 * is replaced by a Deployment.
 */
import { controllerOf, parseKey } from "../../core/object.ts";
import { deployments } from "../../kinds/apps/deployment.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import type { Container, Namespace, Pod, PodSpec } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { create, remove } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";

const kubectlRunLabel = "coxswain.io/kubectl-run";

/** Prefix of volumes that admission adds to every pod; the Deployment's pods get their own. */
const tokenVolumePrefix = "kube-api-access-";

export const kubectlRunController: Controller<Pod> = {
	name: "kubectl-run",
	component: "kubectl-run-controller",
	watches: [
		watchRule(pods, (current, old) =>
			current !== undefined && old === undefined && isRun(current)
				? [`${current.metadata.namespace}/${current.metadata.name}`]
				: [],
		),
		watchRule(namespaces, () => [], { expectations: false }),
	],
	gather(key, informers) {
		const { namespace = "", name } = parseKey(key);
		const pod = informers.of(pods).get(namespace, name);
		if (pod === undefined || !isRun(pod) || !asks(informers.of(namespaces).get(undefined, namespace))) return undefined;
		return pod.metadata.deletionTimestamp === undefined ? pod : undefined;
	},
	plan(pod) {
		const { name, namespace, labels } = pod.metadata;
		const deployment = create(deployments, {
			metadata: { name, namespace, labels },
			spec: {
				replicas: 1,
				selector: { matchLabels: { run: name } },
				template: { metadata: { labels }, spec: templateOf(pod.spec) },
			},
		});
		// If a Deployment with that name exists, the create fails, and the pod is not changed.
		return { actions: [deployment, remove(pods, pod)] };
	},
};

/** The label that `kubectl run NAME` sets on its pod. */
function isRun(pod: Pod): boolean {
	const { name, labels } = pod.metadata;
	return labels?.["run"] === name && controllerOf(pod) === undefined && pod.spec.restartPolicy === "Always";
}

function asks(namespace: Namespace | undefined): boolean {
	return namespace?.metadata.labels?.[kubectlRunLabel] === "deployment";
}

/** The user's spec, without what the server and the scheduler added. */
function templateOf({ nodeName, tolerations, priority, preemptionPolicy, volumes, ...spec }: PodSpec): PodSpec {
	const kept = volumes?.filter((volume) => !volume.name.startsWith(tokenVolumePrefix)) ?? [];
	return {
		...spec,
		containers: spec.containers.map(withoutToken),
		...(kept.length === 0 ? {} : { volumes: kept }),
	};
}

function withoutToken({ volumeMounts, ...container }: Container): Container {
	const kept = volumeMounts?.filter((mount) => !mount.name.startsWith(tokenVolumePrefix)) ?? [];
	return kept.length === 0 ? container : { ...container, volumeMounts: kept };
}
