import { messageOf } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { controllerOf, objectKey, parseKey } from "../../core/object.ts";
import { controllerRevisions } from "../../kinds/apps/controllerrevision.ts";
import { daemonSets } from "../../kinds/apps/daemonset.ts";
import { deployments } from "../../kinds/apps/deployment.ts";
import { replicaSets } from "../../kinds/apps/replicaset.ts";
import { statefulSets } from "../../kinds/apps/statefulset.ts";
import { jobs } from "../../kinds/batch/job.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import {
	type Awaited,
	type AwaitedKind,
	afterAnnotation,
	cycleOf,
	idOf,
	isHeldBack,
	parseAfter,
} from "../../kinds/self-help/after.ts";
import { type Controller, type InformerCache, watchRule } from "../runtime/controller.ts";
import { type OrderState, plan } from "./plan.ts";

const kinds: Readonly<Record<AwaitedKind, Kind>> = {
	// Only metadata is read here, which all objects have.
	Job: jobs as unknown as Kind,
	StatefulSet: statefulSets as unknown as Kind,
	Deployment: deployments as unknown as Kind,
	DaemonSet: daemonSets as unknown as Kind,
	Pod: pods as unknown as Kind,
};

/** Pods that are held back, by `namespace/job/name` of each workload that they wait for. */
const awaitedIndex = "workload-order/awaited";

/** The number of workloads examined for a cycle. The API rejects cycles; this detects those that arise otherwise. */
const mostFollowed = 200;

/** Releases pods that wait for other workloads, once these are complete or available (docs/self-help.md). */
export const workloadOrderController: Controller<OrderState> = {
	name: "workload-order",
	component: "workload-order-controller",
	watches: [
		watchRule(
			pods,
			(current, old, informers) => {
				const waiting = waitingFor(informers, current ?? old);
				return current !== undefined && isHeldBack(current) ? [objectKey(current), ...waiting] : waiting;
			},
			{ indexes: { [awaitedIndex]: awaitedIds } },
		),
		...[jobs, statefulSets, deployments, daemonSets].map((kind) =>
			watchRule(kind as unknown as Kind, (current, old, informers) => waitingFor(informers, current ?? old), {
				expectations: false,
			}),
		),
		// They record which Jobs were complete for a template.
		watchRule(replicaSets, () => [], { expectations: false }),
		watchRule(controllerRevisions, () => [], { expectations: false }),
	],
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const pod = informers.of(pods).get(namespace, name);
		if (pod === undefined || !isHeldBack(pod) || pod.metadata.deletionTimestamp !== undefined) return undefined;
		const find = ({ kind, name: wanted }: Awaited): KubeObject | undefined =>
			informers.of(kinds[kind]).get(namespace, wanted);
		let awaited: Awaited[];
		try {
			awaited = parseAfter(pod.metadata.annotations?.[afterAnnotation] ?? "");
		} catch (error) {
			return { pod, awaited: [], problem: messageOf(error) };
		}
		const revision = revisionOf(pod, informers);
		const found = awaited.map((one) => {
			const object = find(one);
			return { ...one, object };
		});
		// Thousands of pods may wait for the same cycle, and each change of it syncs all of them.
		const patience = { workloads: mostFollowed };
		const cycle = found
			.map(({ object }) => object && cycleOf(object, find, patience))
			.find((path) => path !== undefined);
		return {
			pod,
			awaited: found,
			...(revision === undefined ? {} : { revision }),
			...(cycle === undefined ? {} : { problem: `they wait for each other: ${cycle.join(" → ")}` }),
		};
	},
	plan,
};

function awaitedIds(pod: Pod): string[] {
	if (!isHeldBack(pod)) return [];
	try {
		const awaited = parseAfter(pod.metadata.annotations?.[afterAnnotation] ?? "");
		return awaited.map(({ id }) => `${pod.metadata.namespace}/${id}`);
	} catch {
		return [];
	}
}

function waitingFor(informers: InformerCache, object: KubeObject | undefined): string[] {
	if (object === undefined) return [];
	return waitingOn(informers, object.metadata.namespace, idOf(object.kind, object.metadata.name));
}

function waitingOn(informers: InformerCache, namespace: string | undefined, id: string): string[] {
	return [...informers.of(pods).byIndex(awaitedIndex, `${namespace}/${id}`)].map(objectKey);
}

/** The object that represents the pod's template; undefined for a bare pod. */
function revisionOf(pod: Pod, informers: InformerCache): OrderState["revision"] {
	const { namespace, labels } = pod.metadata;
	const owner = controllerOf(pod);
	const hash = labels?.["controller-revision-hash"] ?? "";
	const of = (kind: Kind, name: string) => {
		const object = informers.of(kind).get(namespace, name);
		return object && { kind, object };
	};
	switch (owner?.kind) {
		case "ReplicaSet":
			return of(replicaSets as unknown as Kind, owner.name);
		case "StatefulSet":
			return of(controllerRevisions as unknown as Kind, hash);
		case "DaemonSet":
			return of(controllerRevisions as unknown as Kind, `${owner.name}-${hash}`);
		case "Job":
			return of(jobs as unknown as Kind, owner.name);
		default:
			return undefined;
	}
}
