/** JSON paths as printer columns and selectable fields have them: `.spec.nodes[?(@.name=="a")].address`. */
import { isRecord } from "../../core/object.ts";

/** All values at the path, in order, including nulls. Missing values are left out. */
export type JsonPath = (object: unknown) => unknown[];

type Step = (value: unknown, found: unknown[]) => void;

/** A path longer than any that is meant. */
const longest = 4096;

/** @throws Error when the text is no path */
export function parseJsonPath(text: string): JsonPath {
	if (text.length > longest) throw new Error("the path is too long");
	const reader = new Reader(text);
	const steps = readSteps(reader);
	if (!reader.isAtEnd) throw new Error(`unexpected ${reader.rest} in path ${text}`);
	return (object) => follow(steps, object);
}

function follow(steps: readonly Step[], object: unknown): unknown[] {
	let values = [object];
	for (const step of steps) {
		const found: unknown[] = [];
		for (const value of values) step(value, found);
		values = found;
	}
	return values;
}

class Reader {
	readonly #text: string;
	#at = 0;

	constructor(text: string) {
		this.#text = text;
	}

	get isAtEnd(): boolean {
		return this.#at >= this.#text.length;
	}

	get rest(): string {
		return this.#text.slice(this.#at);
	}

	/** Takes what the sticky pattern finds here. */
	take(pattern: RegExp): RegExpExecArray | undefined {
		pattern.lastIndex = this.#at;
		const found = pattern.exec(this.#text) ?? undefined;
		if (found !== undefined) this.#at = pattern.lastIndex;
		return found;
	}

	expect(pattern: RegExp, what: string): RegExpExecArray {
		const found = this.take(pattern);
		if (found === undefined) throw new Error(`${what} expected at ${JSON.stringify(this.rest)}`);
		return found;
	}
}

const root = /[$@]/y;
const dots = /\.\.?/y;
const fieldName = /(?:[^\s.[\]{}()?@'"\\,|=!<>*]|\\.)+/y;
const star = /\*/y;
const open = /\[\s*/y;
const close = /\s*\]/y;
const comma = /\s*,\s*/y;
const filterOpen = /\?\(\s*/y;
const filterClose = /\s*\)/y;
const quoted = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/y;
const range = /(-?\d+)?(?::(-?\d+)?)?(?::(\d+))?/y;
const operator = /\s*(==|!=|<=|>=|<|>)\s*/y;
const number = /-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/y;
const literal = /true|false|null/y;

function readSteps(reader: Reader): Step[] {
	reader.take(root);
	const steps: Step[] = [];
	while (!reader.isAtEnd) {
		const dot = reader.take(dots)?.[0];
		if (dot === "..") steps.push(everythingBelow);
		if (reader.take(star) !== undefined) steps.push(children);
		else if (reader.take(open) !== undefined) steps.push(readBrackets(reader));
		else {
			const name = reader.take(fieldName)?.[0];
			if (name !== undefined) steps.push(field(unescaped(name)));
			// A single dot is the object itself.
			else if (dot !== "." || steps.length > 0) break;
		}
	}
	return steps;
}

function readBrackets(reader: Reader): Step {
	if (reader.take(filterOpen) !== undefined) return readFilter(reader);
	if (reader.take(star) !== undefined) {
		reader.expect(close, "]");
		return children;
	}
	const parts: Step[] = [];
	do {
		const text = reader.take(quoted);
		if (text !== undefined) parts.push(field(unescaped(text[1] ?? text[2] ?? "")));
		else parts.push(readRange(reader));
	} while (reader.take(comma) !== undefined);
	reader.expect(close, "]");
	return (value, found) => {
		for (const part of parts) part(value, found);
	};
}

function readRange(reader: Reader): Step {
	const [text = "", from, to, step] = reader.expect(range, "a position");
	if (text === "") throw new Error(`a position expected at ${JSON.stringify(reader.rest)}`);
	const isSingle = !text.includes(":");
	const stride = step === undefined ? 1 : Number(step);
	if (stride < 1) throw new Error("step must be > 0");
	return (value, found) => {
		if (!Array.isArray(value)) return;
		const start = positionIn(value, from, 0);
		const end = isSingle ? start + 1 : positionIn(value, to, value.length);
		for (let index = Math.max(start, 0); index < Math.min(end, value.length); index += stride) found.push(value[index]);
	};
}

function positionIn(list: readonly unknown[], text: string | undefined, otherwise: number): number {
	if (text === undefined) return otherwise;
	const position = Number(text);
	return position < 0 ? list.length + position : position;
}

type Operand = (value: unknown) => unknown[];

function readFilter(reader: Reader): Step {
	const left = readOperand(reader);
	const sign = reader.take(operator)?.[1];
	const right = sign === undefined ? undefined : readOperand(reader);
	reader.expect(filterClose, ")");
	reader.expect(close, "]");
	const holds = (value: unknown) => {
		const [first] = left(value);
		if (right === undefined || sign === undefined) return first !== undefined;
		const [second] = right(value);
		return first !== undefined && second !== undefined && compare(first, sign, second);
	};
	return (value, found) => {
		if (!Array.isArray(value)) return;
		for (const item of value) if (holds(item)) found.push(item);
	};
}

function readOperand(reader: Reader): Operand {
	const text = reader.take(quoted);
	if (text !== undefined) return constant(unescaped(text[1] ?? text[2] ?? ""));
	const digits = reader.take(number)?.[0];
	if (digits !== undefined) return constant(Number(digits));
	const word = reader.take(literal)?.[0];
	if (word !== undefined) return constant(JSON.parse(word));
	reader.expect(root, "@");
	const steps: Step[] = [];
	for (;;) {
		if (reader.take(dots) !== undefined) steps.push(field(unescaped(reader.expect(fieldName, "a name")[0])));
		else if (reader.take(open) !== undefined) steps.push(readBrackets(reader));
		else return (value) => follow(steps, value);
	}
}

function constant(value: unknown): Operand {
	return () => [value];
}

function compare(left: unknown, sign: string, right: unknown): boolean {
	if (sign === "==") return left === right;
	if (sign === "!=") return left !== right;
	const comparable =
		(typeof left === "number" && typeof right === "number") || (typeof left === "string" && typeof right === "string");
	if (!comparable) return false;
	switch (sign) {
		case "<":
			return left < right;
		case "<=":
			return left <= right;
		case ">":
			return left > right;
		default:
			return left >= right;
	}
}

function field(name: string): Step {
	return (value, found) => {
		if (isRecord(value) && Object.hasOwn(value, name) && value[name] !== undefined) found.push(value[name]);
	};
}

const children: Step = (value, found) => {
	if (Array.isArray(value)) for (const item of value) found.push(item);
	else if (isRecord(value)) for (const content of Object.values(value)) if (content !== undefined) found.push(content);
};

const everythingBelow: Step = (value, found) => {
	found.push(value);
	const below: unknown[] = [];
	children(value, below);
	for (const one of below) if (typeof one === "object" && one !== null) everythingBelow(one, found);
};

function unescaped(text: string): string {
	return text.replace(/\\(.)/g, "$1");
}
