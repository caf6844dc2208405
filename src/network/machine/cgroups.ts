import { readFileSync } from "node:fs";
import type { Clock } from "../../core/time/clock.ts";
import { removeCgroupTree } from "../../linux/cgroup-tree.ts";
import { parseMountinfo } from "../../linux/rootview.ts";

/**
 * Removes the control groups with this name below the root of every hierarchy, and everything below them. Their
 * processes have ended.
 */
export async function removeCgroups(name: string, clock: Clock): Promise<void> {
	const mounts = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
	for (const mount of mounts.filter((entry) => entry.type === "cgroup" || entry.type === "cgroup2"))
		await removeCgroupTree(`${mount.path}/${name}`, clock);
}
