import type { RE2JS } from "re2js";
import { regexLibrary } from "../../regex.ts";
import { fail } from "../values/failure.ts";

/**
 * Regular expressions as Go has them: RE2's syntax, matched in time that grows with the length of the text only. Those
 * of JavaScript have another syntax, and some take exponential time.
 */

/** Patterns are few and compiling one takes as long as a hundred matches; those in variables may be many. */
const compiled = new Map<string, RE2JS>();
const keptPatterns = 1000;

/** @throws Failure when the pattern is none */
export function compiledPattern(pattern: string): RE2JS {
	const known = compiled.get(pattern);
	if (known !== undefined) return known;
	const made = patternOf(pattern) ?? fail(`error parsing regexp: ${problemOf(pattern)}`);
	if (compiled.size >= keptPatterns) compiled.clear();
	compiled.set(pattern, made);
	return made;
}

/** Whether a pattern is valid. */
export function isPattern(pattern: string): boolean {
	return compiled.has(pattern) || patternOf(pattern) !== undefined;
}

function patternOf(pattern: string): RE2JS | undefined {
	try {
		return regexLibrary().compile(pattern);
	} catch {
		return undefined;
	}
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
