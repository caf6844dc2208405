import { SyntaxIssue } from "./issue.ts";

export type TokenKind = "int" | "uint" | "double" | "string" | "bytes" | "name" | "escaped name" | "sign" | "end";

export interface Token {
	readonly kind: TokenKind;
	/** As written; of signs and words the whole token. */
	readonly text: string;
	readonly at: number;
}

/** The signs of the language, longest first where one begins another. */
const signs = ["==", "!=", "<=", ">=", "&&", "||", ..."<>[]{}().,-!?:+*/%"];
const signsByFirst = new Map<string, string[]>();
for (const sign of signs) signsByFirst.set(sign.charAt(0), [...(signsByFirst.get(sign.charAt(0)) ?? []), sign]);

const blank = /(?:[\t \r\n\f]+|\/\/[^\n]*)+/y;
const number =
	/0x[0-9a-fA-F]+([uU])?|((?:[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)|[0-9]+([uU])?/y;
const name = /[a-zA-Z_][a-zA-Z0-9_]*/y;
const escapedName = /`[a-zA-Z0-9_./ -]+`/y;
const stringStart = /([bB]?)([rR]?)("""|'''|"|')/y;

/** Words that begin a value or are an operator, so that a name cannot be one of them. */
const keywords: ReadonlySet<string> = new Set(["true", "false", "null", "in"]);

/** @throws SyntaxIssue at the first character that begins no token */
export function tokensOf(source: string): Token[] {
	const tokens: Token[] = [];
	let at = skipBlank(source, 0);
	while (at < source.length) {
		const token = tokenAt(source, at);
		tokens.push(token);
		at = skipBlank(source, at + token.text.length);
	}
	tokens.push({ kind: "end", text: "<EOF>", at: source.length });
	return tokens;
}

function skipBlank(source: string, at: number): number {
	blank.lastIndex = at;
	return blank.test(source) ? blank.lastIndex : at;
}

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
	pattern.lastIndex = at;
	return pattern.exec(source);
}

function tokenAt(source: string, at: number): Token {
	const first = source.charAt(at);
	const opening = match(stringStart, source, at);
	if (opening !== null) return stringToken(source, at, opening);
	if (/[a-zA-Z_]/.test(first)) {
		const text = match(name, source, at)?.[0] ?? first;
		return { kind: keywords.has(text) ? "sign" : "name", text, at };
	}
	const digits = /[0-9.]/.test(first) ? match(number, source, at) : null;
	if (digits !== null) {
		const kind = digits[2] !== undefined ? "double" : (digits[1] ?? digits[3]) !== undefined ? "uint" : "int";
		return { kind, text: digits[0], at };
	}
	if (first === "`") {
		const text = match(escapedName, source, at)?.[0];
		if (text !== undefined) return { kind: "escaped name", text, at };
	}
	for (const sign of signsByFirst.get(first) ?? [])
		if (source.startsWith(sign, at)) return { kind: "sign", text: sign, at };
	throw unrecognized(source, at, at + ((source.codePointAt(at) ?? 0) > 0xffff ? 2 : 1));
}

function unrecognized(source: string, at: number, end: number): SyntaxIssue {
	const shown = source.slice(at, end).replaceAll("\n", "\\n").replaceAll("\t", "\\t").replaceAll("\r", "\\r");
	return new SyntaxIssue(at, `Syntax error: token recognition error at: '${shown}'`);
}

function stringToken(source: string, at: number, opening: RegExpExecArray): Token {
	const quote = opening[3] ?? "";
	const isRaw = opening[2] !== "";
	const isMultiline = quote.length === 3;
	let index = at + opening[0].length;
	while (index < source.length) {
		if (source.startsWith(quote, index)) {
			const kind = opening[1] === "" ? "string" : "bytes";
			return { kind, text: source.slice(at, index + quote.length), at };
		}
		const character = source.charAt(index);
		if (!isMultiline && (character === "\n" || character === "\r")) break;
		if (character !== "\\" || isRaw) index++;
		else {
			const found = match(escapeSequence, source, index);
			if (found === null) throw unrecognized(source, at, index + 2);
			index += found[0].length;
		}
	}
	throw unrecognized(source, at, Math.min(index + 1, source.length));
}

const escapeSequence = /\\(?:[abfnrtv"'\\?`]|[0-3][0-7][0-7]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/y;
