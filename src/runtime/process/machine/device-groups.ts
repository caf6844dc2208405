/**
 * Restricts which devices may be opened, with control groups of version 1: a second protection in addition to `nodev`.
 * Version 2 has no such setting in a file. The agent joins the restricted group itself, so that its children are in it
 * from the beginning and start no slower.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { MountEntry } from "../../../linux/rootview.ts";

/**
 * As in container engines: any node may be created; null, zero, full, random, urandom, tty, console and terminals may
 * be opened.
 */
const allowed = [
	"c *:* m",
	"b *:* m",
	"c 1:3 rwm",
	"c 1:5 rwm",
	"c 1:7 rwm",
	"c 1:8 rwm",
	"c 1:9 rwm",
	"c 5:0 rwm",
	"c 5:1 rwm",
	"c 5:2 rwm",
	"c 136:* rwm",
];

/**
 * Prevents this process and its children from using other devices.
 * @param parent name of the node's group below the root of each hierarchy
 * Not at once: the kernel takes up to 20 ms to move a process into a group.
 * @returns the groups that privileged containers join to leave it; empty if nothing is confined
 */
export async function confineDevices(mounts: readonly MountEntry[], parent: string): Promise<string[]> {
	const mount = mounts.find(({ type, path }) => type === "cgroup" && path.endsWith("/devices"));
	if (mount === undefined) return [];
	const node = `${mount.path}/${parent}`;
	const narrow = `${node}/usual-devices`;
	try {
		await mkdir(narrow, { recursive: true });
		// Containers of another agent may already be in it, and need their devices all the time.
		if ((await readFile(`${narrow}/devices.list`, "utf8")).startsWith("a ")) {
			await writeFile(`${narrow}/devices.deny`, "a");
			for (const rule of allowed) await writeFile(`${narrow}/devices.allow`, rule);
		}
		await writeFile(`${narrow}/cgroup.procs`, "0");
		return [node];
	} catch {
		// Without permission to create groups, only the mount options protect devices.
		return [];
	}
}
