/** The events to report about CronJobs, StatefulSets, DaemonSets and Deployments, from their status. Pure. */
import { timestamp } from "../../core/time/clock.ts";
import type { CronJob, DaemonSet, Deployment, StatefulSet } from "../../kinds/generated/types.ts";
import type { Policy } from "../policies/policy.ts";
import { type Notification, notificationId } from "../sinks/notification.ts";
import type { Told } from "./run-events.ts";

const longestMessage = 1000;

export type NotifiedWorkload = CronJob | StatefulSet | DaemonSet | Deployment;

/** The observed state of a workload while an event may follow. */
export interface WorkloadSeen {
	uid: string;
	sinceMs: number;
	/** Keys of the policies that were notified. */
	told: string[];
}

export interface WorkloadPlan {
	told: Told[];
	/** Undefined: there is no problem. */
	seen?: WorkloadSeen;
	againMs?: number;
}

export interface WorkloadTime {
	nowMs: number;
	/** How long the recorded state has lasted, on the monotonic clock. */
	lastedMs: number;
}

export interface Pods {
	ready: number;
	desired: number;
	isWhole: boolean;
	reason?: string;
	message?: string;
}

/** @param policies that apply to it */
export function planWorkload(
	object: NotifiedWorkload,
	policies: readonly Policy[],
	before: WorkloadSeen | undefined,
	time: WorkloadTime,
): WorkloadPlan {
	const known = before?.uid === object.metadata.uid ? before : undefined;
	const { nowMs } = time;
	const lastedMs = known === undefined ? 0 : time.lastedMs;
	if (object.kind === "CronJob") return planSuspended(object as CronJob, policies, known, { nowMs, lastedMs });
	const pods = podsOf(object as Exclude<NotifiedWorkload, CronJob>);
	const about = (event: "Stuck" | "Back", policy: Policy, sinceMs: number): Notification => ({
		id: notificationId(policy.key, object.metadata.uid, event, sinceMs),
		event,
		at: timestamp(nowMs),
		namespace: object.metadata.namespace ?? "",
		kind: object.kind,
		name: object.metadata.name,
		policy: policy.name,
		ready: pods.ready,
		desired: pods.desired,
		durationMs: lastedMs,
		...(event === "Stuck" && pods.reason && { reason: pods.reason }),
		...(event === "Stuck" && pods.message && { message: pods.message.slice(0, longestMessage) }),
	});
	if (pods.isWhole) {
		const back = policies.filter(({ key, events }) => events.has("Back") && known?.told.includes(key));
		return { told: back.map((policy) => ({ policy, notification: about("Back", policy, known?.sinceMs ?? nowMs) })) };
	}
	const wanting = policies.filter(({ events }) => events.has("Stuck") || events.has("Back"));
	const plan = waited(wanting, ({ stuckMs }) => stuckMs, object, known, { nowMs, lastedMs });
	const told = plan.due
		.filter(({ events }) => events.has("Stuck"))
		.map((policy) => ({ policy, notification: about("Stuck", policy, plan.seen.sinceMs) }));
	return wanting.length === 0 ? { told } : { told, seen: plan.seen, ...plan.again };
}

function planSuspended(
	object: CronJob,
	policies: readonly Policy[],
	known: WorkloadSeen | undefined,
	{ nowMs, lastedMs }: WorkloadTime,
): WorkloadPlan {
	const wanting = policies.filter(({ events }) => events.has("SuspendedLong"));
	if (object.spec.suspend !== true || wanting.length === 0) return { told: [] };
	const plan = waited(wanting, ({ suspendedMs }) => suspendedMs, object, known, { nowMs, lastedMs });
	const told = plan.due.map((policy) => ({
		policy,
		notification: {
			id: notificationId(policy.key, object.metadata.uid, "SuspendedLong", plan.seen.sinceMs),
			event: "SuspendedLong" as const,
			at: timestamp(nowMs),
			namespace: object.metadata.namespace ?? "",
			kind: "CronJob",
			name: object.metadata.name,
			policy: policy.name,
			startTime: timestamp(plan.seen.sinceMs),
			durationMs: lastedMs,
		},
	}));
	return { told, seen: plan.seen, ...plan.again };
}

/** Which policies have waited long enough, and which continue to wait. */
function waited(
	wanting: readonly Policy[],
	patienceMs: (policy: Policy) => number,
	{ metadata }: NotifiedWorkload,
	known: WorkloadSeen | undefined,
	{ nowMs, lastedMs }: WorkloadTime,
): { due: Policy[]; seen: WorkloadSeen; again: { againMs?: number } } {
	const sinceMs = known?.sinceMs ?? nowMs;
	const told = known?.told ?? [];
	const open = wanting.filter(({ key }) => !told.includes(key));
	const due = open.filter((policy) => lastedMs >= patienceMs(policy));
	const later = open.filter((policy) => !due.includes(policy)).map((policy) => nowMs + patienceMs(policy) - lastedMs);
	return {
		due,
		seen: { uid: metadata.uid, sinceMs, told: [...told, ...due.map(({ key }) => key)] },
		again: later.length === 0 ? {} : { againMs: Math.min(...later) },
	};
}

/** Whether all desired pods are ready, and have the newest template as far as the rollout is meant to update them. */
export function podsOf(object: StatefulSet | DaemonSet | Deployment): Pods {
	const { metadata, kind } = object;
	if (kind === "DaemonSet") {
		const { spec, status } = object as DaemonSet;
		const desired = status?.desiredNumberScheduled ?? 0;
		const ready = status?.numberReady ?? 0;
		const updates = spec.updateStrategy?.type !== "OnDelete";
		const updated = updates ? (status?.updatedNumberScheduled ?? 0) : desired;
		return { ready, desired, isWhole: isCurrent(metadata, status) && ready >= desired && updated >= desired };
	}
	if (kind === "StatefulSet") {
		const { spec, status } = object as StatefulSet;
		const { type, rollingUpdate } = spec.updateStrategy ?? {};
		const desired = spec.replicas ?? 1;
		const ready = status?.readyReplicas ?? 0;
		const wanted = type === "OnDelete" ? 0 : Math.max(desired - (rollingUpdate?.partition ?? 0), 0);
		const isUpdated = (status?.updatedReplicas ?? 0) >= wanted || status?.currentRevision === status?.updateRevision;
		return { ready, desired, isWhole: isCurrent(metadata, status) && ready >= desired && isUpdated };
	}
	const { spec, status } = object as Deployment;
	const desired = spec.replicas ?? 1;
	const ready = status?.readyReplicas ?? 0;
	const isUpdated = spec.paused === true || (status?.updatedReplicas ?? 0) >= desired;
	const why = status?.conditions?.find((one) => one.type === "Progressing" && one.status === "False");
	return {
		ready,
		desired,
		isWhole: isCurrent(metadata, status) && ready >= desired && isUpdated,
		...(why?.reason && { reason: why.reason }),
		...(why?.message && { message: why.message }),
	};
}

function isCurrent({ generation = 0 }: { generation?: number }, status: { observedGeneration?: number } | undefined) {
	return (status?.observedGeneration ?? 0) >= generation;
}
