/** Reads files that a container wrote to a volume. */
import { closeSync, constants, fstatSync } from "node:fs";
import { open } from "node:fs/promises";
import type { Pod } from "../../kinds/generated/types.ts";
import { LeavesDirectory, openBeneath } from "../../linux/beneath.ts";
import { descriptorPath, isCode } from "../../linux/descriptors.ts";
import { ConfigError } from "../context/node-context.ts";
import { openVolume, type PodVolumes } from "./pod-volumes.ts";

const largestFileBytes = 1024 * 1024;

/**
 * Text of a file; undefined if there is none.
 * @throws ConfigError if the path leads out of the volume or to something other than a file; VolumeError for volumes
 */
export async function volumeText(
	volumes: PodVolumes,
	pod: Pod,
	name: string,
	path: string,
): Promise<string | undefined> {
	const volume = await volumes.path(pod, name);
	if (volume === undefined) throw new ConfigError(`cannot find the volume "${name}" referenced by FileKeyRef`);
	const root = openVolume(volume);
	try {
		// Containers can create links; the agent must not follow them to the node's own files.
		const found = openBeneath(descriptorPath(root), path, { links: "inside" });
		try {
			return await textOf(found, `"${path}" in volume "${name}"`);
		} finally {
			closeSync(found);
		}
	} catch (error) {
		if (error instanceof LeavesDirectory) throw new ConfigError(`file "${path}" leaves the volume "${name}"`);
		// The caller handles any other error.
		if (isCode(error, "ENOENT")) return undefined;
		throw error;
	} finally {
		closeSync(root);
	}
}

async function textOf(found: number, what: string): Promise<string> {
	const refuse = () => new ConfigError(`${what} is no file of at most ${largestFileBytes} bytes`);
	// A pipe may have no writer.
	if (!fstatSync(found).isFile()) throw refuse();
	const file = await open(descriptorPath(found), constants.O_RDONLY | constants.O_NONBLOCK);
	try {
		if ((await file.stat()).size > largestFileBytes) throw refuse();
		return await file.readFile("utf8");
	} finally {
		await file.close();
	}
}
