import { type CommitCost, inCommits, putCost } from "../../store/commit-size.ts";
import type { Encryption } from "../../store/encryption.ts";
import { keyNameOf } from "../../store/encryption.ts";
import { type Entry, prefixEnd, type Store } from "../../store/store.ts";

const pageEntries = 512;
/** What a value may grow by when it is encrypted. */
const growthBytes = 512;

/**
 * Writes every value under the prefixes again that has another form than it would be written in now. May run while
 * others write: what they wrote is left to them, and looked at again.
 * @param store underneath: with the values as they are on disk
 * @returns how many were written, and whether one of them had been there unencrypted
 */
export async function rewrite(
	store: Store,
	encryption: Encryption,
	prefixes: readonly string[],
): Promise<{ count: number; hadPlain: boolean }> {
	const total = { count: 0, hadPlain: false };
	for (const prefix of prefixes) {
		for (let stale = await staleUnder(store, encryption, prefix); stale.length > 0; ) {
			for (const batch of inCommits(stale, costOf)) {
				const puts = batch.map(({ key, value }) => ({ key, value: encryption.seal(key, encryption.open(key, value)) }));
				const compare = batch.map(({ key, modRevision }) => ({ key, modRevision }));
				const result = await store.commit({ compare, puts, deletes: [] });
				if (!result.ok) continue;
				total.count += batch.length;
				total.hadPlain ||= batch.some(({ value }) => keyNameOf(value) === undefined);
			}
			stale = await staleUnder(store, encryption, prefix);
		}
	}
	return total;
}

async function staleUnder(store: Store, encryption: Encryption, prefix: string): Promise<Entry[]> {
	const stale: Entry[] = [];
	const to = prefixEnd(prefix);
	for (let from = prefix; ; ) {
		const { entries, more } = await store.range({ from, ...(to !== undefined && { to }), limit: pageEntries });
		for (const entry of entries) if (!encryption.isCurrent(entry.key, entry.value)) stale.push(entry);
		const last = entries.at(-1);
		// More than a few pages of them are taken up in the next round.
		if (!more || last === undefined || stale.length >= pageEntries) return stale;
		from = `${last.key}\0`;
	}
}

function costOf(entry: Entry): CommitCost {
	const { operations, bytes } = putCost(entry);
	return { operations, bytes: bytes + growthBytes };
}
