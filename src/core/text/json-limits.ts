/** How large a value that a client sends may be, apart from its bytes: what handling it costs grows with these. */
import { ApiError } from "../errors.ts";

/** Lists and objects in each other: every step that descends into a value may recurse this deep. */
export const deepestNesting = 256;
/**
 * Scalars, lists and objects in one value. The largest objects of clusters, definitions of resources, have a fifth of
 * it.
 */
export const mostValues = 100_000;

export function tooDeep(): ApiError {
	return new ApiError("BadRequest", "couldn't get version/kind; json parse error: exceeded max depth");
}

export function tooManyValues(): ApiError {
	return new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${mostValues} values`, {});
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/**
 * Checks the bytes of a JSON text, well formed or not, before anything is made of them.
 * @param most values: more than the default only for what few may send, and nobody stores
 * @throws ApiError BadRequest, RequestEntityTooLarge
 */
export function checkJsonBytes(bytes: Uint8Array, most = mostValues): void {
	// Almost every text has too few brackets and commas to be beyond any limit, wherever they stand.
	let openings = 0;
	let commas = 0;
	for (let index = 0; index < bytes.length; index++) {
		const byte = bytes[index];
		if (byte === openList || byte === openObject) openings++;
		else if (byte === comma) commas++;
	}
	if (openings > deepestNesting || openings + commas >= most) checkStructure(bytes, most);
}

function checkStructure(bytes: Uint8Array, most: number): void {
	let depth = 0;
	let valueCount = 1;
	for (let index = 0; index < bytes.length; index++) {
		switch (bytes[index]) {
			case quote:
				index = endOfString(bytes, index);
				break;
			case comma:
				valueCount++;
				break;
			case openList:
			case openObject:
				valueCount++;
				depth++;
				if (depth > deepestNesting) throw tooDeep();
				break;
			case closeList:
			case closeObject:
				depth--;
				break;
		}
		if (valueCount > most) throw tooManyValues();
	}
}

function endOfString(bytes: Uint8Array, start: number): number {
	let index = start + 1;
	while (index < bytes.length && bytes[index] !== quote) index += bytes[index] === backslash ? 2 : 1;
	return index;
}

/** What a value of JSON is made of; its bytes are those of its text without spaces, and without escapes. */
export interface Weight {
	valueCount: number;
	byteCount: number;
}

/**
 * Weighs a value, and stops as soon as it is beyond a limit.
 * @param into what was weighed before, to which the value is added
 * @throws ApiError BadRequest, RequestEntityTooLarge
 */
export function weigh(value: unknown, into: Weight = { valueCount: 0, byteCount: 0 }, depth = 0): Weight {
	into.valueCount++;
	if (into.valueCount > mostValues) throw tooManyValues();
	if (typeof value === "string") into.byteCount += value.length + 2;
	else if (typeof value !== "object" || value === null) into.byteCount += String(value).length;
	else {
		if (depth >= deepestNesting) throw tooDeep();
		into.byteCount += 2;
		if (Array.isArray(value)) {
			for (const item of value) weigh(item, into, depth + 1).byteCount++;
		} else {
			for (const key in value) {
				into.byteCount += key.length + 4;
				// The key was just enumerated.
				weigh((value as Record<string, unknown>)[key], into, depth + 1);
			}
		}
	}
	return into;
}
