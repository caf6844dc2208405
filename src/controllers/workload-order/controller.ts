import type { KubeObject } from "../../core/object.ts";
import { controllerOf, objectKey } from "../../core/object.ts";
import { controllerRevisions } from "../../kinds/controllerrevision.ts";
import { daemonSets } from "../../kinds/daemonset.ts";
import { deployments } from "../../kinds/deployment.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { runs } from "../../kinds/history/run.ts";
import type { Run } from "../../kinds/history/types.ts";
import { jobs } from "../../kinds/job.ts";
import type { Kind } from "../../kinds/kind.ts";
import { pods } from "../../kinds/pod.ts";
import { replicaSets } from "../../kinds/replicaset.ts";
import {
	type Awaited,
	type AwaitedKind,
	afterAnnotation,
	cycleOf,
	idOf,
	isHeldBack,
	parseAfter,
} from "../../kinds/self-help/after.ts";
import { statefulSets } from "../../kinds/statefulset.ts";
import { type Controller, type Mirror, watchRule } from "../controller.ts";
import { type OrderState, plan } from "./plan.ts";

const kinds: Readonly<Record<AwaitedKind, Kind>> = {
	// Of any of them only what all objects have is read here.
	Job: jobs as unknown as Kind,
	StatefulSet: statefulSets as unknown as Kind,
	Deployment: deployments as unknown as Kind,
	DaemonSet: daemonSets as unknown as Kind,
	Pod: pods as unknown as Kind,
};

/** Pods that are held back, by `namespace/job/name` of each workload that they wait for. */
const awaitedIndex = "workload-order/awaited";
/** Runs that succeeded, by `namespace/name` of their Job. */
const runIndex = "workload-order/job";

/** Lets pods that wait for other workloads go, once these are complete or available (docs/self-help.md). */
export const workloadOrderController: Controller<OrderState> = {
	name: "workload-order",
	component: "workload-order-controller",
	watches: [
		watchRule(
			pods,
			(current, old, mirror) => {
				const waiting = waitingFor(mirror, current ?? old);
				return current !== undefined && isHeldBack(current) ? [objectKey(current), ...waiting] : waiting;
			},
			{ indexes: { [awaitedIndex]: awaitedIds } },
		),
		...[jobs, statefulSets, deployments, daemonSets].map((kind) =>
			watchRule(kind as unknown as Kind, (current, old, mirror) => waitingFor(mirror, current ?? old), {
				barrier: false,
			}),
		),
		watchRule(
			runs,
			(current, _old, mirror) =>
				current?.status.result === "Succeeded"
					? waitingOn(mirror, current.metadata.namespace, idOf("Job", current.spec.jobName ?? ""))
					: [],
			{ barrier: false, indexes: { [runIndex]: succeededJob } },
		),
		// Read only: since when a pod's template is what it is.
		watchRule(replicaSets, () => [], { barrier: false }),
		watchRule(controllerRevisions, () => [], { barrier: false }),
	],
	gather(key, mirror) {
		const [namespace = "", name = ""] = key.split("/");
		const pod = mirror.of(pods).get(namespace, name);
		if (pod === undefined || !isHeldBack(pod) || pod.metadata.deletionTimestamp !== undefined) return undefined;
		const find = ({ kind, name: wanted }: Awaited): KubeObject | undefined =>
			mirror.of(kinds[kind]).get(namespace, wanted);
		let awaited: Awaited[];
		try {
			awaited = parseAfter(pod.metadata.annotations?.[afterAnnotation] ?? "");
		} catch (error) {
			return { pod, awaited: [], problem: error instanceof Error ? error.message : String(error) };
		}
		const found = awaited.map((one) => {
			const object = find(one);
			const hasRun = object === undefined && one.kind === "Job" && ranSince(pod, one.name, mirror);
			return { ...one, object, hasRun };
		});
		const cycle = found.map(({ object }) => object && cycleOf(object, find)).find((path) => path !== undefined);
		return {
			pod,
			awaited: found,
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

function succeededJob({ metadata, spec, status }: Run): string[] {
	return status.result === "Succeeded" && spec.jobName !== undefined ? [`${metadata.namespace}/${spec.jobName}`] : [];
}

function waitingFor(mirror: Mirror, object: KubeObject | undefined): string[] {
	if (object === undefined) return [];
	return waitingOn(mirror, object.metadata.namespace, idOf(object.kind, object.metadata.name));
}

function waitingOn(mirror: Mirror, namespace: string | undefined, id: string): string[] {
	return [...mirror.of(pods).byIndex(awaitedIndex, `${namespace}/${id}`)].map(objectKey);
}

/**
 * Whether a Job that is no more succeeded since the pod's template is what it is. What succeeded before does not count:
 * the same name may be about to run for the new template.
 */
function ranSince(pod: Pod, job: string, mirror: Mirror): boolean {
	const since = revisionTime(pod, mirror);
	for (const { status } of mirror.of(runs).byIndex(runIndex, `${pod.metadata.namespace}/${job}`))
		if (status.endTime !== undefined && status.endTime >= since) return true;
	return false;
}

function revisionTime(pod: Pod, mirror: Mirror): string {
	const { namespace, labels, creationTimestamp } = pod.metadata;
	const owner = controllerOf(pod);
	const hash = labels?.["controller-revision-hash"] ?? "";
	const names: Readonly<Record<string, () => KubeObject | undefined>> = {
		ReplicaSet: () => mirror.of(replicaSets).get(namespace, owner?.name ?? ""),
		StatefulSet: () => mirror.of(controllerRevisions).get(namespace, hash),
		DaemonSet: () => mirror.of(controllerRevisions).get(namespace, `${owner?.name}-${hash}`),
		Job: () => mirror.of(jobs).get(namespace, owner?.name ?? ""),
	};
	return names[owner?.kind ?? ""]?.()?.metadata.creationTimestamp ?? creationTimestamp;
}
