/** Finds holders among the machine's processes by the marker in their environment, regardless of who started them. */
import { randomBytes } from "node:crypto";
import { lstatSync, readFileSync, writeFileSync } from "node:fs";
import { isOwnPlace, type Place, placeOf } from "../../linux/process-place.ts";
import { allPids, environmentOf, identify, type ProcessId } from "../../linux/processes.ts";

export interface MarkedProcess extends ProcessId {
	/** The part of the marker after the `#`. */
	role: string;
	environment: ReadonlyMap<string, string>;
	/** PID 1 of its own PID namespace, as opposed to the outer process that waits for it. */
	isInit: boolean;
}

export const marker = "COX_HOLDER";
const keyName = "COX_KEY";

/** All processes of this user with `COX_HOLDER=<owner>#…` and the owner's key. */
export function markedProcesses(owner: string): MarkedProcess[] {
	const key = readKey(owner);
	const found: MarkedProcess[] = [];
	for (const pid of allPids()) {
		const environment = markedEnvironment(pid);
		const value = environment?.get(marker) ?? "";
		const at = value.lastIndexOf("#");
		if (environment === undefined || at < 0 || value.slice(0, at) !== owner) continue;
		const place = placeOf(pid, process.getuid?.());
		if (!isHolder(environment, place, key)) continue;
		const id = identify(pid);
		if (id === undefined) continue;
		const isInit = place.numbers.length === 2;
		found.push({ ...id, role: value.slice(at + 1), environment, isInit });
	}
	return found;
}

/**
 * The directories of clusters that have holders on this machine.
 * @param user only of this user's clusters; default: of all. A directory counts only if it belongs to the user who runs
 * the holder
 */
export function clusterDirectories(user?: number): string[] {
	const owners = new Set<string>();
	for (const pid of allPids()) {
		const environment = markedEnvironment(pid);
		const value = environment?.get(marker) ?? "";
		const owner = value.slice(0, Math.max(0, value.lastIndexOf("#")));
		if (environment === undefined || owner === "" || owners.has(owner)) continue;
		const place = placeOf(pid, user);
		if (place.user === userOf(owner) && isHolder(environment, place, readKey(owner))) owners.add(owner);
	}
	return [...owners].sort();
}

/**
 * The environment for a holder of this owner. Its key is in the owner's directory, which containers cannot read:
 * containers, of this cluster or of another engine, cannot pose as holders by setting variables.
 */
export function holderEnvironment(owner: string, role: string): Record<string, string> {
	const key = readKey(owner);
	return { [marker]: `${owner}#${role}`, ...(key === undefined ? {} : { [keyName]: key }) };
}

/**
 * Before the first holder of an owner is started. Holders without a key were started by an older version and must still
 * be found: as long as there are any, there is none.
 */
export function ensureKey(owner: string, holders: readonly MarkedProcess[]): void {
	if (holders.length > 0 || readKey(owner) !== undefined) return;
	writeFileSync(keyFile(owner), `${randomBytes(16).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
}

function keyFile(owner: string): string {
	return `${owner}/holder.key`;
}

/** Undefined if there is none, or the directory was deleted while holders were running. */
function readKey(owner: string): string | undefined {
	try {
		return readFileSync(keyFile(owner), "utf8").trim();
	} catch {
		return undefined;
	}
}

/**
 * A holder is the first process of a nested PID namespace, or the outer process that waits for it and has the same
 * mark.
 */
function isHolder(environment: ReadonlyMap<string, string>, place: Place, key: string | undefined): boolean {
	if (key !== undefined && environment.get(keyName) !== key) return false;
	return isOwnPlace(place, marker, environment.get(marker) ?? "") && (place.numbers[1] ?? "1") === "1";
}

function userOf(path: string): number | undefined {
	return lstatSync(path, { throwIfNoEntry: false })?.uid;
}

/** Undefined for processes without the marker. */
function markedEnvironment(pid: number): Map<string, string> | undefined {
	const entries = environmentOf(pid);
	if (!entries.some((entry) => entry.startsWith(`${marker}=`))) return undefined;
	const environment = new Map<string, string>();
	for (const entry of entries) {
		const at = entry.indexOf("=");
		if (at > 0) environment.set(entry.slice(0, at), entry.slice(at + 1));
	}
	return environment;
}
