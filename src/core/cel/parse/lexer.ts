import { SyntaxIssue } from "./issue.ts";

export type TokenKind = "int" | "uint" | "double" | "string" | "bytes" | "name" | "escaped name" | "sign" | "end";

export interface Token {
	readonly kind: TokenKind;
	/** As written; of signs and words the whole token. */
	readonly text: string;
	readonly at: number;
}

const longSigns: ReadonlySet<string> = new Set(["==", "!=", "<=", ">=", "&&", "||"]);
const shortSigns: ReadonlySet<string> = new Set("<>[]{}().,-!?:+*/%");

const number =
	/0x[0-9a-fA-F]+([uU])?|((?:[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+)|[0-9]+([uU])?/y;
const escapedName = /`[a-zA-Z0-9_./ -]+`/y;

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

/** Past white space and comments. */
function skipBlank(source: string, at: number): number {
	for (; at < source.length; at++) {
		const code = source.charCodeAt(at);
		if (code === 0x20 || code === 0x09 || code === 0x0a || code === 0x0c || code === 0x0d) continue;
		if (code !== 0x2f || source.charCodeAt(at + 1) !== 0x2f) return at;
		const end = source.indexOf("\n", at);
		if (end < 0) return source.length;
		at = end;
	}
	return at;
}

function match(pattern: RegExp, source: string, at: number): RegExpExecArray | null {
	pattern.lastIndex = at;
	return pattern.exec(source);
}

function isDigit(code: number): boolean {
	return code >= 0x30 && code <= 0x39;
}

function isNameStart(code: number): boolean {
	return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f;
}

function isQuote(code: number): boolean {
	return code === 0x22 || code === 0x27;
}

function tokenAt(source: string, at: number): Token {
	const code = source.charCodeAt(at);
	if (isNameStart(code)) return wordAt(source, at);
	if (isQuote(code)) return stringToken(source, at, at, false);
	if (isDigit(code) || (code === 0x2e && isDigit(source.charCodeAt(at + 1)))) {
		const digits = match(number, source, at);
		if (digits === null) throw unrecognized(source, at, at + 1);
		const kind = digits[2] !== undefined ? "double" : (digits[1] ?? digits[3]) !== undefined ? "uint" : "int";
		return { kind, text: digits[0], at };
	}
	const long = source.slice(at, at + 2);
	if (longSigns.has(long)) return { kind: "sign", text: long, at };
	const short = source.charAt(at);
	if (shortSigns.has(short)) return { kind: "sign", text: short, at };
	const escaped = short === "`" ? match(escapedName, source, at)?.[0] : undefined;
	if (escaped !== undefined) return { kind: "escaped name", text: escaped, at };
	throw unrecognized(source, at, at + ((source.codePointAt(at) ?? 0) > 0xffff ? 2 : 1));
}

/** A name, a keyword, or a string with a prefix. */
function wordAt(source: string, at: number): Token {
	let end = at + 1;
	for (let code = source.charCodeAt(end); isNameStart(code) || isDigit(code); code = source.charCodeAt(end)) end++;
	const text = source.slice(at, end);
	if (end - at <= 2 && isQuote(source.charCodeAt(end)) && /^(?:[bB]?[rR]|[bB])$/.test(text))
		return stringToken(source, at, end, /[rR]$/.test(text));
	return { kind: keywords.has(text) ? "sign" : "name", text, at };
}

function unrecognized(source: string, at: number, end: number): SyntaxIssue {
	const shown = source.slice(at, end).replaceAll("\n", "\\n").replaceAll("\t", "\\t").replaceAll("\r", "\\r");
	return new SyntaxIssue(at, `Syntax error: token recognition error at: '${shown}'`);
}

const escapeSequence = /\\(?:[abfnrtv"'\\?`]|[0-3][0-7][0-7]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})/y;

/** @param open where its quotes begin, after a prefix */
function stringToken(source: string, at: number, open: number, isRaw: boolean): Token {
	const mark = source.charAt(open);
	const isMultiline = source.startsWith(mark.repeat(3), open);
	const quote = isMultiline ? mark.repeat(3) : mark;
	let index = open + quote.length;
	while (index < source.length) {
		const character = source.charAt(index);
		if (character === mark && source.startsWith(quote, index)) {
			const kind = /[bB]/.test(source.charAt(at)) ? "bytes" : "string";
			return { kind, text: source.slice(at, index + quote.length), at };
		}
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
