/** Regular expressions as Go's package regexp has them (RE2): its syntax, and time that is linear in the text. */
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export interface Regex {
	/** Whether the text contains a match. */
	test(text: string): boolean;
}

/** Of two generations each: the same few patterns recur in the schemas of many kinds. */
const mostKept = 500;
let young = new Map<string, Regex>();
let old = new Map<string, Regex>();

/** @throws Error in the words of Go: `error parsing regexp: missing closing ): …` */
export function regex(source: string): Regex {
	let compiled = young.get(source);
	if (compiled === undefined) {
		compiled = old.get(source) ?? regexLibrary().compile(source);
		young.set(source, compiled);
		if (young.size >= mostKept) {
			old = young;
			young = new Map();
		}
	}
	return compiled;
}

/** It takes 10 ms to load, so it is loaded with the first pattern, which most processes never have. */
export function regexLibrary() {
	// The package's own types.
	return (require("re2js") as typeof import("re2js")).RE2JS;
}
