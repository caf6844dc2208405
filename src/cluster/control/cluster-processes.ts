import { isOwnPlace, placeOf } from "../../linux/process-place.ts";
import { allPids, environmentOf, identify, type ProcessId } from "../../linux/processes.ts";

/**
 * Marks the processes of a cluster in their environment, so that they are found regardless of the state of the others.
 */
export const serverMark = "COX_SERVER";
export const supervisorMark = "COX_SUPERVISOR";
export const agentMark = "COX_AGENT";

/**
 * This user's processes whose environment has `name=value` for one of the names, without this one. Linux only; none
 * elsewhere.
 */
export function processesMarked(names: readonly string[], value: string): ProcessId[] {
	return allPids().flatMap((pid) => {
		if (pid === process.pid) return [];
		const environment = environmentOf(pid);
		const name = names.find((one) => environment.includes(`${one}=${value}`));
		if (name === undefined) return [];
		// What a container has in its environment says nothing.
		return isOwnPlace(placeOf(pid, process.getuid?.()), name, value) ? (identify(pid) ?? []) : [];
	});
}

/** The values of a mark in the environment of this user's processes. */
export function markedValues(name: string): string[] {
	const prefix = `${name}=`;
	return allPids().flatMap((pid) =>
		environmentOf(pid)
			.filter((entry) => entry.startsWith(prefix))
			.map((entry) => entry.slice(prefix.length))
			.filter((value) => isOwnPlace(placeOf(pid, process.getuid?.()), name, value)),
	);
}

export function isMarked(pid: number, name: string, value: string): boolean {
	return environmentOf(pid).includes(`${name}=${value}`);
}
