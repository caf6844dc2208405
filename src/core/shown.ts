/** Values as messages show them: never longer than people read, however large the value is. */

const longestShown = 1000;

/**
 * A value as JSON, cut off where it gets too long, with an ellipsis in the place of the rest. What does not get into
 * the text costs nothing.
 */
export function shown(value: unknown): string {
	if (typeof value === "string" && value.length > longestShown) return JSON.stringify(shortened(value));
	const pieces: string[] = [];
	let left = longestShown;
	const write = (piece: string): boolean => {
		if (piece.length > left) {
			pieces.push(piece.slice(0, left), "…");
			left = -1;
			return false;
		}
		pieces.push(piece);
		left -= piece.length;
		return true;
	};
	writeJson(value, write);
	return pieces.join("");
}

/** A text, cut off where it gets too long. */
export function shortened(text: string, longest = longestShown): string {
	return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}

/** @returns whether there is room for more */
function writeJson(value: unknown, write: (piece: string) => boolean): boolean {
	if (typeof value === "string") return write(JSON.stringify(value.slice(0, longestShown + 1)));
	if (typeof value !== "object" || value === null) return write(JSON.stringify(value) ?? "null");
	let separator = "";
	if (Array.isArray(value)) {
		if (!write("[")) return false;
		for (const item of value) {
			if (!write(separator) || !writeJson(item, write)) return false;
			separator = ",";
		}
		return write("]");
	}
	if (!write("{")) return false;
	for (const key in value) {
		// The key was just enumerated.
		const content = (value as Record<string, unknown>)[key];
		if (content === undefined) continue;
		if (!write(`${separator}${JSON.stringify(key.slice(0, longestShown))}:`) || !writeJson(content, write))
			return false;
		separator = ",";
	}
	return write("}");
}
