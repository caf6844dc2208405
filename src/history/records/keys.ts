/**
 * Keys of the history in the store. Runs are ordinary objects. Data that belongs to them and is not an object has keys
 * that begin with `history/`, without a leading slash, so that the watch cache does not load it.
 */
import { createHash } from "node:crypto";
import type { KeptLogName } from "../../api/server/kept-logs.ts";

/** Everything in the history that is not an object. */
export const historyRoot = "history/";
/** Keys of logs: `history/logs/NAMESPACE/RUN/POD-UID/CONTAINER/ATTEMPT`. */
export const logRoot = "history/logs/";
/** Keys of facts that no run includes yet: `history/facts/NAMESPACE/JOB-UID/…`. */
export const factRoot = "history/facts/";

export function logKey({ namespace, run, podUid, container, attempt }: KeptLogName): string {
	return `${logPrefix(namespace, run)}${podUid}/${container}/${attempt}`;
}

export function logPrefix(namespace: string, run: string): string {
	return `${logRoot}${namespace}/${run}/`;
}

export function factPrefix(namespace: string, jobUid: string): string {
	return `${factRoot}${namespace}/${jobUid}/`;
}

/** @param what distinguishes facts about the same Job */
export function factKey(namespace: string, jobUid: string, what: string): string {
	return `${factPrefix(namespace, jobUid)}${what}`;
}

/** `NAME-x7k2p`: always the same for an object, and a different one for the next object with that name. */
export function runName(name: string, uid: string): string {
	return `${name.slice(0, 240)}-${shortHash(uid)}`;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const alphabet = "bcdfghjklmnpqrstvwxz2456789";

/** A random UID is as good as its hash. */
function shortHash(text: string): string {
	const digest = uuid.test(text) ? text : createHash("sha256").update(text).digest("hex");
	let rest = Number.parseInt(digest.slice(0, 8), 16);
	let hash = "";
	for (let index = 0; index < 6; index++) {
		hash += alphabet[rest % alphabet.length];
		rest = Math.floor(rest / alphabet.length);
	}
	return hash;
}

/** The UID of a run, derived from the Job's, so that repeated writes use the same: a UUID of version 8. */
export function runUid(uid: string): string {
	if (uuid.test(uid)) return `${uid.slice(0, 14)}8${uid.slice(15)}`;
	const hex = createHash("sha256").update(uid).digest("hex");
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
