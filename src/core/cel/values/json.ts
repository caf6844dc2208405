import { mostValues } from "../../text/json-limits.ts";
import { CelMap } from "./cel-map.ts";
import { Duration } from "./duration.ts";
import { fail } from "./failure.ts";
import { typeNameOf } from "./kind.ts";
import { Timestamp } from "./timestamp.ts";
import { Double, isPlainMap, MadeObject, Uint } from "./value.ts";

/** Values that are made once may stand in each other many times. In characters of their texts. */
const longestTexts = 10_000_000;

/** What may still be made. */
interface Room {
	values: number;
	characters: number;
}

/**
 * A value as JSON, for expressions whose results become part of an object. Raw JSON in it is not copied.
 * @throws Failure for what JSON has no form for, such as types, optionals and maps with keys that are no strings, and for
 * values that no object can have for their size
 */
export function jsonOf(value: unknown): unknown {
	return formOf(value, { values: mostValues, characters: longestTexts });
}

function formOf(value: unknown, room: Room): unknown {
	room.values--;
	if (typeof value === "string") room.characters -= value.length;
	if (room.values < 0 || room.characters < 0) return fail("the value is too large for an object");
	if (typeof value === "bigint") return Number(value);
	if (typeof value !== "object" || value === null) return value;
	const inside = (one: unknown) => formOf(one, room);
	if (Array.isArray(value)) return changed(value, value.map(inside));
	if (value instanceof Double) return value.value;
	if (value instanceof Uint) return Number(value.value);
	if (value instanceof Timestamp || value instanceof Duration) return value.text();
	if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
	if (value instanceof MadeObject) return inside(value.fields);
	if (value instanceof CelMap || !isPlainMap(value))
		return fail(`a value of type ${typeNameOf(value)} has no form in JSON`);
	const fields = Object.entries(value).map(([key, field]) => [key, inside(field)] as const);
	if (fields.every(([key, field]) => field === value[key])) return value;
	return Object.fromEntries(fields);
}

/** The list itself when no item is another one. */
function changed(list: readonly unknown[], items: readonly unknown[]): readonly unknown[] {
	return items.every((item, index) => item === list[index]) ? list : items;
}
