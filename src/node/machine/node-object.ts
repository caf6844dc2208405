/** The Node object that an agent registers and keeps up to date. Pure. */

import { conditionOf } from "../../core/conditions.ts";
import { sameQuantities, semanticEqual } from "../../core/equal.ts";
import { parseTimestamp, timestamp } from "../../core/time/clock.ts";
import type { Node, NodeCondition, NodeStatus } from "../../kinds/generated/types.ts";
import { noPressure, type Pressure } from "./pressure.ts";

export const kubeletVersion = "v1.36.0";

export interface NodeFacts {
	name: string;
	labels: Readonly<Record<string, string>>;
	annotations: Readonly<Record<string, string>>;
	taints: readonly { key: string; value?: string; effect: string }[];
	podCidr?: string;
	addresses: readonly string[];
	/** `amd64`, `arm64` */
	architecture: string;
	kernelVersion: string;
	osImage: string;
	machineId: string;
	bootId: string;
	containerRuntimeVersion: string;
	/** Quantities by resource name. */
	capacity: Readonly<Record<string, string>>;
	allocatable: Readonly<Record<string, string>>;
}

/** Labels that a node gives itself. */
export function ownLabels(facts: NodeFacts): Record<string, string> {
	return {
		"beta.kubernetes.io/arch": facts.architecture,
		"beta.kubernetes.io/os": "linux",
		"kubernetes.io/arch": facts.architecture,
		"kubernetes.io/hostname": facts.name,
		"kubernetes.io/os": "linux",
		...facts.labels,
	};
}

/**
 * The status of the node.
 * @param old the previous conditions: a transition time changes only with the status
 */
export function nodeStatus(
	facts: NodeFacts,
	old: NodeStatus | undefined,
	nowMs: number,
	limitations: readonly string[],
	pressure: Pressure = noPressure,
	isShuttingDown = false,
): NodeStatus {
	const { addresses, name } = facts;
	const advertised = advertisedResources(old);
	return {
		...old,
		capacity: { ...advertised, ...facts.capacity },
		allocatable: { ...advertised, ...facts.allocatable },
		addresses: [...addresses.map((address) => ({ type: "InternalIP", address })), { type: "Hostname", address: name }],
		conditions: nodeConditions(old?.conditions ?? [], nowMs, limitations, pressure, isShuttingDown),
		daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
		nodeInfo: {
			architecture: facts.architecture,
			bootID: facts.bootId,
			containerRuntimeVersion: facts.containerRuntimeVersion,
			kernelVersion: facts.kernelVersion,
			kubeProxyVersion: "",
			kubeletVersion,
			machineID: facts.machineId,
			operatingSystem: "linux",
			osImage: facts.osImage,
			systemUUID: facts.machineId,
		},
	};
}

export type NodeImages = () => readonly { names: readonly string[]; sizeBytes: number }[];

/** As upstream's `nodeStatusMaxImages`. */
const mostImages = 50;

/** The largest of them. */
export function nodeImages(
	images: ReturnType<NodeImages> | undefined,
	old: NodeStatus["images"],
): Pick<NodeStatus, "images"> {
	if (images === undefined || (images.length === 0 && old === undefined)) return {};
	return { images: images.slice(0, mostImages).map(({ names, sizeBytes }) => ({ names: [...names], sizeBytes })) };
}

/** Extended resources that a client wrote into the node's capacity: all of them are allocatable. */
function advertisedResources(status: NodeStatus | undefined): Record<string, string> {
	const extended = ([name]: [string, string]) => name.includes("/") && !name.includes("kubernetes.io/");
	return Object.fromEntries(Object.entries(status?.capacity ?? {}).filter(extended));
}

/** A strategic merge patch that also removes resources that are no longer allocatable. */
export function nodeStatusPatch(old: NodeStatus | undefined, wanted: NodeStatus): Record<string, unknown> {
	const gone = Object.keys(old?.allocatable ?? {}).filter((name) => wanted.allocatable?.[name] === undefined);
	const removals = Object.fromEntries(gone.map((name) => [name, null]));
	return { status: { ...wanted, allocatable: { ...wanted.allocatable, ...removals } } };
}

function nodeConditions(
	old: readonly NodeCondition[],
	nowMs: number,
	limitations: readonly string[],
	pressure: Pressure,
	isShuttingDown: boolean,
): NodeCondition[] {
	const now = timestamp(nowMs);
	const ready =
		limitations.length === 0
			? "kubelet is posting ready status"
			: `kubelet is posting ready status. ${limitations.join(". ")}`;
	const drafts = [
		pressure.has("MemoryPressure")
			? {
					type: "MemoryPressure",
					status: "True",
					reason: "KubeletHasInsufficientMemory",
					message: "kubelet has insufficient memory available",
				}
			: {
					type: "MemoryPressure",
					status: "False",
					reason: "KubeletHasSufficientMemory",
					message: "kubelet has sufficient memory available",
				},
		pressure.has("DiskPressure")
			? {
					type: "DiskPressure",
					status: "True",
					reason: "KubeletHasDiskPressure",
					message: "kubelet has disk pressure",
				}
			: {
					type: "DiskPressure",
					status: "False",
					reason: "KubeletHasNoDiskPressure",
					message: "kubelet has no disk pressure",
				},
		pressure.has("PIDPressure")
			? {
					type: "PIDPressure",
					status: "True",
					reason: "KubeletHasInsufficientPID",
					message: "kubelet has insufficient PID available",
				}
			: {
					type: "PIDPressure",
					status: "False",
					reason: "KubeletHasSufficientPID",
					message: "kubelet has sufficient PID available",
				},
		isShuttingDown
			? { type: "Ready", status: "False", reason: "KubeletNotReady", message: "node is shutting down" }
			: { type: "Ready", status: "True", reason: "KubeletReady", message: ready },
	];
	const types = new Set(drafts.map(({ type }) => type));
	const own = drafts.map(({ type, status, reason, message }) => {
		const before = old.find((condition) => condition.type === type);
		const kept = before?.status === status ? before.lastTransitionTime : undefined;
		return { type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime: kept ?? now };
	});
	return [...old.filter(({ type }) => !types.has(type)), ...own];
}

/** Whether the status must be written: it has changed, or was last written long ago. */
export function needsStatusWrite(node: Node, wanted: NodeStatus, nowMs: number, everyMs: number): boolean {
	const has = node.status;
	const isSame =
		sameQuantities(has?.capacity, wanted.capacity) &&
		sameQuantities(has?.allocatable, wanted.allocatable) &&
		semanticEqual(has?.addresses, wanted.addresses) &&
		semanticEqual(has?.nodeInfo, wanted.nodeInfo) &&
		semanticEqual(has?.images, wanted.images) &&
		semanticEqual(saidBy(has), saidBy(wanted));
	if (!isSame) return true;
	const heartbeat = conditionOf(node, "Ready")?.lastHeartbeatTime;
	return !(nowMs - parseTimestamp(heartbeat ?? "") < everyMs);
}

/** The conditions by type, without their times. */
function saidBy(status: NodeStatus | undefined) {
	const said = status?.conditions?.map(({ type, status: is, reason, message }) => [type, { is, reason, message }]);
	return Object.fromEntries(said ?? []);
}
