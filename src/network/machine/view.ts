/** The file system of a node: a copy-on-write view of the machine's, mounted inside the node's mount namespace. */
import { mkdirSync, writeFileSync } from "node:fs";
import { shellQuote } from "../../linux/command.ts";
import { canHoldUpper, fstabLine, planRootView, showsThrough, viewFstab } from "../../linux/rootview.ts";
import { layerDirectories, listDirectory, makeView, readMounts } from "../../linux/rootview-files.ts";

export interface NodeDirectories {
	/** Contains everything of the node. */
	root: string;
	/** The node's own `/`. */
	view: string;
	/** For the writable layers of containers: on a file system that supports them. */
	scratch: string;
}

/**
 * Locations of volumes. They are next to the view's layers and not in them, because owners on an overlay cannot be
 * shifted for pods with user namespaces, and because the machine's own files in these directories do not belong to the
 * node.
 */
const ownDirectories = ["/var/lib/kubelet", "/var/lib/coxswain/volumes"];

export function nodeDirectories(root: string): NodeDirectories {
	return { root, view: `${root}/fs`, scratch: `${root}/scratch` };
}

/**
 * Prepares a node's view, and returns the shell commands that mount it inside the node's mount namespace. Files that
 * the node wrote earlier are visible again, unless the machine's file system does not support the layers and memory is
 * used instead.
 * @param hidden the cluster's directory, which contains all views and is hidden in each of them
 */
export function prepareView(directories: NodeDirectories, options: { hidden: string; assembled: boolean }): string {
	const { root, view: target, scratch } = directories;
	const { hidden, assembled } = options;
	mkdirSync(scratch, { recursive: true });
	const mounts = readMounts();
	const view = planRootView({ mounts, list: listDirectory, hidden: [hidden], assembled });
	const lasting = canHoldUpper(mounts, root);
	const layers = `${lasting ? root : scratch}/layers`;
	makeView(view, { target, scratch: layers });
	let script = "";
	if (!lasting) {
		// The memory is mounted over the directories that were just created, so they are created again.
		const made = layerDirectories(view, layers).map(shellQuote).join(" ");
		script = `mount -t tmpfs -o mode=700 tmpfs ${shellQuote(scratch)}\nmkdir -p ${made}\n`;
	}
	// Once for the node, not for each pod: every mount makes starting containers slower.
	const own = ownDirectories.map((path) => {
		const source = `${root}/own${path}`;
		mkdirSync(source, { recursive: true });
		return fstabLine(source, target + path, "none", "bind,X-mount.mkdir");
	});
	writeFileSync(
		`${root}/fstab`,
		viewFstab(view, { target, scratch: layers }) + specialMounts(target, assembled) + own.join(""),
	);
	// With the old system call: the new one, which mount(8) of util-linux 2.41 uses, limits options to 255 bytes, but the
	// layers of an overlay are paths in the data directory.
	script += `LIBMOUNT_FORCE_MOUNT2=always mount -a --fstab ${shellQuote(`${root}/fstab`)}\n`;
	// The layers must not be visible through the overlay that they belong to.
	if (showsThrough(view, mounts, hidden))
		script += `mount -t tmpfs -o size=4k,mode=755 tmpfs ${shellQuote(target + hidden)}\n`;
	return script;
}

function specialMounts(target: string, assembled: boolean): string {
	const memory = (path: string, mode: string) =>
		fstabLine("tmpfs", target + path, "tmpfs", `mode=${mode},nosuid,nodev`);
	return [
		fstabLine("none", `${target}/proc`, "proc", "nosuid,nodev,noexec"),
		fstabLine("/sys", `${target}/sys`, "none", "rbind"),
		fstabLine("/dev", `${target}/dev`, "none", "rbind"),
		memory("/run", "755"),
		assembled ? memory("/tmp", "1777") : "",
	].join("");
}
