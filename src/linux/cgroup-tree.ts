import { readdirSync, rmdirSync } from "node:fs";
import type { Clock } from "../core/time/clock.ts";
import { isCode } from "./descriptors.ts";

/** A group may stay busy for a moment after its last process was reaped. */
const [mostAttempts, pauseMs] = [100, 5];

/** Removes a control group and everything below it, after its processes have ended; gives up after half a second. */
export async function removeCgroupTree(directory: string, clock: Clock): Promise<void> {
	for (let attempt = 0; attempt < mostAttempts && !removeTree(directory); attempt++) await clock.sleep(pauseMs);
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
