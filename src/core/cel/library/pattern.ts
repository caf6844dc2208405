import type { RE2JS } from "re2js";
import { regexLibrary } from "../../text/regex.ts";
import { fail } from "../values/failure.ts";
import { countWork } from "../values/work.ts";

/**
 * Regular expressions as Go has them: RE2's syntax, matched in time that grows with the length of the text only. Those
 * of JavaScript have another syntax, and some take exponential time.
 */

/** Patterns are few, and compiling one takes as long as a hundred matches; those in objects may be many. */
const compiled = new Map<string, RE2JS>();
/** In characters of all patterns that are kept. */
const mostKept = 300_000;
let kept = 0;

/** Of compiling a character of a pattern, and of a step of a match, in items that are copied. */
const [workPerCharacter, workPerStep] = [200, 2];

/** A pattern that is about to be matched against a text. @throws Failure, Cancellation */
export function patternFor(pattern: string, text: string): RE2JS {
	const made = compile(pattern) ?? fail(`error parsing regexp: ${problemOf(pattern)}`);
	countWork(text.length * made.programSize() * workPerStep);
	return made;
}

/** Whether a pattern is valid. */
export function isPattern(pattern: string): boolean {
	return compile(pattern) !== undefined;
}

function compile(pattern: string): RE2JS | undefined {
	const known = compiled.get(pattern);
	if (known !== undefined) return known;
	countWork(pattern.length * workPerCharacter);
	try {
		const made = regexLibrary().compile(pattern);
		remember(pattern, made);
		return made;
	} catch {
		return undefined;
	}
}

function remember(pattern: string, made: RE2JS): void {
	if (pattern.length > mostKept) return;
	if (kept + pattern.length > mostKept) {
		compiled.clear();
		kept = 0;
	}
	compiled.set(pattern, made);
	kept += pattern.length;
}

/** What is wrong with a pattern, in Go's words. */
export function problemOf(pattern: string): string {
	try {
		regexLibrary().compile(pattern);
		return "";
	} catch (error) {
		return error instanceof Error ? error.message.replace(/^error parsing regexp: /, "") : String(error);
	}
}
