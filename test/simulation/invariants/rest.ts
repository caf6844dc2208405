/** What must be true once everything has come to rest. */
import { controllerOf, type KubeObject } from "../../../src/core/object.ts";
import type {
	DaemonSet,
	Deployment,
	EndpointSlice,
	Job,
	Node,
	Pod,
	Service,
	StatefulSet,
} from "../../../src/kinds/generated/types.ts";
import type { Truth } from "../truth.ts";
import { isFinished, isReady } from "./invariant.ts";

/** What has not come to rest although nothing stands in its way any more. */
export function unfinished(truth: Truth): string[] {
	const left: string[] = [];
	const nodes = new Set(
		[...truth.of("Node")].filter((node) => isNodeReady(node as Node)).map((node) => node.metadata.name),
	);
	for (const object of truth.objects.values()) {
		const text = wanting(object, nodes.size) ?? misdirected(object, truth);
		if (text !== undefined) left.push(`${object.kind} ${object.metadata.name}: ${text}`);
		for (const { kind, name, uid } of object.metadata.ownerReferences ?? []) {
			if (!truth.byUid.has(uid)) left.push(`${object.kind} ${object.metadata.name}: its owner ${kind} ${name} is gone`);
		}
		if (object.metadata.deletionTimestamp !== undefined)
			left.push(`${object.kind} ${object.metadata.name}: is still going`);
	}
	return left;
}

function wanting(object: KubeObject, nodeCount: number): string | undefined {
	switch (object.kind) {
		case "StatefulSet": {
			const { spec, status } = object as StatefulSet;
			const wanted = spec.replicas ?? 1;
			if (
				(status?.readyReplicas ?? 0) === wanted &&
				(status?.replicas ?? 0) === wanted &&
				status?.currentRevision === status?.updateRevision
			)
				return;
			return `${status?.readyReplicas ?? 0} of ${wanted} ready, ${status?.updatedReplicas ?? 0} updated`;
		}
		case "Deployment": {
			const { spec, status } = object as Deployment;
			const wanted = spec.replicas ?? 1;
			if ((status?.availableReplicas ?? 0) === wanted && (status?.replicas ?? 0) === wanted) return;
			return `${status?.availableReplicas ?? 0} of ${wanted} available, ${status?.replicas ?? 0} in all`;
		}
		case "DaemonSet": {
			const { status } = object as DaemonSet;
			if (status?.numberReady === nodeCount && status.updatedNumberScheduled === nodeCount) return;
			return `${status?.numberReady ?? 0} ready on ${nodeCount} nodes`;
		}
		case "Job": {
			const { status } = object as Job;
			if (status?.conditions?.some(({ type }) => type === "Complete" || type === "Failed")) return;
			return controllerOf(object) === undefined ? "not complete" : undefined;
		}
		default:
			return undefined;
	}
}

/** A Service leads to the pods that are ready, and to no others. */
function misdirected(object: KubeObject, truth: Truth): string | undefined {
	if (object.kind !== "Service") return undefined;
	// It is of that kind.
	const { metadata, spec } = object as Service;
	const app = spec.selector?.["app"];
	if (app === undefined) return undefined;
	const ready = new Set<string>();
	for (const pod of truth.of("Pod")) {
		const { labels, deletionTimestamp, name } = pod.metadata;
		if (labels?.["app"] !== app || deletionTimestamp !== undefined) continue;
		// It is of that kind.
		if (isReady(pod as Pod) && !isFinished(pod as Pod)) ready.add(name);
	}
	const led = new Set<string>();
	for (const slice of truth.controlledBy(object, "EndpointSlice")) {
		// It is of that kind.
		for (const { conditions, targetRef } of (slice as EndpointSlice).endpoints ?? []) {
			if (conditions?.ready === true && targetRef?.name !== undefined) led.add(targetRef.name);
		}
	}
	const list = (names: Set<string>) => [...names].sort().join(" ");
	return list(ready) === list(led) ? undefined : `leads to ${list(led)} instead of ${list(ready)} (${metadata.name})`;
}

function isNodeReady(node: Node): boolean {
	return node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}
