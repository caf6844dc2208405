/** The data directories of this user's clusters, running or not. */
import { existsSync } from "node:fs";
import { markedValues, supervisorMark } from "../control/cluster-processes.ts";
import { layoutOf } from "../files/layout.ts";
import { ownRegisteredData } from "./data-directories.ts";

/**
 * Registered ones, those of running clusters (which need no entry below /tmp and /run), and the one that commands use
 * without `--data`. Sorted.
 */
export function knownData(): string[] {
	const usual = layoutOf(undefined).data;
	const all = new Set([usual, ...ownRegisteredData(), ...markedValues(supervisorMark)]);
	return [...all].filter((data) => existsSync(layoutOf(data).settings)).sort();
}
