/** What must be true after every commit, whatever went wrong before; and what must be true when all has come to rest. */
import { timestamp } from "../../src/core/clock.ts";
import { controllerOf, type KubeObject } from "../../src/core/object.ts";
import type { CronJob, DaemonSet, Deployment, Job, Node, Pod, StatefulSet } from "../../src/kinds/generated/types.ts";
import type { Observe, Truth } from "./truth.ts";

/** How long a controller may act on an old picture: of readiness, say. */
const longestLagMs = 30_000;

export function invariants(): Observe[] {
	return [statefulSetOrder(), daemonPods(), jobCounts(), scheduledTimes()];
}

/** Under OrderedReady no ordinal is made before all that come before it have been ready. */
function statefulSetOrder(): Observe {
	/** `uid of the set/ordinal` → epoch milliseconds at which a pod of that ordinal was last seen ready. */
	const readyMs = new Map<string, number>();
	return (current, old, truth) => {
		if (current?.kind !== "Pod" && old?.kind !== "Pod") return;
		const pod = (current ?? old) as Pod;
		const owner = controllerOf(pod);
		if (owner?.kind !== "StatefulSet") return;
		const nowMs = truth.clock.now();
		const place = (ordinal: number) => `${owner.uid}/${ordinal}`;
		const ordinal = ordinalOf(pod);
		if (isReady(old as Pod | undefined) || isReady(current as Pod | undefined)) readyMs.set(place(ordinal), nowMs);
		const set = truth.byUid.get(owner.uid) as StatefulSet | undefined;
		if (old !== undefined || current === undefined || set === undefined) return;
		if (set.spec.podManagementPolicy === "Parallel") return;
		const ready = new Set<number>();
		for (const other of truth.controlledBy(set, "Pod")) if (isReady(other as Pod)) ready.add(ordinalOf(other));
		for (let before = set.spec.ordinals?.start ?? 0; before < ordinal; before++) {
			if (ready.has(before) || nowMs - (readyMs.get(place(before)) ?? 0) < longestLagMs) continue;
			truth.violation(`${pod.metadata.name} was made while ${set.metadata.name}-${before} was not ready`);
		}
	};
}

/** Never more live pods of a DaemonSet on a node than one, and one more where it may surge. */
function daemonPods(): Observe {
	return (current, old, truth) => {
		if (current?.kind !== "Pod" || old !== undefined) return;
		const owner = controllerOf(current);
		if (owner?.kind !== "DaemonSet") return;
		const set = truth.byUid.get(owner.uid) as DaemonSet | undefined;
		if (set === undefined) return;
		const node = nodeOf(current as Pod);
		let count = 0;
		for (const pod of truth.controlledBy(set, "Pod")) {
			if (nodeOf(pod as Pod) === node && isLive(pod as Pod)) count++;
		}
		const surge = set.spec.updateStrategy?.rollingUpdate?.maxSurge;
		const limit = surge === undefined || surge === 0 || surge === "0%" ? 1 : 2;
		if (count > limit) truth.violation(`${count} pods of DaemonSet ${set.metadata.name} on ${node}`);
	};
}

/** Successes are counted once each, and never forgotten. */
function jobCounts(): Observe {
	const succeeded = new Map<string, Set<string>>();
	return (current, old, truth) => {
		if (current?.kind === "Pod" && (current as Pod).status?.phase === "Succeeded") {
			const owner = controllerOf(current);
			if (owner?.kind !== "Job") return;
			const pods = succeeded.get(owner.uid) ?? new Set();
			succeeded.set(owner.uid, pods.add(current.metadata.uid));
		}
		if (current?.kind !== "Job") return;
		const [job, before] = [current as Job, old as Job | undefined];
		const count = job.status?.succeeded ?? 0;
		const { name, uid } = job.metadata;
		if (count < (before?.status?.succeeded ?? 0)) truth.violation(`Job ${name} forgot a success`);
		const real = succeeded.get(uid)?.size ?? 0;
		if (count > real) truth.violation(`Job ${name} counts ${count} successes of ${real}`);
		const completions = job.spec.completions ?? 1;
		if (count > completions) truth.violation(`Job ${name} counts ${count} successes, ${completions} were asked for`);
		const complete = job.status?.conditions?.some(({ type, status }) => type === "Complete" && status === "True");
		if (complete && count !== completions) truth.violation(`Job ${name} is complete with ${count} of ${completions}`);
	};
}

/** No scheduled time of a CronJob runs twice. */
function scheduledTimes(): Observe {
	const seen = new Map<string, string>();
	return (current, old, truth) => {
		if (current?.kind !== "Job" || old !== undefined) return;
		const owner = controllerOf(current);
		if (owner?.kind !== "CronJob") return;
		const time = current.metadata.annotations?.["batch.kubernetes.io/cronjob-scheduled-timestamp"] ?? "";
		const key = `${owner.uid} ${time}`;
		const other = seen.get(key);
		if (other !== undefined) truth.violation(`${owner.name} ran twice for ${time}: ${other}, ${current.metadata.name}`);
		seen.set(key, current.metadata.name);
	};
}

/** What has not come to rest although nothing stands in its way any more. */
export function unfinished(truth: Truth): string[] {
	const left: string[] = [];
	const nodes = new Set(
		[...truth.of("Node")].filter((node) => isNodeReady(node as Node)).map((node) => node.metadata.name),
	);
	for (const object of truth.objects.values()) {
		const text = wanting(object, nodes.size);
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

/** Minutes between the CronJob's beginning and `untilMs` for which no Job was ever made. */
export function missedTimes(cronJob: CronJob, made: ReadonlySet<string>, untilMs: number): string[] {
	const missed: string[] = [];
	const firstMs = Math.ceil((Date.parse(cronJob.metadata.creationTimestamp) + 1) / 60_000) * 60_000;
	for (let timeMs = firstMs; timeMs < untilMs; timeMs += 60_000) {
		if (!made.has(timestamp(timeMs))) missed.push(timestamp(timeMs));
	}
	return missed;
}

function ordinalOf(pod: KubeObject): number {
	return Number(pod.metadata.name.slice(pod.metadata.name.lastIndexOf("-") + 1));
}

function isReady(pod: Pod | undefined): boolean {
	return pod?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

function isLive(pod: Pod): boolean {
	const { phase } = pod.status ?? {};
	return pod.metadata.deletionTimestamp === undefined && phase !== "Failed" && phase !== "Succeeded";
}

function isNodeReady(node: Node): boolean {
	return node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** Where the pod is, or is meant to go: daemon pods name their node in their affinity. */
function nodeOf(pod: Pod): string {
	const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
	return pod.spec.nodeName ?? terms?.[0]?.matchFields?.[0]?.values?.[0] ?? "";
}
