/** Headers whose values are not lists: a comma in them is a comma. */

const prefix = "impersonate-";

/**
 * Puts each value of the impersonation headers on a line of its own, where Node has joined them by commas, and reads
 * them as UTF-8, as kubectl sends them. No value of a header has a line break in it.
 * @param headers names in lower case; changed in place
 * @param rawHeaders name, value, name, value, … as they came
 */
export function keepRawValues(headers: Record<string, string | undefined>, rawHeaders: readonly string[]): void {
	const values = new Map<string, string[]>();
	for (let index = 0; index < rawHeaders.length; index += 2) {
		const name = rawHeaders[index]?.toLowerCase() ?? "";
		if (!name.startsWith(prefix)) continue;
		const value = Buffer.from(rawHeaders[index + 1] ?? "", "latin1").toString();
		values.set(name, [...(values.get(name) ?? []), value]);
	}
	for (const [name, lines] of values) headers[name] = lines.join("\n");
}

/** Whether `keepRawValues` is needed. */
export function hasRawValues(name: string): boolean {
	return name.startsWith(prefix);
}
