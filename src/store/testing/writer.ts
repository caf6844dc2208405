/**
 * Writes to the store of the folder in argv until it is killed; prints a line for each acknowledged write: its number,
 * revision and key. Eight concurrent writers, so that commits share transactions.
 */
import { openLmdbStore } from "../lmdb/lmdb.ts";

const [folder = "", from = "0", flush] = process.argv.slice(2);
const store = openLmdbStore({ folder, historyCommits: 200, flush: flush !== "false" });
let next = Number(from);

async function write(): Promise<void> {
	for (;;) {
		const number = next++;
		const key = `/keys/${number % 500}`;
		const value = new TextEncoder().encode(`${number}`.padEnd(500, "."));
		const result = await store.commit({ compare: [], puts: [{ key, value }], deletes: [] });
		if (result.ok) process.stdout.write(`${number} ${result.revision} ${key}\n`);
	}
}

await Promise.all(Array.from({ length: 8 }, write));
