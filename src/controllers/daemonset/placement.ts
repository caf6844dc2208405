/**
 * The nodes on which a DaemonSet's pods run, and how a pod is bound to its node (Kubernetes documentation, "DaemonSet";
 * KEP-548).
 */
import type { Affinity, DaemonSet, Node, Pod, PodSpec, Toleration } from "../../kinds/generated/types.ts";
import { compileNodeSelector } from "../../kinds/pod/node-selector.ts";
import { untolerated } from "../../kinds/pod/tolerations.ts";

export interface Placement {
	/** A pod is created if there is none. */
	shouldRun: boolean;
	/** An existing pod may stay: its node only has a NoSchedule taint. */
	mayStay: boolean;
}

/** Returns a function that decides for any node, for one version of the set. */
export function placementOf(set: DaemonSet): (node: Node) => Placement {
	const { spec } = set.spec.template;
	return placementFor(spec, builtInTolerations(spec));
}

/** Returns a function that decides from a pod's spec and additional tolerations. */
export function placementFor(spec: PodSpec, more: readonly Toleration[] = []): (node: Node) => Placement {
	const tolerations = [...(spec.tolerations ?? []), ...more];
	const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
	const matches = required === undefined ? undefined : compileNodeSelector(required);
	const labels = Object.entries(spec.nodeSelector ?? {});
	return (node) => {
		const fits =
			(!spec.nodeName || spec.nodeName === node.metadata.name) &&
			labels.every(([name, value]) => node.metadata.labels?.[name] === value) &&
			(matches?.(node) ?? true);
		if (!fits) return { shouldRun: false, mayStay: false };
		const taints = node.spec?.taints;
		const mayStay = untolerated(taints, tolerations, ["NoExecute"]) === undefined;
		return { shouldRun: mayStay && untolerated(taints, tolerations, ["NoSchedule"]) === undefined, mayStay };
	};
}

/** Tolerations of every daemon pod: problems of its node are no reason to run elsewhere. */
export function builtInTolerations(spec: PodSpec): Toleration[] {
	const noSchedule = ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"];
	if (spec.hostNetwork) noSchedule.push("network-unavailable");
	return [
		...["not-ready", "unreachable"].map((trouble) => toleration(trouble, "NoExecute")),
		...noSchedule.map((trouble) => toleration(trouble, "NoSchedule")),
	];
}

function toleration(trouble: string, effect: string): Toleration {
	return { key: `node.kubernetes.io/${trouble}`, operator: "Exists", effect };
}

/** The affinity with the node's name as the only node requirement: the set has already checked the others. */
export function affinityFor(affinity: Affinity | undefined, node: string): Affinity {
	const nodeSelectorTerms = [{ matchFields: [{ key: "metadata.name", operator: "In", values: [node] }] }];
	return {
		...affinity,
		nodeAffinity: {
			...affinity?.nodeAffinity,
			requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms },
		},
	};
}

/** The node that a pod runs on, or is meant for; empty if unknown. */
export function targetNode(pod: Pod): string {
	if (pod.spec.nodeName) return pod.spec.nodeName;
	const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
	for (const { matchFields } of required?.nodeSelectorTerms ?? []) {
		for (const { key, operator, values } of matchFields ?? []) {
			if (key === "metadata.name" && operator === "In" && values?.length === 1) return values[0] ?? "";
		}
	}
	return "";
}
