/** The steps that mount the files of images as volumes: each as an overlay without an upper layer. */
import type { Step } from "./plan.ts";
import type { PlacedVolume, VolumeFiles } from "./volumes.ts";

/** Flags of mount(2): MS_RDONLY, MS_NODEV. */
const flags = 1 | 4;
/** Relative to the directory in which the launcher works, see image-root.ts. */
const links = "v";

interface Options {
	volumeFiles: readonly VolumeFiles[];
	scratch: string;
	ownUsers: boolean;
}

/** Links that the directory of the container needs: paths below it, and their targets. */
export function volumeLinks({ volumeFiles, scratch, ownUsers }: Options, empty: string): [string, string][] {
	return volumeFiles.flatMap(({ layers }, volume) => [
		...layers.map((layer, at): [string, string] => [
			`${links}${volume}/${at}`,
			ownUsers ? shifted(scratch, volume, at) : layer,
		]),
		// An overlay has two layers at least.
		[`${links}${volume}/e`, empty],
	]);
}

/** Directories first; the rest after the mount namespace was cut off, and before the root is changed. */
export function imageVolumeSteps(
	{ volumeFiles, scratch, ownUsers }: Options,
	rootless: boolean,
): { directories: Step[]; mounts: Step[] } {
	const directories: Step[] = [];
	const mounts: Step[] = [];
	for (const [volume, { layers }] of volumeFiles.entries()) {
		const target = mountedAt(scratch, volume);
		directories.push(["directory", target, 0o755, 0, 0]);
		if (ownUsers)
			for (const [at, layer] of layers.entries()) mounts.push(["shift", layer, shifted(scratch, volume, at)]);
		// Upper layers first.
		const lower = [...layers.keys()].reverse().map((at) => `${links}${volume}/${at}`);
		const options = `lowerdir=${[...lower, `${links}${volume}/e`].join(":")}${rootless ? ",userxattr" : ""}`;
		mounts.push(["overlay", target, flags, options]);
	}
	return { directories, mounts };
}

/** The volumes of a container, with those of images where they are mounted by these steps. */
export function placedVolumes(
	volumes: readonly PlacedVolume[],
	{ volumeFiles, scratch }: Pick<Options, "volumeFiles" | "scratch">,
): PlacedVolume[] {
	return volumes.map((volume) => {
		const at = volumeFiles.findIndex(({ id }) => id === volume.image);
		const files = volumeFiles[at];
		if (files === undefined) return volume;
		const isFile = files.fileSubPaths.includes(volume.subPath ?? "");
		return { ...volume, hostPath: mountedAt(scratch, at), isFile, readOnly: true };
	});
}

function mountedAt(scratch: string, volume: number): string {
	return `${scratch}/images/${volume}`;
}

function shifted(scratch: string, volume: number, layer: number): string {
	return `${scratch}/image-layers/${volume}/${layer}`;
}
