/**
 * Which devices may be opened, by control groups of version 1: a second line behind `nodev`. Version 2 has none that is
 * set by writing a file. The agent joins the narrow group itself: what it starts is in it from its first moment, and no
 * start gets slower.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { MountEntry } from "../../../linux/rootview.ts";

/**
 * As engines have it: any node may be made; null, zero, full, random, urandom, tty, console and terminals may be
 * opened.
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
 * Keeps this process and all that it starts from other devices.
 * @param parent name of the node's group below the root of each hierarchy
 * @returns the groups that privileged containers join to get out again; none where nothing is confined
 */
export function confineDevices(mounts: readonly MountEntry[], parent: string): string[] {
	const mount = mounts.find(({ type, path }) => type === "cgroup" && path.endsWith("/devices"));
	if (mount === undefined) return [];
	const node = `${mount.path}/${parent}`;
	const narrow = `${node}/usual-devices`;
	try {
		mkdirSync(narrow, { recursive: true });
		// Another agent's containers may be in it already, and need their devices at every moment.
		if (readFileSync(`${narrow}/devices.list`, "utf8").startsWith("a ")) {
			writeFileSync(`${narrow}/devices.deny`, "a");
			for (const rule of allowed) writeFileSync(`${narrow}/devices.allow`, rule);
		}
		writeFileSync(`${narrow}/cgroup.procs`, "0");
		return [node];
	} catch {
		// Without the right to make groups, the mounts' options are what there is.
		return [];
	}
}
