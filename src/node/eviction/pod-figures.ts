/** Measures what pods use, for their order in evictions. */
import type { Pod } from "../../kinds/generated/types.ts";
import type { ContainerStats, Runtime } from "../../runtime/runtime.ts";
import type { ReclaimedResource } from "../machine/signals.ts";
import { measureStorage, type StorageSources } from "../storage/measure-storage.ts";
import type { PodFigures } from "./ranking.ts";

export interface FigureSources extends Omit<StorageSources, "runtime" | "directories"> {
	runtime: Pick<Runtime, "stats" | "writableLayers">;
	/** Absent: disks are not measured. */
	directories?: StorageSources["directories"] | undefined;
}

/** By pod UID. Disks are measured only if they matter, because it takes long. */
export async function podFigures(
	sources: FigureSources,
	pods: readonly Pod[],
	resource: ReclaimedResource,
): Promise<Map<string, PodFigures>> {
	const stats = new Map((await sources.runtime.stats()).map((one) => [one.containerId, one]));
	const figures = new Map<string, PodFigures>();
	const onDisk = resource === "ephemeral-storage" || resource === "inodes";
	for (const pod of pods) figures.set(pod.metadata.uid, await figuresOf(sources, pod, stats, onDisk));
	return figures;
}

async function figuresOf(
	{ runtime, view, directories }: FigureSources,
	pod: Pod,
	stats: ReadonlyMap<string, ContainerStats>,
	onDisk: boolean,
): Promise<PodFigures> {
	const disk =
		onDisk && directories !== undefined
			? await measureStorage({ runtime, view, directories }, pod, { containers: true })
			: undefined;
	const containers = new Map<string, { memoryBytes: number; diskBytes?: number }>();
	let [memoryBytes, processes] = [0, 0];
	for (const { id, config } of view.of(pod.metadata.uid).containers) {
		const used = stats.get(id);
		if (used === undefined) continue;
		memoryBytes += used.memoryBytes;
		processes += used.processes ?? 0;
		const diskBytes = disk?.containers.get(config.name);
		containers.set(config.name, { memoryBytes: used.memoryBytes, ...(diskBytes === undefined ? {} : { diskBytes }) });
	}
	if (disk === undefined) return { memoryBytes, processes, containers };
	const diskBytes = [...disk.emptyDirs.values(), ...disk.containers.values()].reduce((sum, bytes) => sum + bytes, 0);
	return { memoryBytes, processes, diskBytes, containers };
}
