/** Texts of JSON that no UTF-8 can hold. */

/**
 * The value with U+FFFD in the place of each half of a surrogate pair, in keys and values, as Go reads it. Left alone,
 * it would change when it is stored.
 * @param text what the value was read from: only there can such an escape be
 */
export function wellFormed(value: unknown, text: string): unknown {
	if (value === undefined || !/\\u[dD]/.test(text)) return value;
	// Written again, only those halves are escaped; a backslash is two.
	const written = JSON.stringify(value).replace(/\\\\|\\ud[89a-f][0-9a-f]{2}/g, (found) =>
		found.startsWith("\\u") ? "\ufffd" : found,
	);
	return JSON.parse(written);
}
