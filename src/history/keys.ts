/**
 * Keys of the history in the store. Runs are objects like others. What belongs to them and is no object begins with
 * `history/`, without a slash before it, so that the watch cache neither loads nor keeps it.
 */
import { createHash } from "node:crypto";
import type { KeptLogName } from "../api/kept-logs.ts";

/** Everything in the history that is no object. */
export const historyRoot = "history/";
/** Of logs: `history/logs/NAMESPACE/RUN/POD-UID/CONTAINER/ATTEMPT`. */
export const logRoot = "history/logs/";
/** Of facts that no run has taken in yet: `history/facts/NAMESPACE/JOB-UID/…`. */
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

/** @param what tells facts about one Job apart */
export function factKey(namespace: string, jobUid: string, what: string): string {
	return `${factPrefix(namespace, jobUid)}${what}`;
}

/** `NAME-x7k2p`: the same for the same object, and another for the next of that name. */
export function runName(name: string, uid: string): string {
	return `${name.slice(0, 240)}-${shortHash(uid)}`;
}

const alphabet = "bcdfghjklmnpqrstvwxz2456789";

function shortHash(text: string): string {
	const bytes = createHash("sha256").update(text).digest();
	let hash = "";
	for (let index = 0; index < 6; index++) hash += alphabet[(bytes[index] ?? 0) % alphabet.length];
	return hash;
}

/** A UID for a run, the same at every attempt to write it. */
export function runUid(uid: string): string {
	const hex = createHash("sha256").update(`run of ${uid}`).digest("hex");
	const variant = "89ab"[Number.parseInt(hex[16] ?? "0", 16) % 4];
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
