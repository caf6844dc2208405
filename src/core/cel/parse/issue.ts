/** Mistakes in an expression, shown as Kubernetes shows them. */

export interface Issue {
	/** Offset into the expression in UTF-16 units; -1 when the mistake has no place. */
	readonly at: number;
	readonly message: string;
}

/** Of a refused expression: thrown by the parser, which stops at the first mistake. */
export class SyntaxIssue extends Error {
	readonly issue: Issue;
	constructor(at: number, message: string) {
		super(message);
		this.issue = { at, message };
	}
}

/** More than these are not shown. */
const mostIssues = 100;
/** Longer lines are not shown, in code points. */
const longestLine = 16384;

/** All issues with their places, sorted by them: `ERROR: <input>:1:4: message`, the line and a pointer. */
export function issuesText(expression: string, issues: readonly Issue[]): string {
	const sorted = issues.slice(0, mostIssues).sort((a, b) => a.at - b.at);
	const texts = sorted.map((issue) => issueText(expression, issue));
	if (issues.length > mostIssues) texts.push(`${issues.length - mostIssues} more errors were truncated`);
	return texts.join("\n");
}

function issueText(expression: string, { at, message }: Issue): string {
	if (at < 0) return `ERROR: <input>:-1:0: ${message}`;
	const before = expression.slice(0, at);
	const lineStart = before.lastIndexOf("\n") + 1;
	const line = before.split("\n").length;
	const column = [...expression.slice(lineStart, at)].length;
	const heading = `ERROR: <input>:${line}:${column + 1}: ${message}`;
	const newline = expression.indexOf("\n", lineStart);
	const text = expression.slice(lineStart, newline < 0 ? undefined : newline).replaceAll("\t", " ");
	const characters = [...text];
	if (characters.length > longestLine) return heading;
	// Characters beyond ASCII are usually wider, and so are the dots below them.
	const isWide = (character: string | undefined) => character !== undefined && (character.codePointAt(0) ?? 0) > 0x7f;
	const dots = characters.slice(0, column).map((character) => (isWide(character) ? "\uff0e" : "."));
	return `${heading}\n | ${text}\n | ${dots.join("")}${isWide(characters[column]) ? "\uff3e" : "^"}`;
}
