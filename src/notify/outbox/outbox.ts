/** Pending messages in the store: keys and values. They are not objects, and only the notifier uses them. */
import { prefixEnd, type Store } from "../../store/store.ts";
import type { Seen } from "../events/run-events.ts";
import type { WorkloadSeen } from "../events/workload-events.ts";
import type { Digest, Notification } from "../sinks/notification.ts";
import type { Entry, QueueName } from "./queue.ts";

/**
 * The prefix of all keys here. Like those of the history, they have no leading slash, so that the watch cache ignores
 * them.
 */
export const notifyRoot = "notify/";
/** Prefix of pending messages. */
export const outboxRoot = "notify/outbox/";
const digestRoot = "notify/digests/";
const runRoot = "notify/runs/";
const workloadRoot = "notify/workloads/";
export const cursorKey = "notify/cursor";

/** Which changes of runs have been processed. */
export interface Cursor {
	/** All up to this revision. */
	revision: number;
	atMs: number;
}

/** A pending message. */
interface StoredMessage {
	atMs: number;
	notification: Notification;
}

export interface Stored {
	cursor: Cursor | undefined;
	entries: { queue: QueueName; entry: Entry }[];
	digests: { queue: QueueName; digest: Digest }[];
	/** By UID of the run: what has been processed of it, until some time after its end. */
	runs: Map<string, Seen>;
	/** By `workloadKey`. */
	workloads: Map<string, WorkloadSeen>;
}

export function queueId({ namespace, policy, sink }: QueueName): string {
	return `${namespace}/${policy}/${sink}`;
}

/** @param sequence increases from entry to entry */
export function entryKey(queue: QueueName, sequence: number): string {
	return `${outboxRoot}${queueId(queue)}/${String(sequence).padStart(16, "0")}`;
}

export function digestKey(queue: QueueName): string {
	return `${digestRoot}${queueId(queue)}`;
}

/** @param uid of the run */
export function runKey(uid: string): string {
	return `${runRoot}${uid}`;
}

export function workloadKey(namespace: string, kind: string, name: string): string {
	return `${workloadRoot}${namespace}/${kind}/${name}`;
}

export function encoded(value: object): Uint8Array {
	return Buffer.from(JSON.stringify(value));
}

export function encodedMessage(message: StoredMessage): Uint8Array {
	return encoded(message);
}

/** The message of an entry, which is not kept in memory; undefined: it was removed. */
export async function messageAt(store: Store, key: string): Promise<Notification | undefined> {
	const entry = await store.get(key);
	return entry && (decoded(entry.value) as StoredMessage).notification;
}

/** For a store that has no note yet. */
export async function noteCursor(store: Store, cursor: Cursor): Promise<void> {
	await store.commit({ compare: [], puts: [{ key: cursorKey, value: encoded(cursor) }], deletes: [] });
}

const pageEntries = 256;

export async function loadOutbox(store: Store): Promise<Stored> {
	const found: Stored = { cursor: undefined, entries: [], digests: [], runs: new Map(), workloads: new Map() };
	const to = prefixEnd(notifyRoot);
	for (let from = notifyRoot; ; ) {
		const { entries, more } = await store.range({ from, ...(to !== undefined && { to }), limit: pageEntries });
		for (const { key, value } of entries) take(found, key, decoded(value));
		const last = entries.at(-1);
		if (!more || last === undefined) return found;
		from = `${last.key}\0`;
	}
}

function decoded(value: Uint8Array): unknown {
	return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.length).toString());
}

/** This part of the store contains only what was encoded here; the key shows its type. */
function take(found: Stored, key: string, value: unknown): void {
	if (key === cursorKey) found.cursor = value as Cursor;
	else if (key.startsWith(runRoot)) found.runs.set(key.slice(runRoot.length), value as Seen);
	else if (key.startsWith(workloadRoot)) found.workloads.set(key, value as WorkloadSeen);
	else if (key.startsWith(digestRoot)) found.digests.push({ queue: queueOf(key, digestRoot), digest: value as Digest });
	else if (key.startsWith(outboxRoot)) {
		const { atMs, notification } = value as StoredMessage;
		found.entries.push({ queue: queueOf(key, outboxRoot), entry: { key, atMs, event: notification.event } });
	}
}

function queueOf(key: string, root: string): QueueName {
	const [namespace = "", policy = "", sink = ""] = key.slice(root.length).split("/");
	return { namespace, policy, sink };
}

/** The number at the end of the newest entry's key; 0 if there is none. */
export function newestSequence(entries: Stored["entries"]): number {
	return entries.reduce((most, { entry }) => Math.max(most, Number(entry.key.slice(-16))), 0);
}
