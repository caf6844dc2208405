/** Where a process is among others: what containers run is never taken for a part of a cluster. */
import { environmentOf, readProc } from "./processes.ts";

/** Where a process is among others. */
export interface Place {
	parent: number;
	/** Real user, as seen from here. */
	user: number | undefined;
	/**
	 * Its numbers in the PID namespaces from ours down to its own. Empty: it has ended, or is not of the user that was
	 * asked for.
	 */
	numbers: readonly string[];
}

/** @param user required owner of the process; undefined: any */
export function placeOf(pid: number, user: number | undefined): Place {
	return parsePlace(readProc(`${pid}/status`) ?? "", user);
}

/** @param status of proc(5). Pure. */
export function parsePlace(status: string, user: number | undefined): Place {
	const field = (name: string) => new RegExp(`^${name}:\t(.*)$`, "m").exec(status)?.[1]?.split("\t") ?? [];
	const real = field("Uid")[0];
	const owner = real === undefined ? undefined : Number(real);
	const numbers = user === undefined || owner === user ? field("NSpid") : [];
	return { parent: Number(field("PPid")[0] ?? 0), user: owner, numbers };
}

/**
 * Whether a process that carries a mark may be a part of a cluster: it is in our own PID namespace, or the child of one
 * that is and carries the same mark, as `nsenter` and `unshare` do. What runs in containers is further down, or has
 * another parent.
 */
export function isOwnPlace({ parent, user, numbers }: Place, name: string, value: string): boolean {
	if (numbers.length === 1) return true;
	if (numbers.length !== 2 || placeOf(parent, user).numbers.length !== 1) return false;
	return environmentOf(parent).includes(`${name}=${value}`);
}
