/** Reads what a container left in a volume. */
import { constants } from "node:fs";
import { open, realpath } from "node:fs/promises";
import { join } from "node:path";
import type { Pod } from "../../kinds/generated/types.ts";
import { ConfigError } from "../node-context.ts";
import type { PodVolumes } from "./pod-volumes.ts";

const largestFileBytes = 1024 * 1024;

/**
 * Text of a file, undefined when there is none.
 * @throws ConfigError when the path leads out of the volume or to no file; VolumeError for volumes
 */
export async function volumeText(
	volumes: PodVolumes,
	pod: Pod,
	name: string,
	path: string,
): Promise<string | undefined> {
	const volume = await volumes.path(pod, name);
	if (volume === undefined) throw new ConfigError(`cannot find the volume "${name}" referenced by FileKeyRef`);
	try {
		const [root, real] = await Promise.all([realpath(volume.path), realpath(join(volume.path, path))]);
		// Containers make links as they like; the agent must not follow them to the node's own files.
		if (!real.startsWith(`${root}/`)) throw new ConfigError(`file "${path}" leaves the volume "${name}"`);
		// Nobody may write to a pipe.
		const file = await open(real, constants.O_RDONLY | constants.O_NONBLOCK);
		try {
			const stats = await file.stat();
			if (!stats.isFile() || stats.size > largestFileBytes)
				throw new ConfigError(`"${path}" in volume "${name}" is no file of at most ${largestFileBytes} bytes`);
			return await file.readFile("utf8");
		} finally {
			await file.close();
		}
	} catch (error) {
		// Any other error is the caller's to handle.
		if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
		throw error;
	}
}
