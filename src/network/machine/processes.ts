/** Holders among the processes of the machine, found by the marker in their environment, no matter who started them. */
import { randomBytes } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Clock } from "../../core/clock.ts";

/** One process, told from a later one with the same number by its start time. */
export interface ProcessId {
	pid: number;
	/** Clock ticks since boot; as text, for comparison only. */
	startTime: string;
}

export interface MarkedProcess extends ProcessId {
	/** The part of the marker behind the `#`. */
	role: string;
	environment: ReadonlyMap<string, string>;
	/** PID 1 of its own PID namespace, as against the process outside that waits for it. */
	isInit: boolean;
}

export const marker = "COX_HOLDER";
const keyName = "COX_KEY";

/** All processes that carry `COX_HOLDER=<owner>#…` and the owner's key, of this user. */
export function markedProcesses(owner: string): MarkedProcess[] {
	const key = readKey(owner);
	const found: MarkedProcess[] = [];
	for (const name of readdirSync("/proc")) {
		const environment = /^\d+$/.test(name) ? readEnvironment(name) : undefined;
		const value = environment?.get(marker) ?? "";
		const at = value.lastIndexOf("#");
		if (environment === undefined || at < 0 || value.slice(0, at) !== owner) continue;
		const place = placeOf(Number(name), process.getuid?.());
		if (!isHolder(environment, place, key)) continue;
		const startTime = startTimeOf(Number(name));
		if (startTime === undefined) continue;
		const isInit = place.numbers.length === 2;
		found.push({ pid: Number(name), startTime, role: value.slice(at + 1), environment, isInit });
	}
	return found;
}

/**
 * The directories of clusters that have holders on this machine.
 * @param user only of this user's clusters; default: of all. Only what belongs to the user who runs the holder is the
 * user's to name
 */
export function clusterDirectories(user?: number): string[] {
	const owners = new Set<string>();
	for (const name of readdirSync("/proc")) {
		const environment = /^\d+$/.test(name) ? readEnvironment(name) : undefined;
		const value = environment?.get(marker) ?? "";
		const owner = value.slice(0, Math.max(0, value.lastIndexOf("#")));
		if (environment === undefined || owner === "" || owners.has(owner)) continue;
		const place = placeOf(Number(name), user);
		if (place.user === userOf(owner) && isHolder(environment, place, readKey(owner))) owners.add(owner);
	}
	return [...owners].sort();
}

/**
 * The environment for a holder of this owner. Its key is in the owner's directory, where no container looks: what
 * containers, of this cluster or of anything else on the machine, write into their environment makes them no holders.
 */
export function holderEnvironment(owner: string, role: string): Record<string, string> {
	const file = keyFile(owner);
	// Holders without a key are an older version's: they must still be found.
	if (readKey(owner) === undefined && markedProcesses(owner).length === 0)
		writeFileSync(file, `${randomBytes(16).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
	const key = readKey(owner);
	return { [marker]: `${owner}#${role}`, ...(key === undefined ? {} : { [keyName]: key }) };
}

function keyFile(owner: string): string {
	return `${owner}/holder.key`;
}

/** Undefined where there is none, or the directory was deleted below running holders. */
function readKey(owner: string): string | undefined {
	try {
		return readFileSync(keyFile(owner), "utf8").trim();
	} catch {
		return undefined;
	}
}

/**
 * A holder is the first process of a namespace that begins below ours, or the process of ours that waits for it and is
 * marked like it.
 */
function isHolder(environment: ReadonlyMap<string, string>, place: Place, key: string | undefined): boolean {
	if (key !== undefined && environment.get(keyName) !== key) return false;
	return isOwnPlace(place, marker, environment.get(marker) ?? "") && (place.numbers[1] ?? "1") === "1";
}

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

/** @param user of whom it has to be; undefined: anybody */
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
	return readProc(`${parent}/environ`)?.split("\0").includes(`${name}=${value}`) === true;
}

function userOf(path: string): number | undefined {
	return lstatSync(path, { throwIfNoEntry: false })?.uid;
}

/** Undefined when there is no such process, or only the remains of one that has ended. */
export function startTimeOf(pid: number): string | undefined {
	const stat = readProc(`${pid}/stat`);
	// The name of the program stands in parentheses and may contain anything, so count from behind it.
	const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
	return fields === undefined || fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}

/** Sends KILL to each, if it is still the same process, and waits till all are gone (at most ten seconds). */
export async function killAll(processes: readonly ProcessId[], clock: Clock): Promise<void> {
	let left = processes.filter(isAlive);
	for (const { pid } of left) kill(pid);
	for (let waitedMs = 0; left.length > 0; waitedMs += 2) {
		if (waitedMs > 10_000) throw new Error(`processes do not end: ${left.map(({ pid }) => pid).join(", ")}`);
		await clock.sleep(2);
		left = left.filter(isAlive);
	}
}

export function isAlive(process: ProcessId): boolean {
	return startTimeOf(process.pid) === process.startTime;
}

function kill(pid: number): void {
	try {
		process.kill(pid, "SIGKILL");
	} catch {
		// Ended by itself in between.
	}
}

function readEnvironment(pid: string): Map<string, string> | undefined {
	const text = readProc(`${pid}/environ`);
	if (text?.includes(marker) !== true) return undefined;
	const environment = new Map<string, string>();
	for (const entry of text.split("\0")) {
		const at = entry.indexOf("=");
		if (at > 0) environment.set(entry.slice(0, at), entry.slice(at + 1));
	}
	return environment;
}

/** Undefined for what is not ours to read, and for processes that end while we look. */
function readProc(path: string): string | undefined {
	try {
		return readFileSync(`/proc/${path}`, "utf8");
	} catch {
		return undefined;
	}
}
