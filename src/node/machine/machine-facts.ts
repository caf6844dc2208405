/** Facts of a node, read from its machine. */

import { statfsSync } from "node:fs";
import { arch, availableParallelism, release, totalmem } from "node:os";
import { readIfThere } from "../../linux/if-there.ts";
import type { NodeFacts } from "./node-object.ts";

/** Memory reserved for the system. */
const reservedBytes = 100 * 1024 ** 2;

/** For nodes that store nothing. */
const simulatedStorageKi = 100 * 1024 ** 2;

/**
 * The share of a file system that is not allocatable to pods: below it, kubelets evict by default
 * (nodefs.available<10%).
 */
const reservedShare = 0.1;

/**
 * Facts for a Node, of which the caller may replace some.
 * @param storage a directory on the file system of the node's pods; undefined: its pods have no files
 */
export function machineFacts(name: string, maxPods: number, storage?: string): NodeFacts {
	const architectures: Record<string, string> = { x64: "amd64", ia32: "386" };
	const memoryKi = Math.floor(totalmem() / 1024);
	const storageKi = storage === undefined ? simulatedStorageKi : sizeKi(storage);
	const capacity = {
		cpu: String(availableParallelism()),
		"ephemeral-storage": `${storageKi}Ki`,
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
		allocatable: {
			...capacity,
			"ephemeral-storage": String(Math.floor(storageKi * (1 - reservedShare)) * 1024),
			memory: `${memoryKi - reservedBytes / 1024}Ki`,
		},
	};
}

/** Size of the whole file system. */
function sizeKi(directory: string): number {
	const { blocks, bsize } = statfsSync(directory);
	return Math.floor((blocks * bsize) / 1024);
}

function read(path: string): string {
	return readIfThere(path)?.trim() ?? "";
}
