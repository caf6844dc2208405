/** The Node object that an agent registers and keeps up to date. Pure. */
import { parseTimestamp, timestamp } from "../core/clock.ts";
import type { Node, NodeCondition, NodeStatus } from "../kinds/generated/types.ts";

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

/** Everything the agent reports of its node. @param old conditions as they were: transition times stay while the status does */
export function nodeStatus(
	facts: NodeFacts,
	old: NodeStatus | undefined,
	nowMs: number,
	limitations: readonly string[],
): NodeStatus {
	const { addresses, name } = facts;
	return {
		...old,
		capacity: { ...facts.capacity },
		allocatable: { ...facts.allocatable },
		addresses: [...addresses.map((address) => ({ type: "InternalIP", address })), { type: "Hostname", address: name }],
		conditions: nodeConditions(old?.conditions ?? [], nowMs, limitations),
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

function nodeConditions(old: readonly NodeCondition[], nowMs: number, limitations: readonly string[]): NodeCondition[] {
	const now = timestamp(nowMs);
	const ready =
		limitations.length === 0
			? "kubelet is posting ready status"
			: `kubelet is posting ready status. ${limitations.join(". ")}`;
	const drafts = [
		{
			type: "MemoryPressure",
			status: "False",
			reason: "KubeletHasSufficientMemory",
			message: "kubelet has sufficient memory available",
		},
		{
			type: "DiskPressure",
			status: "False",
			reason: "KubeletHasNoDiskPressure",
			message: "kubelet has no disk pressure",
		},
		{
			type: "PIDPressure",
			status: "False",
			reason: "KubeletHasSufficientPID",
			message: "kubelet has sufficient PID available",
		},
		{ type: "Ready", status: "True", reason: "KubeletReady", message: ready },
	];
	const types = new Set(drafts.map(({ type }) => type));
	const own = drafts.map((draft) => {
		const before = old.find(({ type }) => type === draft.type);
		const kept = before?.status === draft.status ? before.lastTransitionTime : undefined;
		return { ...draft, lastHeartbeatTime: now, lastTransitionTime: kept ?? now };
	});
	return [...old.filter(({ type }) => !types.has(type)), ...own];
}

/** Whether a node's status must be written: it says something else, or was written long ago. */
export function needsStatusWrite(node: Node, wanted: NodeStatus, nowMs: number, everyMs: number): boolean {
	const strip = (status: NodeStatus | undefined) =>
		JSON.stringify({
			capacity: status?.capacity,
			allocatable: status?.allocatable,
			addresses: status?.addresses,
			nodeInfo: status?.nodeInfo,
			conditions: status?.conditions
				?.map(({ type, status, reason, message }) => [type, status, reason, message])
				.sort(),
		});
	if (strip(node.status) !== strip(wanted)) return true;
	const heartbeat = node.status?.conditions?.find(({ type }) => type === "Ready")?.lastHeartbeatTime;
	return !(nowMs - parseTimestamp(heartbeat ?? "") < everyMs);
}
