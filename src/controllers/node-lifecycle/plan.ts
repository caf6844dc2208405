/**
 * Nodes that stop reporting, and taints that represent their conditions (Kubernetes documentation, "Nodes" and "Taints
 * and Tolerations"). Pure.
 */

import { conditionOf } from "../../core/conditions.ts";
import { sameJson } from "../../core/equal.ts";
import { lookup } from "../../core/object.ts";
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import { nodes } from "../../kinds/core/node.ts";
import type { Lease, Node, NodeCondition, Pod, Taint } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { event, patch, updateStatus } from "../runtime/actions.ts";
import type { Action, Plan, PlanContext } from "../runtime/controller.ts";

export interface NodeLifecycleOptions {
	/** The time without heartbeats after which a node is Unknown. Upstream's default is 50 s. */
	graceMs: number;
	/** The same for a node that has never reported. */
	startupGraceMs: number;
	/** At most one node of a zone gets a NoExecute taint in this time. Upstream's default rate is 0.1 per second. */
	evictionIntervalMs: number;
}

export interface NodeLifecycleState {
	node: Node;
	lease: Lease | undefined;
	/** Ready pods on the node; only set if the node is not ready. */
	readyPods: readonly Pod[];
	zone: Zone;
}

/**
 * The state of the node's zone: if too many of its nodes stop reporting, the problem is probably not with the nodes.
 */
export interface Zone {
	readyCount: number;
	notReadyCount: number;
	/** Epoch milliseconds at which another of its nodes last got a NoExecute taint. */
	lastTaintedMs: number;
	/** No node of any zone is reporting. */
	allSilent: boolean;
}

/** The kubelet's default nodeLeaseDurationSeconds. */
const usualLeaseMs = 40_000;
const prefix = "node.kubernetes.io/";
const notReadyKey = `${prefix}not-ready`;
const unreachableKey = `${prefix}unreachable`;

/** NoSchedule taints that represent conditions. */
const pressureTaints: Readonly<Record<string, string>> = lookup({
	MemoryPressure: `${prefix}memory-pressure`,
	DiskPressure: `${prefix}disk-pressure`,
	PIDPressure: `${prefix}pid-pressure`,
	NetworkUnavailable: `${prefix}network-unavailable`,
});

const ours = new Set([notReadyKey, unreachableKey, `${prefix}unschedulable`, ...Object.values(pressureTaints)]);

/** Conditions that only the node itself can report. */
const reported = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/** The node that the controller has registered under this name. */
export interface Registered {
	uid: string;
	/** Its last heartbeat, and the `waitedMs` at which it arrived here: the clock of a node may be wrong or be set. */
	heartbeat?: string;
	seenAtMs?: number;
}

export function planNode(
	state: NodeLifecycleState,
	context: PlanContext<Registered>,
	options: NodeLifecycleOptions,
): Plan<Registered> {
	const { nowMs, waitedMs, memory } = context;
	const { node } = state;
	const { uid } = node.metadata;
	if (node.metadata.deletionTimestamp !== undefined) return { actions: [], memory: { uid } };
	const registered = { uid, ...lastHeartbeat(state, context) };
	const leftMs = patienceMs(state, nowMs, waitedMs - registered.seenAtMs, options);
	const silent = leftMs <= 0;
	const conditions = silent ? silentConditions(node, nowMs) : (node.status?.conditions ?? []);
	const changed = !sameJson(conditions, node.status?.conditions ?? []);
	const actions: Action[] = changed ? [updateStatus(nodes, { ...node, status: { ...node.status, conditions } })] : [];
	if (memory?.uid !== uid) actions.push(registeredEvent(node));
	const ready = conditions.find((condition) => condition.type === "Ready");
	const before = conditionOf(node, "Ready");
	if (before?.status === "True" && ready?.status !== "True") actions.push(notReadyEvent(node));
	const { taints, retryAtMs } = taintsOf(state, conditions, nowMs, options);
	if (!sameJson(taints, node.spec.taints ?? [])) actions.push(taintPatch(node, taints, changed));
	if (ready !== undefined && ready.status !== "True")
		actions.push(...state.readyPods.flatMap((pod) => unready(pod, nowMs)));
	return {
		actions,
		memory: registered,
		...(retryAtMs !== undefined && { requeueAtMs: retryAtMs }),
		...(!silent && { requeueAfterMs: leftMs }),
	};
}

/** Epoch milliseconds of this controller's last NoExecute taint; 0 for none. */
export function taintedAtMs(node: Node): number {
	let newestMs = 0;
	for (const { key, effect, timeAdded } of node.spec.taints ?? []) {
		if (effect !== "NoExecute" || timeAdded === undefined || (key !== notReadyKey && key !== unreachableKey)) continue;
		newestMs = Math.max(newestMs, parseTimestamp(timeAdded));
	}
	return newestMs;
}

/** Every change of the times in Lease and status is a heartbeat, whatever these times are. */
function lastHeartbeat({ node, lease }: NodeLifecycleState, { waitedMs, memory }: PlanContext<Registered>) {
	const heartbeat = `${lease?.spec.renewTime ?? ""} ${conditionOf(node, "Ready")?.lastHeartbeatTime ?? ""}`;
	const isKnown = memory?.uid === node.metadata.uid && memory.heartbeat === heartbeat;
	// `waitedMs` starts at 0 again after a plan without `requeueAfterMs`.
	return { heartbeat, seenAtMs: Math.min((isKnown ? memory.seenAtMs : undefined) ?? waitedMs, waitedMs) };
}

