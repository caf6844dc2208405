/** Changes the group of a volume's files to a pod's `fsGroup`. */
import { closeSync, constants, openSync } from "node:fs";
import { chmod, lchown, readdir } from "node:fs/promises";
import { openBeneath } from "../../linux/beneath.ts";
import { descriptorPath } from "../../linux/descriptors.ts";
import { notPermitted } from "./atomic-writer.ts";

/**
 * Changes the group of a directory, which the group may then read and write; new files get the same group. Containers
 * may change names and links in it at the same time: nothing outside is changed.
 * @param path below `root`, in which links are resolved
 * @param extent `root`: only the directory; `all`: also everything in it
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

/** Undefined if it is no longer a directory. */
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
