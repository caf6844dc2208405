/** Values as Go prints them with `%v`: upstream shows maps in that form in some messages. */

import { shortened } from "../shown.ts";

const longestText = 1000;

/** A JSON value, cut off where it gets too long. What does not get into the text costs nothing. */
export function goText(value: unknown): string {
	const pieces: string[] = [];
	let length = 0;
	const write = (piece: string): boolean => {
		pieces.push(piece);
		length += piece.length;
		return length <= longestText;
	};
	writeGo(value, write);
	return shortened(pieces.join(""), longestText);
}

/** @returns whether there is room for more */
function writeGo(value: unknown, write: (piece: string) => boolean): boolean {
	if (typeof value === "string") return write(value.slice(0, longestText + 1));
	if (value === null || value === undefined) return write("<nil>");
	if (typeof value !== "object") return write(String(value));
	let separator = "";
	if (Array.isArray(value)) {
		if (!write("[")) return false;
		for (const item of value) {
			if (!write(separator) || !writeGo(item, write)) return false;
			separator = " ";
		}
		return write("]");
	}
	if (!write("map[")) return false;
	for (const key of Object.keys(value).sort()) {
		// The key was just enumerated.
		const content = (value as Record<string, unknown>)[key];
		if (!write(`${separator}${key.slice(0, longestText)}:`) || !writeGo(content, write)) return false;
		separator = " ";
	}
	return write("]");
}
