/** Checks that everything in a store's file can be read, and that its tables are consistent. */
import { type Database, open } from "lmdb";
import { dataFileProblem } from "./data-file.ts";
import { decodePointer, decodeRecord, revisionOf } from "./records.ts";
import { newestFormat } from "./tables.ts";

export interface StoreReport {
	revision: number;
	/** The number of existing keys. */
	keyCount: number;
	/** The problems, one sentence each, and only the first few. */
	problems: string[];
}

const mostProblems = 20;

/**
 * Reads a store's file, which no process has open for writing, from its pages to its values.
 * @param checkValue throws for an invalid value
 */
export async function checkStoreFile(
	file: string,
	checkValue: (key: string, value: Uint8Array) => void,
): Promise<StoreReport> {
	const report: StoreReport = { revision: 0, keyCount: 0, problems: [] };
	const problem = (text: string) => {
		if (report.problems.length < mostProblems) report.problems.push(text);
	};
	const pages = dataFileProblem(file, { everyPage: true });
	if (pages !== undefined) {
		problem(`the file is damaged: ${pages}`);
		return report;
	}
	// Without a lock file, because nothing writes. (LMDB has this option, but the types do not.)
	const options = { path: file, noSubdir: true, readOnly: true, noLock: true, maxDbs: 4 };
	const root = open(options);
	try {
		const meta: Database<number, string> = root.openDB({ name: "meta", encoding: "json" });
		const index: Database<Buffer, string> = root.openDB({ name: "index", encoding: "binary" });
		const log: Database<Buffer, number> = root.openDB({ name: "log", encoding: "binary" });
		const format = meta.get("format");
		report.revision = meta.get("revision") ?? 0;
		// A file without any writes has none.
		if (format === undefined ? report.revision > 0 : format > newestFormat)
			problem(`the store has format ${format}, which is not known`);
		const compacted = meta.get("compacted") ?? 0;
		if (compacted > report.revision) problem(`history begins after its end, at ${compacted}`);

		/** The newest record of each key that is not deleted. */
		const newest = new Map<string, number>();
		for (const { key: record, value: bytes } of log.getRange({})) {
			const revision = revisionOf(record);
			if (revision > report.revision) problem(`revision ${revision} is after the newest, ${report.revision}`);
			try {
				const { type, key, previous } = decodeRecord(bytes);
				if (previous >= record) problem(`a change of ${key} comes before what it changed`);
				if (previous !== 0 && revision > compacted && log.get(previous) === undefined)
					problem(`what ${key} was before revision ${revision} is missing`);
				if (type === "delete") newest.delete(key);
				else newest.set(key, record);
			} catch {
				problem(`a change of revision ${revision} cannot be read`);
			}
		}
		for (const { key, value } of index.getRange({})) {
			report.keyCount++;
			const pointer = decodePointer(value);
			if (newest.get(key) !== pointer.record) problem(`the index of ${key} is not at its newest change`);
			newest.delete(key);
			const bytes = log.get(pointer.record);
			if (bytes === undefined) {
				problem(`the value of ${key} is missing`);
				continue;
			}
			try {
				const record = decodeRecord(bytes);
				if (record.key !== key) problem(`the index of ${key} is at a change of ${record.key}`);
				else checkValue(key, record.value);
			} catch (error) {
				problem(error instanceof Error ? error.message : `the value of ${key} cannot be read`);
			}
		}
		for (const key of newest.keys()) problem(`${key} is not in the index`);
	} finally {
		await root.close();
	}
	return report;
}
