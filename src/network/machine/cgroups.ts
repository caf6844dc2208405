import { readdirSync, readFileSync, rmdirSync } from "node:fs";
import type { Clock } from "../../core/clock.ts";
import { isCode } from "../../core/descriptors.ts";
import { parseMountinfo } from "../../core/rootview.ts";

/**
 * Removes the control groups of that name below the root of every hierarchy, with all below them; their processes have
 * ended.
 */
export async function removeCgroups(name: string, clock: Clock): Promise<void> {
	const mounts = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
	for (const mount of mounts.filter((entry) => entry.type === "cgroup" || entry.type === "cgroup2")) {
		// A group is busy for a moment after its last process was reaped.
		for (let attempt = 0; attempt < 100 && !removeTree(`${mount.path}/${name}`); attempt++) await clock.sleep(5);
	}
}

/** False when a group is still busy. */
function removeTree(directory: string): boolean {
	try {
		for (const entry of readdirSync(directory, { withFileTypes: true })) {
			if (entry.isDirectory() && !removeTree(`${directory}/${entry.name}`)) return false;
		}
		rmdirSync(directory);
		return true;
	} catch (error) {
		return !isCode(error, "EBUSY");
	}
}
