import { boolType, bytesType, doubleType, intType, nullType, stringType, type Type, uintType } from "../types/type.ts";
import { CollectionParser } from "./collections.ts";
import { SyntaxIssue } from "./issue.ts";
import { type Token, tokensOf } from "./lexer.ts";
import { bytesLiteral, doubleLiteral, intLiteral, stringLiteral, uintLiteral } from "./literals.ts";
import { macroOf } from "./macros.ts";
import type { Literal, Logic, Node } from "./syntax.ts";

/** The longest expression, in code points. */
const longestExpression = 100_000;
/** How deep a rule of the grammar may nest in itself; a chain of operators or of fields counts each. */
const deepestNesting = 250;

/** Words that other languages give a meaning: no name of a variable or function. */
const reserved: ReadonlySet<string> = new Set(
	"as break const continue else for function if import let loop package namespace return var void while".split(" "),
);

/** What can begin an expression, as messages list it. */
const anExpression =
	"'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER";

export interface SyntaxOptions {
	/** Whether field names may stand in backticks. */
	readonly escapedNames: boolean;
	/** Whether `cel.bind(name, value, body)` names a value. */
	readonly namedValues: boolean;
}

/** The tree of an expression, with macros recognized. @throws SyntaxIssue with the first mistake */
export function parse(source: string, options: SyntaxOptions): Node {
	if (source.length > longestExpression) {
		const size = [...source].length;
		if (size > longestExpression)
			throw new SyntaxIssue(-1, `expression code point size exceeds limit: size: ${size}, limit ${longestExpression}`);
	}
	return new Parser(tokensOf(source), options).whole();
}

type Rule = "expression" | "relation" | "calculation" | "member";

const relations: ReadonlySet<string> = new Set(["<", "<=", ">=", ">", "==", "!=", "in"]);
const sums: ReadonlySet<string> = new Set(["+", "-"]);
const products: ReadonlySet<string> = new Set(["*", "/", "%"]);

class Parser extends CollectionParser {
	private readonly options: SyntaxOptions;
	private readonly depth: Record<Rule, number> = { expression: 0, relation: 0, calculation: 0, member: 0 };

	constructor(tokens: readonly Token[], options: SyntaxOptions) {
		super(tokens);
		this.options = options;
	}

	whole(): Node {
		const node = this.expression();
		const token = this.peek();
		if (token.kind === "end") return node;
		const what = this.peek(1).kind === "end" ? "extraneous" : "mismatched";
		throw new SyntaxIssue(token.at, `Syntax error: ${what} input '${token.text}' expecting <EOF>`);
	}

	private enter(rule: Rule, count = 1): void {
		this.depth[rule] += count;
		if (this.depth[rule] > deepestNesting)
			throw new SyntaxIssue(-1, `expression recursion limit exceeded: ${deepestNesting}`);
	}

	protected override expression(): Node {
		this.enter("expression");
		let node = this.logic("_||_");
		if (this.is("?")) {
			const { at } = this.next();
			const whenTrue = this.logic("_||_");
			this.expect(":");
			node = call(at, "_?_:_", undefined, [node, whenTrue, this.expression()]);
		}
		this.depth.expression--;
		return node;
	}

	private logic(name: Logic["name"]): Node {
		const sign = name === "_||_" ? "||" : "&&";
		const operand = () => (name === "_||_" ? this.logic("_&&_") : this.relation());
		const first = operand();
		if (!this.is(sign)) return first;
		const terms = [first];
		const { at } = this.peek();
		while (this.takes(sign)) terms.push(operand());
		return { kind: "logic", at, name, terms };
	}

	/** A chain of operators of one rank, which group to the left. */
	private chain(rule: Rule, operators: ReadonlySet<string>, operand: () => Node): Node {
		let node = operand();
		let count = 0;
		for (let token = this.peek(); token.kind === "sign" && operators.has(token.text); token = this.peek()) {
			this.enter(rule);
			count++;
			this.index++;
			const name = token.text === "in" ? "@in" : `_${token.text}_`;
			node = call(token.at, name, undefined, [node, operand()]);
		}
		this.depth[rule] -= count;
		return node;
	}

	private relation(): Node {
		return this.chain("relation", relations, () =>
			this.chain("calculation", sums, () => this.chain("calculation", products, () => this.unary())),
		);
	}

	private unary(): Node {
		const { at, text } = this.peek();
		if (!this.is("!") && !this.is("-")) return this.member();
		let count = 0;
		while (this.is(text) && !(text === "-" && isNumber(this.peek(1)))) {
			this.index++;
			count++;
		}
		const operand = this.member();
		// Two of them cancel each other out.
		return count % 2 === 0 ? operand : call(at, text === "!" ? "!_" : "-_", undefined, [operand]);
	}

