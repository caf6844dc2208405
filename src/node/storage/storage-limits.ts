/** Limits of local storage that a pod sets, and whether it exceeds them (API page "Local ephemeral storage"). Pure. */

import { addQuantities, canonicalQuantity, parseQuantity } from "../../core/quantity.ts";
import type { Pod, Volume } from "../../kinds/generated/types.ts";
import { sidecarsOf } from "../../kinds/pod/spec/sidecars.ts";

const resource = "ephemeral-storage";

/** Bytes by name. What has no limit may be absent. */
export interface StorageUsage {
	emptyDirs: ReadonlyMap<string, number>;
	/** Writable layer and logs of each container. */
	containers: ReadonlyMap<string, number>;
}

/** Whether a volume is on the node's disk and deleted with the pod. */
export function isOnDisk({ emptyDir }: Volume): boolean {
	return emptyDir !== undefined && (emptyDir.medium ?? "") === "";
}

/** Limit of an emptyDir on disk in bytes; undefined: none. Those in memory are limited by their file system. */
function emptyDirLimit(volume: Volume): number | undefined {
	const sizeLimit = isOnDisk(volume) ? volume.emptyDir?.sizeLimit : undefined;
	const bytes = sizeLimit === undefined ? 0 : parseQuantity(sizeLimit);
	return bytes > 0 ? bytes : undefined;
}

/** Limits as quantities, by container name. */
export function containerLimits({ spec }: Pod): Map<string, string> {
	const limits = new Map<string, string>();
	for (const { name, resources } of [...(spec.initContainers ?? []), ...spec.containers]) {
		const limit = resources?.limits?.[resource];
		if (limit !== undefined) limits.set(name, limit);
	}
	return limits;
}

/** Whether there is anything to measure. */
export function hasStorageLimits(pod: Pod): boolean {
	return (
		(pod.spec.volumes ?? []).some((volume) => emptyDirLimit(volume) !== undefined) || containerLimits(pod).size > 0
	);
}

/**
 * Why the pod is evicted, with upstream's message and order: volumes, the pod as a whole, containers. Undefined if it
 * is within its limits.
 */
export function storageExcess(pod: Pod, { emptyDirs, containers }: StorageUsage): string | undefined {
	for (const volume of pod.spec.volumes ?? []) {
		const limit = emptyDirLimit(volume);
		if (limit !== undefined && (emptyDirs.get(volume.name) ?? 0) > limit)
			return `Usage of EmptyDir volume "${volume.name}" exceeds the limit "${canonicalQuantity(volume.emptyDir?.sizeLimit ?? "")}". `;
	}
	const total = podLimit(pod);
	const used = [...emptyDirs.values(), ...containers.values()].reduce((sum, bytes) => sum + bytes, 0);
	if (total !== undefined && used > parseQuantity(total))
		return `Pod ephemeral local storage usage exceeds the total limit of containers ${canonicalQuantity(total)}. `;
	for (const [name, limit] of containerLimits(pod)) {
		if ((containers.get(name) ?? 0) > parseQuantity(limit))
			return `Container ${name} exceeded its local ephemeral storage limit "${canonicalQuantity(limit)}". `;
	}
	return undefined;
}

/** The sum of regular containers and sidecars, or the largest other init container, as upstream sums limits. */
function podLimit({ spec }: Pod): string | undefined {
	let sum: string | undefined;
	const sidecars = sidecarsOf(spec);
	for (const { resources } of [...sidecars, ...spec.containers]) {
		const limit = resources?.limits?.[resource];
		if (limit !== undefined) sum = sum === undefined ? limit : addQuantities(sum, limit);
	}
	for (const { resources, restartPolicy } of spec.initContainers ?? []) {
		const limit = restartPolicy === "Always" ? undefined : resources?.limits?.[resource];
		if (limit !== undefined && (sum === undefined || parseQuantity(limit) > parseQuantity(sum))) sum = limit;
	}
	return sum;
}
