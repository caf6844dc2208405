/**
 * Determines the place of a process in the process tree, so that processes of containers are never taken for parts of a
 * cluster.
 */
import { environmentOf, readProc } from "./processes.ts";

/** The place of a process in the process tree. */
export interface Place {
	parent: number;
	/** Real user ID in this user namespace. */
	user: number | undefined;
	/**
	 * Its PIDs in the PID namespaces from this one down to its own. Empty: it has ended, or does not belong to the
	 * requested user.
	 */
	numbers: readonly string[];
}

/** @param user required owner of the process; undefined: any */
export function placeOf(pid: number, user: number | undefined): Place {
	return parsePlace(readProc(`${pid}/status`) ?? "", user);
}

/** @param status as described in proc(5). Pure. */
export function parsePlace(status: string, user: number | undefined): Place {
	const field = (name: string) => new RegExp(`^${name}:\t(.*)$`, "m").exec(status)?.[1]?.split("\t") ?? [];
	const real = field("Uid")[0];
	const owner = real === undefined ? undefined : Number(real);
	const numbers = user === undefined || owner === user ? field("NSpid") : [];
	return { parent: Number(field("PPid")[0] ?? 0), user: owner, numbers };
}

/**
 * Whether a marked process may be a part of a cluster: it is in this PID namespace, or the child of such a process with
 * the same mark, as with `nsenter` and `unshare`. Processes of containers are deeper, or have another parent.
 */
export function isOwnPlace({ parent, user, numbers }: Place, name: string, value: string): boolean {
	if (numbers.length === 1) return true;
	if (numbers.length !== 2 || placeOf(parent, user).numbers.length !== 1) return false;
	return environmentOf(parent).includes(`${name}=${value}`);
}
