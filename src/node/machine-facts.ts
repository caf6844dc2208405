/** What a node is, as its machine says. */
import { readFileSync } from "node:fs";
import { arch, availableParallelism, release, totalmem } from "node:os";
import type { NodeFacts } from "./node-object.ts";

/** Memory that the node keeps for itself. */
const reservedBytes = 100 * 1024 ** 2;

/** Facts with everything a node needs; the caller replaces what it knows better. */
export function machineFacts(name: string, maxPods: number): NodeFacts {
	const architectures: Record<string, string> = { x64: "amd64", ia32: "386" };
	const memoryKi = Math.floor(totalmem() / 1024);
	const capacity = {
		cpu: String(availableParallelism()),
		"ephemeral-storage": "100Gi",
		memory: `${memoryKi}Ki`,
		pods: String(maxPods),
	};
	const machineId = read("/etc/machine-id");
	return {
		name,
		labels: {},
		annotations: {},
		taints: [],
		addresses: [],
		architecture: architectures[arch()] ?? arch(),
		kernelVersion: release(),
		osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(read("/etc/os-release"))?.[1] ?? "Linux",
		machineId,
		bootId: read("/proc/sys/kernel/random/boot_id"),
		containerRuntimeVersion: "",
		capacity,
		allocatable: { ...capacity, memory: `${memoryKi - reservedBytes / 1024}Ki` },
	};
}

function read(path: string): string {
	try {
		return readFileSync(path, "utf8").trim();
	} catch {
		return "";
	}
}
