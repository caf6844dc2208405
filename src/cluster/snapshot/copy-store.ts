import { existsSync } from "node:fs";
import { join } from "node:path";
import { dataFileProblem } from "../../store/lmdb/data-file.ts";
import { openLmdbStore } from "../../store/lmdb/lmdb.ts";
import { control, NotRunning } from "../control/control-client.ts";
import type { Layout } from "../files/layout.ts";

/**
 * Copies the store of a cluster to `data.mdb` of a folder; a running server copies it itself.
 * @returns the file
 * @throws Error if the store is missing, damaged or cannot be copied
 */
export async function copyStore(layout: Layout, folder: string): Promise<string> {
	try {
		await control(layout, "copyStore", { folder });
	} catch (error) {
		if (!(error instanceof NotRunning)) throw error;
		const problem = existsSync(layout.storeFile) ? dataFileProblem(layout.storeFile) : "it is missing";
		if (problem !== undefined) throw new Error(`the store's file ${layout.storeFile} is damaged: ${problem}`);
		const store = openLmdbStore({ folder: layout.store });
		try {
			await store.copyTo(folder);
		} finally {
			await store.close();
		}
	}
	return join(folder, "data.mdb");
}