	private member(): Node {
		let node = this.primary();
		let count = 0;
		while (this.is(".") || this.is("[")) {
			this.enter("member");
			count++;
			node = this.is(".") ? this.field(node) : this.indexed(node);
		}
		this.depth.member -= count;
		return node;
	}

	private field(operand: Node): Node {
		const dot = this.next();
		const optional = this.takes("?");
		const name = this.fieldName();
		if (optional) return { kind: "select", at: dot.at, operand, field: name, mode: "optional" };
		if (this.is("(") && this.peek(-1).kind === "name") {
			const { at } = this.next();
			const args = this.arguments();
			return this.macro(at, name, operand, args) ?? call(at, name, operand, args);
		}
		return { kind: "select", at: dot.at, operand, field: name, mode: "value" };
	}

	private macro(at: number, name: string, target: Node | undefined, args: readonly Node[]): Node | null {
		return macroOf(at, name, target, args, this.options.namedValues);
	}

	protected override fieldName(): string {
		const token = this.peek();
		if (token.kind === "escaped name") {
			if (!this.options.escapedNames) throw new SyntaxIssue(token.at, "unsupported syntax: '`'");
			this.index++;
			return token.text.slice(1, -1);
		}
		if (token.kind !== "name") throw this.mismatch("IDENTIFIER");
		this.index++;
		return token.text;
	}

	private indexed(operand: Node): Node {
		const { at } = this.next();
		const optional = this.takes("?");
		const index = this.expression();
		this.expect("]");
		return call(at, optional ? "_[?_]" : "_[_]", undefined, [operand, index]);
	}

	private arguments(): Node[] {
		const args: Node[] = [];
		if (this.takes(")")) return args;
		do args.push(this.expression());
		while (this.takes(","));
		this.expect(")");
		return args;
	}

	private primary(): Node {
		const token = this.peek();
		switch (token.kind) {
			case "name":
				return this.named("");
			case "sign":
				return this.signed(token);
			case "int":
				this.index++;
				return literal(token.at, intLiteral(token, false, token.at), intType);
			case "uint":
				this.index++;
				return literal(token.at, uintLiteral(token), uintType);
			case "double":
				this.index++;
				return literal(token.at, doubleLiteral(token, false, token.at), doubleType);
			case "string":
				this.index++;
				return literal(token.at, stringLiteral(token), stringType);
			case "bytes":
				this.index++;
				return literal(token.at, bytesLiteral(token), bytesType);
			default:
				throw this.mismatch(`{${anExpression}}`);
		}
	}

	private signed(token: Token): Node {
		switch (token.text) {
			case "(": {
				this.index++;
				const node = this.expression();
				this.expect(")");
				return node;
			}
			case "[":
				return this.list();
			case "{":
				return this.map();
			case ".":
				this.index++;
				if (this.peek().kind !== "name") throw this.mismatch("IDENTIFIER");
				return this.named(".");
			case "-":
				return this.negativeNumber();
			case "true":
			case "false":
				this.index++;
				return literal(token.at, token.text === "true", boolType);
			case "null":
				this.index++;
				return literal(token.at, null, nullType);
			default:
				throw this.mismatch(`{${anExpression}}`);
		}
	}

	private negativeNumber(): Node {
		const { at } = this.peek();
		const token = this.peek(1);
		if (!isNumber(token)) throw this.mismatch(`{${anExpression}}`);
		this.index += 2;
		return token.kind === "int"
			? literal(at, intLiteral(token, true, at), intType)
			: literal(at, doubleLiteral(token, true, at), doubleType);
	}

	private named(leadingDot: string): Node {
		const objectName = this.objectName();
		if (objectName !== undefined) return this.object(leadingDot + objectName);
		const token = this.next();
		if (reserved.has(token.text)) throw new SyntaxIssue(token.at, `reserved identifier: ${token.text}`);
		const name = leadingDot + token.text;
		if (!this.is("(")) return { kind: "identifier", at: token.at, name };
		const { at } = this.next();
		const args = this.arguments();
		return this.macro(at, name, undefined, args) ?? call(at, name, undefined, args);
	}

	/** `a.b.c` when a brace follows it, which makes it the name of a type; then it is consumed. */
	private objectName(): string | undefined {
		let length = 1;
		while (this.is(".", length) && this.peek(length + 1).kind === "name") length += 2;
		if (!this.is("{", length)) return undefined;
		const name = this.tokens.slice(this.index, this.index + length).map((token) => token.text);
		this.index += length;
		return name.join("");
	}
}

function isNumber(token: Token): boolean {
	return token.kind === "int" || token.kind === "double";
}

function call(at: number, name: string, target: Node | undefined, args: readonly Node[]): Node {
	return { kind: "call", at, name, target, arguments: args };
}

function literal(at: number, value: unknown, type: Type): Literal {
	return { kind: "literal", at, value, type };
}
