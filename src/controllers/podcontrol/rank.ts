/**
 * The order in which pods are deleted when a ReplicaSet or ReplicationController is scaled down (Kubernetes
 * documentation, "ReplicaSet", "Scaling a ReplicaSet"; KEP-2185 for logarithmic ages, KEP-2255 for the deletion cost).
 */

import { parseTimestamp } from "../../core/time/clock.ts";
import type { ContainerStatus, Pod } from "../../kinds/generated/types.ts";
import { isReady, readySinceMs } from "../../kinds/pod/pod-lifecycle.ts";

const deletionCostAnnotation = "controller.kubernetes.io/pod-deletion-cost";

interface Ranked {
	pod: Pod;
	unassigned: boolean;
	phase: number;
	ready: boolean;
	cost: number;
	/** The number of related pods on the same node. */
	onNode: number;
	readyMs: number;
	restarts: number;
	sidecarRestarts: number;
	createdMs: number;
}

/**
 * The `count` pods to delete, in order.
 * @param kin running pods of all controllers with the same owner: those of a Deployment's other ReplicaSets count for
 * the spread over nodes
 */
export function podsToDelete(pods: readonly Pod[], kin: Iterable<Pod>, count: number, nowMs: number): Pod[] {
	if (count >= pods.length) return [...pods];
	const onNode = new Map<string, number>();
	for (const { spec } of kin) onNode.set(spec?.nodeName ?? "", (onNode.get(spec?.nodeName ?? "") ?? 0) + 1);
	return pods
		.map((pod) => rankOf(pod, onNode))
		.sort((left, right) => compare(left, right, nowMs))
		.slice(0, count)
		.map(({ pod }) => pod);
}

function rankOf(pod: Pod, onNode: ReadonlyMap<string, number>): Ranked {
	const node = pod.spec?.nodeName ?? "";
	const phase = pod.status?.phase;
	return {
		pod,
		unassigned: node === "",
		phase: phase === "Running" ? 2 : phase === "Unknown" ? 1 : 0,
		ready: isReady(pod),
		cost: deletionCost(pod),
		onNode: onNode.get(node) ?? 0,
		readyMs: readySinceMs(pod) ?? 0,
		restarts: restarts(pod.status?.containerStatuses),
		sidecarRestarts: sidecarRestarts(pod),
		createdMs: parseTimestamp(pod.metadata.creationTimestamp),
	};
}

function compare(left: Ranked, right: Ranked, nowMs: number): number {
	if (left.unassigned !== right.unassigned) return left.unassigned ? -1 : 1;
	if (left.phase !== right.phase) return left.phase - right.phase;
	if (left.ready !== right.ready) return left.ready ? 1 : -1;
	if (left.cost !== right.cost) return left.cost - right.cost;
	if (left.onNode !== right.onNode) return right.onNode - left.onNode;
	if (left.ready && left.readyMs !== right.readyMs) return younger(left, right, left.readyMs, right.readyMs, nowMs);
	if (left.restarts !== right.restarts) return right.restarts - left.restarts;
	if (left.sidecarRestarts !== right.sidecarRestarts) return right.sidecarRestarts - left.sidecarRestarts;
	if (left.createdMs !== right.createdMs) return younger(left, right, left.createdMs, right.createdMs, nowMs);
	return 0;
}

/**
 * The younger first, by powers of two of the age; with about the same age, the order of UIDs, which are random. 0 is an
 * unknown time.
 */
function younger(left: Ranked, right: Ranked, leftMs: number, rightMs: number, nowMs: number): number {
	if (leftMs === 0 || rightMs === 0) return leftMs === 0 ? -1 : 1;
	const difference = magnitude(nowMs - leftMs) - magnitude(nowMs - rightMs);
	if (difference !== 0) return difference;
	return left.pod.metadata.uid < right.pod.metadata.uid ? -1 : 1;
}

function magnitude(ageMs: number): number {
	// In nanoseconds, as upstream: it determines the boundaries of the buckets.
	return ageMs > 0 ? Math.floor(Math.log2(ageMs * 1e6)) : -1;
}

function deletionCost(pod: Pod): number {
	const text = pod.metadata.annotations?.[deletionCostAnnotation];
	return text !== undefined && /^(0|-?[1-9]\d*)$/.test(text) ? Number(text) : 0;
}

function restarts(statuses: readonly ContainerStatus[] = []): number {
	return statuses.reduce((most, { restartCount }) => Math.max(most, restartCount ?? 0), 0);
}

function sidecarRestarts(pod: Pod): number {
	const sidecars = pod.spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === "Always") ?? [];
	if (sidecars.length === 0) return 0;
	const names = new Set(sidecars.map(({ name }) => name));
	return restarts(pod.status?.initContainerStatuses?.filter(({ name }) => names.has(name)));
}
