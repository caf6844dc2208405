import { intOf, isInt64, isUint64 } from "../values/integers.ts";
import { asDouble } from "../values/kind.ts";
import { Uint } from "../values/value.ts";
import { SyntaxIssue } from "./issue.ts";
import type { Token } from "./lexer.ts";

/** Values of literal tokens. */

/** @throws SyntaxIssue beyond 64 bits */
export function intLiteral(token: Token, isNegative: boolean, at: number): number | bigint {
	if (token.text.length <= 15 && !token.text.startsWith("0x"))
		return isNegative ? 0 - Number(token.text) : Number(token.text);
	const value = isNegative ? -BigInt(token.text) : BigInt(token.text);
	if (!isInt64(value)) throw new SyntaxIssue(at, "invalid int literal");
	return intOf(value);
}

/** @throws SyntaxIssue beyond 64 bits */
export function uintLiteral(token: Token): Uint {
	const value = BigInt(token.text.slice(0, -1));
	if (!isUint64(value)) throw new SyntaxIssue(token.at, "invalid uint literal");
	return new Uint(value);
}

/** @throws SyntaxIssue beyond the range of doubles */
export function doubleLiteral(token: Token, isNegative: boolean, at: number): unknown {
	const value = Number(token.text);
	if (!Number.isFinite(value)) throw new SyntaxIssue(at, "invalid double literal");
	return asDouble(isNegative ? -value : value);
}

/** @throws SyntaxIssue for escapes that are no character */
export function stringLiteral(token: Token): string {
	const { isRaw, content } = contentOf(token.text);
	if (isRaw || !content.includes("\\")) return content;
	return content.replace(escapes, (sequence) => {
		const simple = simpleEscapes[sequence.charAt(1)];
		if (simple !== undefined) return simple;
		const code = escapedCode(sequence);
		if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
			throw new SyntaxIssue(token.at, "invalid unicode code point");
		return String.fromCodePoint(code);
	});
}

/** Escapes stand for bytes; other characters for those of their UTF-8. @throws SyntaxIssue for escapes of characters */
export function bytesLiteral(token: Token): Uint8Array {
	const { isRaw, content } = contentOf(token.text.slice(1));
	if (isRaw) return new Uint8Array(Buffer.from(content));
	const parts: Buffer[] = [];
	let end = 0;
	for (const match of content.matchAll(escapes)) {
		const [sequence] = match;
		if (/^\\[uU]/.test(sequence)) throw new SyntaxIssue(token.at, "unable to unescape string");
		parts.push(Buffer.from(content.slice(end, match.index)));
		const simple = simpleEscapes[sequence.charAt(1)];
		parts.push(simple === undefined ? Buffer.of(escapedCode(sequence)) : Buffer.from(simple));
		end = match.index + sequence.length;
	}
	parts.push(Buffer.from(content.slice(end)));
	return new Uint8Array(Buffer.concat(parts));
}

function contentOf(text: string): { isRaw: boolean; content: string } {
	const isRaw = /^[rR]/.test(text);
	const rest = isRaw ? text.slice(1) : text;
	const quotes = /^("""|''')/.test(rest) ? 3 : 1;
	// Lines end as Unix has it, however the file was stored.
	return { isRaw, content: rest.slice(quotes, -quotes).replace(/\r\n?/g, "\n") };
}

const escapes = /\\(?:[0-3][0-7][0-7]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)/gs;

const simpleEscapes: Readonly<Record<string, string>> = {
	a: "\x07",
	b: "\b",
	f: "\f",
	n: "\n",
	r: "\r",
	t: "\t",
	v: "\v",
	"\\": "\\",
	"'": "'",
	'"': '"',
	"`": "`",
	"?": "?",
};

function escapedCode(sequence: string): number {
	return /^\\[0-3]/.test(sequence) ? Number.parseInt(sequence.slice(1), 8) : Number.parseInt(sequence.slice(2), 16);
}
