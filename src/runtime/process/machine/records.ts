import { readFileSync } from "node:fs";
import { replaceFile } from "../../../linux/replace-file.ts";

/** Writes a record so that a reader sees the old or the new one, whole. */
export function writeRecord(path: string, record: unknown): void {
	replaceFile(path, JSON.stringify(record));
}

/** Undefined where there is none, for example because its creation was cut short. */
export function readRecord<T>(path: string): T | undefined {
	try {
		// Records are written by `writeRecord` only, with the type their reader wants.
		return JSON.parse(readFileSync(path, "utf8")) as T;
	} catch {
		return undefined;
	}
}
