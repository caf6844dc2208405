/** Holders among the processes of the machine, found by the marker in their environment, no matter who started them. */
import { randomBytes } from "node:crypto";
import { lstatSync, readFileSync, writeFileSync } from "node:fs";
import { isOwnPlace, type Place, placeOf } from "../../linux/process-place.ts";
import { allPids, environmentOf, identify, type ProcessId } from "../../linux/processes.ts";

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
 * @param user only of this user's clusters; default: of all. Only what belongs to the user who runs the holder is the
 * user's to name
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
