/** Names of revisions: short hashes in upstream's alphabet, which avoids words. */

const alphabet = "bcdfghjklmnpqrstvwxz2456789";

/** JSON with sorted keys: equal values have equal texts. Cached by object, which must be frozen. */
export function canonical(value: unknown): string {
	if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
	let text = texts.get(value);
	if (text === undefined) {
		text = write(value);
		if (Object.isFrozen(value)) texts.set(value, text);
	}
	return text;
}

const texts = new WeakMap<object, string>();

function write(value: unknown): string {
	if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
	if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
	const parts: string[] = [];
	for (const [key, part] of Object.entries(value).sort(([left], [right]) => (left < right ? -1 : 1))) {
		if (part !== undefined) parts.push(`${JSON.stringify(key)}:${write(part)}`);
	}
	return `{${parts.join(",")}}`;
}

/**
 * A hash of `value` with at most ten characters: FNV-1a of its canonical JSON.
 * @param collisionCount produces another hash if another value uses the first
 */
export function revisionHash(value: unknown, collisionCount: number | undefined): string {
	let hash = 0x811c9dc5;
	const text = canonical(value) + (collisionCount === undefined ? "" : `#${collisionCount}`);
	for (let index = 0; index < text.length; index++) {
		hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
	}
	return safeName(String(hash >>> 0));
}

/** Upstream's encoding of a number in a name. */
function safeName(digits: string): string {
	let name = "";
	for (const digit of digits) name += alphabet[digit.charCodeAt(0) % alphabet.length];
	return name;
}
