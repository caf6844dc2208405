import { allPids, namespaceOf, usage } from "../../linux/processes.ts";
import type { ContainerStats } from "../runtime.ts";
import type { ProcessContainer } from "./container/container.ts";

/** One pass over all processes, counted for the container whose namespace they are in. */
export function measure(containers: readonly ProcessContainer[]): ContainerStats[] {
	const byNamespace = new Map<string, ContainerStats>();
	for (const container of containers) {
		const namespace = container.init === undefined ? undefined : namespaceOf(container.init.pid, "mnt");
		if (namespace === undefined) continue;
		byNamespace.set(namespace, { containerId: container.id, cpuNanoseconds: 0, memoryBytes: 0 });
	}
	if (byNamespace.size === 0) return [];
	for (const pid of allPids()) {
		const stats = byNamespace.get(namespaceOf(pid, "mnt") ?? "");
		const used = stats === undefined ? undefined : usage(pid);
		if (stats === undefined || used === undefined) continue;
		stats.cpuNanoseconds += used.cpuNanoseconds;
		stats.memoryBytes += used.memoryBytes;
		stats.processes = (stats.processes ?? 0) + 1;
	}
	return [...byNamespace.values()];
}
