import { type CommitCost, inCommits, putCost } from "../../store/commit-size.ts";
import type { Encryption } from "../../store/encryption.ts";
import { keyNameOf } from "../../store/encryption.ts";
import { type Entry, prefixEnd, type Store } from "../../store/store.ts";

const pageEntries = 512;
/** The maximum growth of a value by encryption. */
const growthBytes = 512;

/**
 * Rewrites every value under the prefixes whose form differs from the current one. May run concurrently with other
 * writers, whose values are checked again.
 * @param store the underlying store, with values as they are on disk
 * @returns the number of values written, and whether one of them was unencrypted
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
		// Beyond a few pages, the rest is processed in the next round.
		if (!more || last === undefined || stale.length >= pageEntries) return stale;
		from = `${last.key}\0`;
	}
}

function costOf(entry: Entry): CommitCost {
	const { operations, bytes } = putCost(entry);
	return { operations, bytes: bytes + growthBytes };
}
