import { readdirSync, readFileSync, rmdirSync } from "node:fs";
import type { Clock } from "../core/time/clock.ts";
import { isCode } from "./descriptors.ts";
import { parseMountinfo } from "./rootview.ts";

/** A group may stay busy for a moment after its last process was reaped. */
const [mostAttempts, pauseMs] = [100, 5];

/** Removes a control group and everything below it, after its processes have ended; gives up after half a second. */
export async function removeCgroupTree(directory: string, clock: Clock): Promise<void> {
	for (let attempt = 0; attempt < mostAttempts && !removeTree(directory); attempt++) await clock.sleep(pauseMs);
}

/**
 * Removes the control groups with this name below the root of every hierarchy, and everything below them. Their
 * processes have ended.
 */
export async function removeCgroups(name: string, clock: Clock): Promise<void> {
	const mounts = parseMountinfo(readFileSync("/proc/self/mountinfo", "utf8"));
	for (const mount of mounts.filter((entry) => entry.type === "cgroup" || entry.type === "cgroup2"))
		await removeCgroupTree(`${mount.path}/${name}`, clock);
}

/** @returns false if a group is still busy */
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
