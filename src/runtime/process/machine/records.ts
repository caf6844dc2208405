import { readFileSync } from "node:fs";
import { replaceFile } from "../../../linux/replace-file.ts";

/** Replaces a record atomically. */
export function writeRecord(path: string, record: unknown): void {
	replaceFile(path, JSON.stringify(record));
}

/** Undefined if there is none, for example because its creation was interrupted. */
export function readRecord<T>(path: string): T | undefined {
	try {
		// Only `writeRecord` writes records, with the type that their reader expects.
		return JSON.parse(readFileSync(path, "utf8")) as T;
	} catch {
		return undefined;
	}
}
