/** Environment variables from files (KEP-3721; "Define Environment Variable Values Using An Init Container"). */

/** Begins a value, after spaces: `NAME = '` or a comment. */
const declaration = /[ \t]*(?:#[^\n]*|([^\s=#'"]+)[ \t]*=[ \t]*'([^']*)'[ \t]*|)(?:\r?\n|$)/y;

/**
 * The value of `key` in the text of an env file: a subset of what a shell reads, in which every value stands in single
 * quotes and means what it says, line breaks too. The last declaration of a name counts.
 * @returns undefined when the file does not declare it
 * @throws Error naming the line that is none of a declaration, a comment and blank
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
