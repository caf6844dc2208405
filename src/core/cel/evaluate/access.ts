import type { Call, Node, Select } from "../parse/syntax.ts";
import { type Reader, readerOf } from "../types/declared.ts";
import { CelMap, mapGet } from "../values/cel-map.ts";
import { fail } from "../values/failure.ts";
import { typeNameOf } from "../values/kind.ts";
import { doubleText } from "../values/text.ts";
import { isPlainMap, MadeObject, none, numeric, Optional } from "../values/value.ts";
import type { Builder } from "./builder.ts";
import type { Evaluate } from "./frame.ts";

/** Fields and indexes. */

export function buildSelect(builder: Builder, node: Select): Evaluate {
	const operand = builder.build(node.operand);
	const field = builder.checked.fieldOf(node);
	const key = field?.key ?? node.field;
	const read = field && readerOf(field.type);
	const cost = rootCost(node.operand);
	switch (node.mode) {
		case "has":
			return (frame) => {
				frame.cost += cost;
				return fieldIn(unwrapped(operand(frame)), key) !== undefined;
			};
		case "optional":
			return (frame) => {
				const value = fieldIn(unwrapped(operand(frame)), key);
				// A field that is absent costs nothing.
				frame.cost += value === undefined ? cost : cost + 1;
				return optionalOf(value, read);
			};
		case "value":
			return fieldValue(operand, key, read, cost + 1);
	}
}

function fieldValue(operand: Evaluate, key: string, read: Reader | undefined, cost: number): Evaluate {
	// Every object has a property of such a name, whether or not it is a field.
	const isInherited = key in Object.prototype;
	return (frame) => {
		const object = operand(frame);
		frame.cost += cost;
		let value: unknown;
		if (!isInherited && isPlainObject(object)) value = object[key];
		else if (object instanceof Optional) {
			const held = fieldIn(object.value, key);
			if (held === undefined) frame.cost--;
			return optionalOf(held, read);
		} else value = fieldIn(object, key);
		if (value === undefined) fail(`no such key: ${key}`);
		return read === undefined ? value : read(value);
	};
}

/** As `isPlainMap`, faster, and false for objects that some class has made. */
function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
	if (typeof value !== "object" || value === null) return false;
	const prototype: unknown = Object.getPrototypeOf(value);
	return prototype === Object.prototype || prototype === null;
}

/** The field of a map or an object; undefined when there is none. */
function fieldIn(object: unknown, key: string): unknown {
	if (isPlainMap(object)) return Object.hasOwn(object, key) ? object[key] : undefined;
	if (object instanceof CelMap) return object.get(key);
	if (object instanceof MadeObject) return Object.hasOwn(object.fields, key) ? object.fields[key] : undefined;
	return undefined;
}

function unwrapped(value: unknown): unknown {
	return value instanceof Optional ? value.value : value;
}

function optionalOf(value: unknown, read: Reader | undefined): Optional {
	if (value === undefined) return none;
	return new Optional(read === undefined ? value : read(value));
}

/** What a path costs less where it is a branch of a conditional, which upstream counts without its first step. */
export function branchDiscount(node: Node): number {
	return node.kind === "identifier" || isPath(node) ? 1 : 0;
}

/** Upstream counts a path once more where it begins with the result of a call or a literal. */
function rootCost(operand: Node): number {
	return operand.kind === "identifier" || isPath(operand) || isConditional(operand) ? 0 : 1;
}

/** Whether a node is a selection or an index of another one. */
function isPath(node: Node): boolean {
	return node.kind === "select" ? node.mode !== "has" : node.kind === "call" && /^_\[\??_\]$/.test(node.name);
}

function isConditional(node: Node): boolean {
	return node.kind === "call" && node.name === "_?_:_";
}

/** `operand[index]` and `operand[?index]`. */
export function buildIndex(builder: Builder, node: Call): Evaluate {
	const [operandNode, indexNode] = node.arguments;
	if (operandNode === undefined || indexNode === undefined) throw new Error("an index without operands");
	const operand = builder.build(operandNode);
	const index = builder.build(indexNode);
	const isOptional = node.name === "_[?_]";
	// The cost of an index that is a path is that of the path.
	const own = indexNode.kind === "identifier" || isPath(indexNode) ? 0 : 1;
	const cost = rootCost(operandNode) + own;
	return (frame) => {
		const container = operand(frame);
		const key = index(frame);
		const optional = isOptional || container instanceof Optional;
		const value = itemAt(unwrapped(container), key);
		frame.cost += optional && value === undefined ? cost - own : cost;
		if (optional) return optionalOf(value, undefined);
		if (value === undefined)
			fail(Array.isArray(container) ? `index out of bounds: ${keyText(key)}` : `no such key: ${keyText(key)}`);
		return value;
	};
}

/** The item of a list or the value of a key; undefined when there is none. */
function itemAt(container: unknown, key: unknown): unknown {
	if (container === undefined) return undefined;
	if (Array.isArray(container)) {
		const index = numeric(key);
		if (index === undefined || !Number.isInteger(Number(index)))
			fail(`unsupported index type '${typeNameOf(key)}' in list`);
		return container[Number(index)];
	}
	if (container instanceof CelMap || isPlainMap(container)) return mapGet(container, key);
	return container instanceof MadeObject && typeof key === "string" ? fieldIn(container, key) : undefined;
}

function keyText(key: unknown): string {
	const number = numeric(key);
	if (typeof number === "number") return doubleOrInt(number);
	return number === undefined ? String(key) : String(number);
}

function doubleOrInt(value: number): string {
	return Number.isInteger(value) ? String(value) : doubleText(value);
}
