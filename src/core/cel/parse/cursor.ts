import { SyntaxIssue } from "./issue.ts";
import type { Token } from "./lexer.ts";

/** A place in the tokens of an expression. */
export class TokenCursor {
	protected readonly tokens: readonly Token[];
	protected index = 0;

	constructor(tokens: readonly Token[]) {
		this.tokens = tokens;
	}

	protected peek(offset = 0): Token {
		const token = this.tokens[this.index + offset] ?? this.tokens.at(-1);
		if (token === undefined) throw new Error("no end token");
		return token;
	}

	protected next(): Token {
		const token = this.peek();
		this.index++;
		return token;
	}

	protected is(sign: string, offset = 0): boolean {
		const token = this.peek(offset);
		return token.kind === "sign" && token.text === sign;
	}

	protected takes(sign: string): boolean {
		const found = this.is(sign);
		if (found) this.index++;
		return found;
	}

	protected mismatch(expected: string): SyntaxIssue {
		const token = this.peek();
		return new SyntaxIssue(token.at, `Syntax error: mismatched input '${token.text}' expecting ${expected}`);
	}

	protected expect(sign: string): Token {
		if (!this.is(sign)) throw this.mismatch(`'${sign}'`);
		return this.next();
	}
}