/** How much longer the node may stay silent. @param silentMs the time since its last heartbeat */
function patienceMs(
	{ node, lease }: NodeLifecycleState,
	nowMs: number,
	silentMs: number,
	options: NodeLifecycleOptions,
): number {
	if (conditionOf(node, "Ready") === undefined)
		return parseTimestamp(node.metadata.creationTimestamp) + options.startupGraceMs - nowMs;
	// A Lease with a longer duration is respected: simulated nodes in virtual time renew it less often.
	return Math.max((lease?.spec.leaseDurationSeconds ?? 0) * 1000 - usualLeaseMs, 0) + options.graceMs - silentMs;
}

function silentConditions(node: Node, nowMs: number): NodeCondition[] {
	const now = timestamp(nowMs);
	const conditions = [...(node.status?.conditions ?? [])];
	for (const type of reported) {
		const place = conditions.findIndex((condition) => condition.type === type);
		const old = conditions[place];
		if (old === undefined) {
			const heartbeat = node.metadata.creationTimestamp;
			conditions.push({
				type,
				status: "Unknown",
				lastHeartbeatTime: heartbeat,
				lastTransitionTime: now,
				reason: "NodeStatusNeverUpdated",
				message: "Kubelet never posted node status.",
			});
		} else if (old.status !== "Unknown") {
			conditions[place] = {
				...old,
				status: "Unknown",
				lastTransitionTime: now,
				reason: "NodeStatusUnknown",
				message: "Kubelet stopped posting node status.",
			};
		}
	}
	return conditions;
}

function registeredEvent(node: Node): Action {
	const { name } = node.metadata;
	return event(node, "Normal", "RegisteredNode", `Node ${name} event: Registered Node ${name} in Controller`);
}

function notReadyEvent(node: Node): Action {
	return event(node, "Normal", "NodeNotReady", `Node ${node.metadata.name} status is now: NodeNotReady`);
}

/** The taints of the node, in a stable order; taints of other owners first, unchanged. */
function taintsOf(
	{ node, zone }: NodeLifecycleState,
	conditions: readonly NodeCondition[],
	nowMs: number,
	options: NodeLifecycleOptions,
): { taints: Taint[]; retryAtMs?: number } {
	const existing = node.spec.taints ?? [];
	const taints = existing.filter((taint) => !ours.has(taint.key) || isForeign(taint));
	const status = (type: string) => conditions.find((condition) => condition.type === type)?.status;
	const known = (key: string, effect: string) => existing.find((taint) => taint.key === key && taint.effect === effect);
	const noSchedule = (key: string) => taints.push(known(key, "NoSchedule") ?? { key, effect: "NoSchedule" });
	if (node.spec.unschedulable) noSchedule(`${prefix}unschedulable`);
	for (const [type, key] of Object.entries(pressureTaints)) if (status(type) === "True") noSchedule(key);
	const ready = status("Ready");
	if (ready === "True") return { taints };
	const key = ready === "False" || ready === undefined ? notReadyKey : unreachableKey;
	noSchedule(key);
	if (ready === undefined) return { taints };
	const present = known(key, "NoExecute");
	const other = known(key === notReadyKey ? unreachableKey : notReadyKey, "NoExecute");
	if (present !== undefined) return { taints: [...taints, present] };
	const taint: Taint = { key, effect: "NoExecute", timeAdded: timestamp(nowMs) };
	// It changes from one to the other without having been healthy in between: this is not a new eviction.
	if (other !== undefined) return { taints: [...taints, taint] };
	if (!mayEvict(zone)) return { taints, retryAtMs: nowMs + options.evictionIntervalMs };
	const retryAtMs = zone.lastTaintedMs + options.evictionIntervalMs;
	return retryAtMs > nowMs ? { taints, retryAtMs } : { taints: [...taints, taint] };
}

/** A taint with one of these keys, but an effect that this controller does not set. */
function isForeign({ key, effect }: Taint): boolean {
	if (effect === "NoSchedule") return false;
	return effect !== "NoExecute" || (key !== notReadyKey && key !== unreachableKey);
}

/** No pods are evicted if all nodes are unreachable, or most nodes of a small zone. */
function mayEvict({ readyCount, notReadyCount, allSilent }: Zone): boolean {
	if (allSilent) return false;
	const total = readyCount + notReadyCount;
	const partlyDisrupted = notReadyCount > 2 && notReadyCount / total >= 0.55 && readyCount > 0;
	return !partlyDisrupted || total > 50;
}

function taintPatch(node: Node, taints: Taint[], afterStatusWrite: boolean): Action {
	const { name, resourceVersion } = node.metadata;
	// A precondition, because taints of other owners may not be visible yet; a status write just before has changed the
	// version.
	const metadata = afterStatusWrite ? {} : { metadata: { resourceVersion } };
	const spec = { taints: taints.length === 0 ? null : taints };
	return patch(nodes, { name }, { type: "merge", patch: { ...metadata, spec } }, { orGone: true });
}

/** A pod on an unreachable node must not receive requests. */
function unready(pod: Pod, nowMs: number): Action[] {
	const conditions = pod.status?.conditions?.map((condition) =>
		condition.type === "Ready" ? { ...condition, status: "False", lastTransitionTime: timestamp(nowMs) } : condition,
	);
	return [
		updateStatus(pods, { ...pod, status: { ...pod.status, conditions } }),
		event(pod, "Warning", "NodeNotReady", "Node is not ready"),
	];
}
