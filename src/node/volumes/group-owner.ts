/** Files of volumes, given to a pod's `fsGroup`. */
import { closeSync, constants, openSync } from "node:fs";
import { chmod, lchown, readdir } from "node:fs/promises";
import { openBeneath } from "../../linux/beneath.ts";
import { descriptorPath } from "../../linux/descriptors.ts";
import { notPermitted } from "./atomic-writer.ts";

/**
 * Gives a directory to a group, which may then read and write it, and whose new files are the group's, too. Containers
 * may change names and links in it at the same time: nothing outside is touched.
 * @param path below `root`; links lead there
 * @param extent `root`: the directory alone; `all`: also everything in it
 */
export async function ownByGroup(root: string, path: string, group: number, extent: "root" | "all"): Promise<void> {
	const fd = openBeneath(root, path, { links: "root" });
	try {
		await lchown(`${descriptorPath(fd)}/.`, -1, group).catch(notPermitted);
		await chmod(descriptorPath(fd), 0o2777).catch(notPermitted);
		if (extent === "all") await ownEntries(fd, group);
	} finally {
		closeSync(fd);
	}
}

async function ownEntries(directory: number, group: number): Promise<void> {
	const at = descriptorPath(directory);
	for (const entry of await readdir(at, { withFileTypes: true })) {
		await lchown(`${at}/${entry.name}`, -1, group).catch(unlessGone);
		if (!entry.isDirectory()) continue;
		const fd = openDirectory(`${at}/${entry.name}`);
		if (fd === undefined) continue;
		try {
			await ownEntries(fd, group);
		} finally {
			closeSync(fd);
		}
	}
}

/** Undefined for what is none any more. */
function openDirectory(path: string): number | undefined {
	try {
		return openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
	} catch {
		return undefined;
	}
}

function unlessGone(error: NodeJS.ErrnoException): void {
	if (error.code !== "ENOENT") notPermitted(error);
}
