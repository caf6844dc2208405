import { parseDuration } from "../values/duration.ts";
import { fail } from "../values/failure.ts";
import { asDouble } from "../values/kind.ts";
import { type ListSemantics, markList } from "../values/list-semantics.ts";
import { parseTimestamp } from "../values/timestamp.ts";
import { isPlainMap } from "../values/value.ts";
import type { Type } from "./type.ts";

/** Turns raw JSON into the value that its declared type has; values that have it already stay as they are. */
export type Reader = (raw: unknown) => unknown;

/**
 * How JSON of a declared type is read; undefined when it is the value already, which holds for all but doubles, times
 * and bytes. Objects are: their fields are read one by one.
 */
export function readerOf(type: Type): Reader | undefined {
	switch (type.kind) {
		case "double":
			return (raw) => (typeof raw === "number" ? asDouble(raw) : raw);
		case "timestamp":
			return readTimestamp;
		case "duration":
			return readDuration;
		case "bytes":
			return (raw) => (typeof raw === "string" ? new Uint8Array(Buffer.from(raw, "base64")) : raw);
		case "list": {
			const items = type.parameters[0];
			const read = items === undefined ? undefined : readerOf(items);
			const readList = read && remembered((raw) => (Array.isArray(raw) ? raw.map(read) : raw));
			return type.semantics === undefined ? readList : marking(type.semantics, readList);
		}
		case "map": {
			const values = type.parameters[1];
			const read = values === undefined ? undefined : readerOf(values);
			return read && remembered((raw) => (isPlainMap(raw) ? mapped(raw, read) : raw));
		}
		default:
			return undefined;
	}
}

function marking(semantics: ListSemantics, read: Reader | undefined): Reader {
	return (raw) => {
		const list = read === undefined ? raw : read(raw);
		if (Array.isArray(list)) markList(list, semantics);
		return list;
	};
}

function mapped(map: Readonly<Record<string, unknown>>, read: Reader): unknown {
	const result: Record<string, unknown> = Object.create(null);
	for (const key of Object.keys(map)) result[key] = read(map[key]);
	return result;
}

/** Loops read the same list again and again: each is converted once. */
function remembered(read: Reader): Reader {
	const known = new WeakMap<object, unknown>();
	return (raw) => {
		if (typeof raw !== "object" || raw === null) return raw;
		const value = known.get(raw) ?? read(raw);
		known.set(raw, value);
		return value;
	};
}

function readTimestamp(raw: unknown): unknown {
	if (typeof raw !== "string") return raw;
	const text = /^\d{4}-\d\d-\d\d$/.test(raw) ? `${raw}T00:00:00Z` : raw;
	return parseTimestamp(text) ?? fail(`Invalid date-time ${raw}`);
}

function readDuration(raw: unknown): unknown {
	return typeof raw === "string" ? (parseDuration(raw) ?? fail(`Invalid duration ${raw}`)) : raw;
}
