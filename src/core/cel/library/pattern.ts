import { messageOf } from "../../errors.ts";
import { isCompiled, type Regex, regex } from "../../text/regex.ts";
import { fail } from "../values/failure.ts";
import { countWork } from "../values/work.ts";

/**
 * Regular expressions as Go has them: RE2's syntax, matched in time that grows with the length of the text only. Those
 * of JavaScript have another syntax, and some take exponential time.
 */

/** Of compiling a character of a pattern, and of a step of a match, in items that are copied. */
const [workPerCharacter, workPerStep] = [200, 2];

/**
 * A pattern that is about to be matched against a text.
 * @param complaint begins the message for a pattern that is not valid
 * @throws Failure, Cancellation
 */
export function patternFor(pattern: string, text: string, complaint = ""): Regex {
	const compiled = compile(pattern);
	if (typeof compiled === "string") fail(complaint + compiled);
	countWork(text.length * compiled.programSize() * workPerStep);
	return compiled;
}

/** Whether a pattern is valid. */
export function isPattern(pattern: string): boolean {
	return typeof compile(pattern) !== "string";
}

/** The pattern, or what is wrong with it in Go's words. */
function compile(pattern: string): Regex | string {
	if (!isCompiled(pattern)) countWork(pattern.length * workPerCharacter);
	try {
		return regex(pattern);
	} catch (error) {
		return messageOf(error);
	}
}
