/** The logs of ended containers in the store: each one value, compressed. */
import { gunzipSync } from "node:zlib";
import type { KeptLogName } from "../api/kept-logs.ts";
import type { EndedLog } from "../core/ended-log.ts";
import { prefixEnd, type Store } from "../store/store.ts";
import { encodeFact, type Fact, type StoredFact } from "./facts.ts";
import { factKey, logKey, logPrefix, runName } from "./keys.ts";

/** Values read at a time where only their keys are wanted. */
const pageEntries = 16;

export function keptName({ namespace, jobName, jobUid, podUid, container, attempt }: EndedLog): KeptLogName {
	return { namespace, run: runName(jobName, jobUid), podUid, container, attempt };
}

/**
 * Writes logs, and with each the fact that a run has to take in. What is there already stays.
 * @param room for logs of this run, in bytes: beyond, only the fact is written
 */
export async function keepLogs(
	store: Store,
	logs: readonly EndedLog[],
	room: (log: EndedLog) => number,
): Promise<StoredFact[]> {
	const facts: StoredFact[] = [];
	const puts: { key: string; value: Uint8Array }[] = [];
	for (const log of logs) {
		const { data, bytes, omittedBytes, ...ended } = log;
		const fits = data.length <= room(log);
		const kept = fits
			? { bytes, storedBytes: bytes === 0 ? 0 : data.length, omittedBytes }
			: { bytes: 0, storedBytes: 0, omittedBytes: omittedBytes + bytes };
		const fact: Fact = { type: "log", ended, log: kept };
		const key = factKey(ended.namespace, ended.jobUid, `log/${ended.podUid}/${ended.container}/${ended.attempt}`);
		facts.push({ key, fact });
		puts.push({ key, value: encodeFact(fact) });
		if (fits && bytes > 0) puts.push({ key: logKey(keptName(log)), value: data });
	}
	await store.commit({ compare: [], puts, deletes: [] });
	return facts;
}

export async function readLog(store: Store, name: KeptLogName): Promise<Buffer | undefined> {
	const entry = await store.get(logKey(name));
	if (entry === undefined) return undefined;
	const value = Buffer.from(entry.value.buffer, entry.value.byteOffset, entry.value.length);
	// What is short is not compressed; a log begins with a time.
	return value[0] === 0x1f ? gunzipSync(value) : value;
}

/** Keys of all logs of a run; of all runs of a namespace when there is no run. */
export async function logKeys(store: Store, prefix: string): Promise<string[]> {
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

export { logPrefix };
