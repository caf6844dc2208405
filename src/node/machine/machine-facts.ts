/** What a node is, as its machine says. */

import { statfsSync } from "node:fs";
import { arch, availableParallelism, release, totalmem } from "node:os";
import { readIfThere } from "../../linux/if-there.ts";
import type { NodeFacts } from "./node-object.ts";

/** Memory that the node keeps for itself. */
const reservedBytes = 100 * 1024 ** 2;

/** Where nothing is stored. */
const simulatedStorageKi = 100 * 1024 ** 2;

/** The part of a file system that pods are not promised: below it, kubelets evict by default (nodefs.available<10%). */
const reservedShare = 0.1;

/**
 * Facts with everything a node needs; the caller replaces what it knows better.
 * @param storage a directory on the file system that holds the node's pods; undefined: the pods of this node have none
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

/** Of the whole file system, no matter who uses it. */
function sizeKi(directory: string): number {
	const { blocks, bsize } = statfsSync(directory);
	return Math.floor((blocks * bsize) / 1024);
}

function read(path: string): string {
	return readIfThere(path)?.trim() ?? "";
}
