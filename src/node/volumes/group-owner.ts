/** Changes the group of a volume's files to a pod's `fsGroup`. */
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { chmod, lchown, readdir } from "node:fs/promises";
import { openBeneath } from "../../linux/beneath.ts";
import { descriptorPath } from "../../linux/descriptors.ts";
import { notPermitted } from "./atomic-writer.ts";

/** What the group may do, in addition to what the mode allows; new files in directories get the same group. */
const fileRights = 0o660;
const directoryRights = 0o2770;

/**
 * Changes the group of a directory and of everything in it, which the group may then read and write. Containers may
 * change names and links in it at the same time: nothing outside is changed.
 * @param path below `root`, in which links are resolved
 * @param when `mismatch`: not if the directory itself has the group and its rights already
 */
export async function ownByGroup(
	root: string,
	path: string,
	group: number,
	when: "always" | "mismatch",
): Promise<void> {
	const fd = openBeneath(root, path, { links: "root" });
	try {
		const { gid, mode } = fstatSync(fd);
		if (when === "mismatch" && gid === group && (mode & directoryRights) === directoryRights) return;
		// The directory itself comes last, so that an attempt that is interrupted is made again.
		await ownEntries(fd, group);
		await lchown(`${descriptorPath(fd)}/.`, -1, group).catch(notPermitted);
		await allow(fd, directoryRights);
	} finally {
		closeSync(fd);
	}
}

async function ownEntries(directory: number, group: number): Promise<void> {
	const at = descriptorPath(directory);
	for (const entry of await readdir(at, { withFileTypes: true })) {
		await lchown(`${at}/${entry.name}`, -1, group).catch(unlessGone);
		if (!entry.isDirectory() && !entry.isFile()) continue;
		const fd = openEntry(`${at}/${entry.name}`);
		if (fd === undefined) continue;
		try {
			const found = fstatSync(fd);
			if (found.isDirectory()) {
				await ownEntries(fd, group);
				await allow(fd, directoryRights);
			} else if (found.isFile()) await allow(fd, fileRights);
		} finally {
			closeSync(fd);
		}
	}
}

async function allow(fd: number, rights: number): Promise<void> {
	const mode = fstatSync(fd).mode & 0o7777;
	if ((mode & rights) !== rights) await chmod(descriptorPath(fd), mode | rights).catch(notPermitted);
}

/** Undefined if it is gone, or a link by now. */
function openEntry(path: string): number | undefined {
	try {
		return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
	} catch {
		return undefined;
	}
}

function unlessGone(error: NodeJS.ErrnoException): void {
	if (error.code !== "ENOENT") notPermitted(error);
}
