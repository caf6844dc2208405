/** Translates changes in the informer cache to changes for the scheduler. */

import type { InformerCache } from "../client/informer-cache.ts";
import { sameJson } from "../core/equal.ts";
import { objectKey } from "../core/object.ts";
import { namespaces } from "../kinds/core/namespace.ts";
import { nodes } from "../kinds/core/node.ts";
import type {
	Container,
	ContainerStatus,
	Namespace,
	Node,
	Pod,
	ResourceRequirements,
} from "../kinds/generated/types.ts";
import { pods } from "../kinds/pod/pod.ts";
import { isFinished } from "../kinds/pod/pod-lifecycle.ts";
import { sidecarsOf } from "../kinds/pod/spec/sidecars.ts";
import { claimNameOf } from "../kinds/resource/pod-claims.ts";
import type { ClusterEvent } from "./filters/filter.ts";
import { type PodInfo, podInfo } from "./model/pod-info.ts";

/** `wakes` names the events that rejected pods may wait for. */
export type ClusterChange = {
	wakes: readonly ClusterEvent[];
} /** `smaller` when it was there before and may take less room now, or counts for less. */ & (
	| { type: "placed"; pod: PodInfo; nodeName: string; smaller: boolean }
	/** A pod without a node; `changed` if another attempt may succeed. */
	| { type: "pending"; pod: PodInfo; changed: boolean }
	/** Deleted, terminated, or no longer to be scheduled. If it was on a node, there is room now. */
	| { type: "gone"; key: string }
	| { type: "node"; node: Node }
	| { type: "nodeGone"; name: string }
	| { type: "namespace"; name: string; namespace: Namespace | undefined }
);

/** Reports all existing objects, and every later change until the returned function is called. */
export function followCluster(
	informers: InformerCache,
	schedulerName: string,
	tell: (change: ClusterChange) => void,
): () => void {
	const unfollowNodes = informers.of(nodes).onChange((current, old) => {
		if (current === undefined) {
			if (old !== undefined) tell({ type: "nodeGone", name: old.metadata.name, wakes: ["podGone"] });
		} else if (old === undefined || matters(current, old)) tell({ type: "node", node: current, wakes: ["node"] });
	});
	const unfollowNamespaces = informers.of(namespaces).onChange((current, old) => {
		const name = (current ?? old)?.metadata.name;
		if (name === undefined || sameJson(current?.metadata.labels, old?.metadata.labels)) return;
		tell({ type: "namespace", name, namespace: current, wakes: ["namespace"] });
	});
	const unfollowPods = informers.of(pods).onChange((current, old) => {
		const change = podChange(current, old, schedulerName);
		if (change !== undefined) tell(change);
	});
	return () => {
		unfollowNodes();
		unfollowNamespaces();
		unfollowPods();
	};
}

/** Heartbeats and conditions of a node change often and do not matter: taints express their meaning for pods. */
function matters(current: Node, old: Node): boolean {
	return (
		current.spec?.unschedulable !== old.spec?.unschedulable ||
		!sameJson(current.spec?.taints, old.spec?.taints) ||
		!sameJson(current.metadata.labels, old.metadata.labels) ||
		!sameJson(current.status?.allocatable, old.status?.allocatable) ||
		!sameJson(current.status?.images, old.status?.images)
	);
}

/** @param old undefined for a new pod */
function podChange(current: Pod | undefined, old: Pod | undefined, schedulerName: string): ClusterChange | undefined {
	const wasPlaced = old !== undefined && !!old.spec.nodeName && !isFinished(old);
	const isPlaced = current !== undefined && !!current.spec.nodeName && !isFinished(current);
	if (current === undefined || (current.spec.nodeName && !isPlaced)) {
		const key = objectKey(current ?? old ?? { metadata: {} });
		return { type: "gone", key, wakes: [] };
	}
	if (isPlaced) return placedChange(current, wasPlaced ? old : undefined);
	if ((current.spec.schedulerName || "default-scheduler") !== schedulerName) return undefined;
	if (current.metadata.deletionTimestamp !== undefined || isFinished(current) || isGated(current))
		return { type: "gone", key: objectKey(current), wakes: [] };
	return {
		type: "pending",
		pod: podInfo(current),
		changed: old === undefined || !sameForScheduling(current, old),
		wakes: [],
	};
}

function placedChange(current: Pod, old: Pod | undefined): ClusterChange | undefined {
	if (old !== undefined && sameForScheduling(current, old)) return undefined;
	const wakes: ClusterEvent[] = [];
	if (old === undefined) wakes.push("podPlaced");
	else {
		if (!sameJson(current.metadata.labels, old.metadata.labels)) wakes.push("podLabels");
	}
	return {
		type: "placed",
		pod: podInfo(current),
		nodeName: current.spec.nodeName ?? "",
		smaller: old !== undefined,
		wakes,
	};
}

/** Whether it is not to be tried yet: it has gates, or a claim of a template is not made. */
export function isGated(pod: Pod): boolean {
	return (
		(pod.spec.schedulingGates ?? []).length > 0 ||
		pod.spec.resourceClaims?.some((entry) => claimNameOf(pod, entry) === "missing") === true
	);
}

/** Whether no field that scheduling uses differs. The status changes many times during a pod's life. */
function sameForScheduling(current: Pod, old: Pod): boolean {
	return (
		current.metadata.uid === old.metadata.uid &&
		current.metadata.generation === old.metadata.generation &&
		current.metadata.deletionTimestamp === old.metadata.deletionTimestamp &&
		current.spec.nodeName === old.spec.nodeName &&
		isGated(current) === isGated(old) &&
		sameJson(current.metadata.labels, old.metadata.labels) &&
		!isResizing(current) &&
		!isResizing(old)
	);
}

/** Whether the pod's allocated or requested resources differ from its specification. */
function isResizing({ spec, status }: Pod): boolean {
	if (status === undefined) return false;
	const { conditions = [], containerStatuses, initContainerStatuses } = status;
	if (conditions.some(({ type }) => type === "PodResizePending" || type === "PodResizeInProgress")) return true;
	const differs = ({ name, resources }: Container, statuses: readonly ContainerStatus[] | undefined) =>
		hasOther(
			resources,
			statuses?.find((has) => has.name === name),
		);
	const sidecars = sidecarsOf(spec);
	return (
		hasOther(spec.resources, status) ||
		spec.containers.some((container) => differs(container, containerStatuses)) ||
		sidecars.some((container) => differs(container, initContainerStatuses))
	);
}

function hasOther(
	wanted: ResourceRequirements | undefined,
	has: Pick<ContainerStatus, "resources" | "allocatedResources"> | undefined,
): boolean {
	if (wanted?.requests === undefined || has === undefined) return false;
	return Object.entries(wanted.requests).some(([name, quantity]) =>
		[has.resources?.requests, has.allocatedResources].some((list) => (list?.[name] ?? quantity) !== quantity),
	);
}
