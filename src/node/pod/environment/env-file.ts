/** Environment variables from files (KEP-3721; "Define Environment Variable Values Using An Init Container"). */

/** The beginning of a value: `NAME = '`, or a comment, with spaces before it. */
const declaration = /[ \t]*(?:#[^\n]*|([^\s=#'"]+)[ \t]*=[ \t]*'([^']*)'[ \t]*|)(?:\r?\n|$)/y;

/**
 * The value of `key` in the text of an env file: a subset of shell syntax in which every value is in single quotes and
 * literal, including line breaks. The last declaration of a name counts.
 * @returns undefined if the file does not declare it
 * @throws Error that names the line that is neither a declaration, a comment nor blank
 */
export function envFileValue(text: string, key: string): string | undefined {
	let found: string | undefined;
	for (declaration.lastIndex = 0; declaration.lastIndex < text.length; ) {
		const start = declaration.lastIndex;
		const match = declaration.exec(text);
		if (match === null)
			throw new Error(`line ${text.slice(0, start).split("\n").length}: not of the form NAME='value'`);
		const [, name, value] = match;
		if (name === key) found = value;
	}
	return found;
}
