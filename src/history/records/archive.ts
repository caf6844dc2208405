/** The logs of terminated containers in the store: one compressed value for each. */
import { gunzipSync } from "node:zlib";
import type { KeptLogName } from "../../api/server/kept-logs.ts";
import { type EndedLog, largestLogBytes } from "../../core/ended-log.ts";
import { prefixEnd, type Store } from "../../store/store.ts";
import type { LogFact } from "./facts.ts";
import { logKey, runName } from "./keys.ts";

/** The limit of what agents read of a log (docs/run-history.md, "How much is kept"), plus a margin. */
const mostLogBytes = 8 * 1024 * 1024;
/** Values read at a time if only their keys are needed. */
const pageEntries = 16;

/** The description of a log in its run, and what is written for it. */
export interface KeptLog {
	fact: LogFact;
	put: { key: string; value: Uint8Array } | undefined;
}

/** @param room the maximum size of the log in its run, in bytes: of a larger one only the size is kept */
export function keptLog({ data, bytes, omittedBytes, ...ended }: EndedLog, room: number): KeptLog {
	const fits = data.length <= Math.min(room, largestLogBytes);
	const log = fits
		? { bytes, storedBytes: bytes === 0 ? 0 : data.length, omittedBytes }
		: { bytes: 0, storedBytes: 0, omittedBytes: omittedBytes + bytes };
	const { namespace, jobName, jobUid, podUid, container, attempt } = ended;
	const key = logKey({ namespace, run: runName(jobName, jobUid), podUid, container, attempt });
	return { fact: { type: "log", ended, log }, put: fits && bytes > 0 ? { key, value: data } : undefined };
}

export async function readLog(store: Store, name: KeptLogName): Promise<Buffer | undefined> {
	const entry = await store.get(logKey(name));
	if (entry === undefined) return undefined;
	const value = Buffer.from(entry.value.buffer, entry.value.byteOffset, entry.value.length);
	// Short logs are not compressed; a log begins with a timestamp.
	if (value[0] !== 0x1f) return value;
	try {
		return gunzipSync(value, { maxOutputLength: mostLogBytes });
	} catch {
		// Nodes compress logs and may be hostile: a megabyte can decompress to a gigabyte.
		return Buffer.from("");
	}
}

/** Keys with a prefix: of all logs of a run, or of all runs of a namespace. */
export async function keysUnder(store: Store, prefix: string): Promise<string[]> {
	const keys: string[] = [];
	const to = prefixEnd(prefix);
	for (let from = prefix; ; ) {
		const { entries, more } = await store.range({ from, ...(to !== undefined && { to }), limit: pageEntries });
		for (const { key } of entries) keys.push(key);
		const last = entries.at(-1);
		if (!more || last === undefined) return keys;
		from = `${last.key}\0`;
	}
}
