/** `/stats/summary` (kubelet's stats v1alpha1). Pure. */
import { timestamp } from "../../core/time/clock.ts";
import type { MachineUsage } from "../machine/machine-usage.ts";
import type { InterfaceTraffic } from "../machine/pod-traffic.ts";
import { type ContainerUsage, type PodUsage, total, type Usage } from "./usage.ts";

/** @param allocatable of the node, by resource name in base units: the memory of a simulated node */
export function statsSummary(usage: Usage, allocatable: ReadonlyMap<string, number>): object {
	const { atMs, nodeName, machine, pods } = usage;
	const time = timestamp(atMs);
	const node = machine === undefined ? simulated(usage, time, allocatable.get("memory") ?? 0) : real(machine, time);
	return { node: { nodeName, ...node }, pods: pods.map((pod) => podSummary(pod, time)) };
}

function real({ bootedAtMs, fs, ...machine }: MachineUsage, time: string): object {
	const { cpuNanoseconds, cpuNanoCores, memoryBytes, availableMemoryBytes, rssBytes } = machine;
	const { capacityBytes, availableBytes, usedBytes, inodes, freeInodes } = fs;
	return {
		startTime: timestamp(bootedAtMs),
		cpu: { time, usageNanoCores: cpuNanoCores, usageCoreNanoSeconds: cpuNanoseconds },
		memory: {
			time,
			availableBytes: availableMemoryBytes,
			usageBytes: memoryBytes,
			workingSetBytes: memoryBytes,
			rssBytes,
		},
		fs: {
			time,
			availableBytes,
			capacityBytes,
			usedBytes,
			inodesFree: freeInodes,
			inodes,
			inodesUsed: inodes - freeInodes,
		},
	};
}

/**
 * The usage of a simulated node is the sum of its containers', averaged since their start. A sum of totals would
 * decrease when one terminates.
 */
function simulated({ atMs, pods }: Usage, time: string, memoryBytes: number): object {
	const containers = pods.flatMap((pod) => pod.containers);
	const usageNanoCores = containers.reduce((sum, { cpuNanoseconds, startedAtMs }) => {
		const runningMs = atMs - startedAtMs;
		return runningMs > 0 ? sum + (cpuNanoseconds / runningMs) * 1000 : sum;
	}, 0);
	const used = total(containers).memoryBytes;
	return {
		cpu: { time, usageNanoCores: Math.round(usageNanoCores) },
		memory: { ...memorySummary(used, time), availableBytes: Math.max(memoryBytes - used, 0) },
	};
}

function podSummary(pod: PodUsage, time: string): object {
	const { name, namespace, uid, startTime, containers, traffic, ...amount } = pod;
	return {
		podRef: { name, namespace, uid },
		startTime: startTime ?? time,
		containers: containers.map((container) => containerSummary(container, time)),
		...(traffic === undefined ? {} : { network: networkSummary(traffic, time) }),
		cpu: { time, usageCoreNanoSeconds: amount.cpuNanoseconds },
		memory: memorySummary(amount.memoryBytes, time),
	};
}

/** The first interface is the pod's, and usually the only one. */
function networkSummary(traffic: readonly InterfaceTraffic[], time: string): object {
	const interfaces = traffic.map(({ name, received, sent }) => ({
		name,
		rxBytes: received.bytes,
		rxErrors: received.errors,
		txBytes: sent.bytes,
		txErrors: sent.errors,
	}));
	return { time, ...interfaces[0], interfaces };
}

function containerSummary({ name, startedAtMs, cpuNanoseconds, memoryBytes }: ContainerUsage, time: string): object {
	return {
		name,
		startTime: timestamp(startedAtMs),
		cpu: { time, usageCoreNanoSeconds: cpuNanoseconds },
		memory: memorySummary(memoryBytes, time),
	};
}

/** The usage of containers is the memory of their processes. */
function memorySummary(bytes: number, time: string): object {
	return { time, usageBytes: bytes, workingSetBytes: bytes, rssBytes: bytes };
}
