/** Regular expressions as Go's package regexp has them (RE2): its syntax, and time that is linear in the text. */
import { createRequire } from "node:module";
import type { RE2JS } from "re2js";

const require = createRequire(import.meta.url);

export type Regex = RE2JS;

/**
 * The same patterns recur in schemas and expressions, and to compile one takes as long as a hundred matches; those in
 * objects may be many and long. Two generations are kept, each of patterns of so many characters.
 */
const mostKept = 300_000;
let young = new Map<string, Regex>();
let old = new Map<string, Regex>();
let kept = 0;

/** @throws Error in the words of Go: `error parsing regexp: missing closing ): …` */
export function regex(source: string): Regex {
	const known = young.get(source);
	if (known !== undefined) return known;
	const compiled = old.get(source) ?? regexLibrary().compile(source);
	if (source.length > mostKept) return compiled;
	if (kept + source.length > mostKept) {
		old = young;
		young = new Map();
		kept = 0;
	}
	young.set(source, compiled);
	kept += source.length;
	return compiled;
}

/** Whether `regex` need not compile it. */
export function isCompiled(source: string): boolean {
	return young.has(source) || old.has(source);
}

/** It takes 10 ms to load, so it is loaded with the first pattern, which most processes never have. */
function regexLibrary() {
	// The package's own types.
	return (require("re2js") as typeof import("re2js")).RE2JS;
}
