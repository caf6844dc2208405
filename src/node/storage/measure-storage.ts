/** What a pod has on the node's disk. */
import { join } from "node:path";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { RuntimeView } from "../context/runtime-view.ts";
import { type Directories, podLogDirectory, volumeDirectory } from "../volumes/layout.ts";
import { diskUsage } from "./disk-usage.ts";
import { isOnDisk, type StorageUsage } from "./storage-limits.ts";

export interface StorageSources {
	runtime: Pick<Runtime, "writableLayers">;
	view: Pick<RuntimeView, "of">;
	directories: Directories;
}

/** @param containers whether running containers are measured, too */
export async function measureStorage(
	{ runtime, view, directories }: StorageSources,
	pod: Pod,
	{ containers: wanted }: { containers: boolean },
): Promise<StorageUsage> {
	const { uid } = pod.metadata;
	const emptyDirs = new Map<string, number>();
	for (const volume of (pod.spec.volumes ?? []).filter(isOnDisk))
		emptyDirs.set(volume.name, await diskUsage(volumeDirectory(directories, uid, volume)));
	const containers = new Map<string, number>();
	if (!wanted) return { emptyDirs, containers };
	for (const { id, config, state } of view.of(uid).containers) {
		if (state !== "running") continue;
		let bytes = await diskUsage(join(podLogDirectory(directories, pod), config.name));
		for (const layer of runtime.writableLayers?.(id) ?? []) bytes += await diskUsage(layer);
		containers.set(config.name, bytes);
	}
	return { emptyDirs, containers };
}
