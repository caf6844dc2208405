/**
 * Values of expressions. What JSON has is taken as it is: null, booleans, strings, arrays as lists and plain objects as
 * maps or objects. A number is an int when it is an integer below 2^63 and a double otherwise; integers beyond 2^53 are
 * bigints. Everything else is a `CelValue`, among them the doubles that are integers.
 */

import { identityOf, semanticsOf } from "./list-semantics.ts";
import { countWork } from "./work.ts";

/** A value that JSON lacks. */
export abstract class CelValue {
	/** The name that `type()` has for it. */
	abstract readonly typeName: string;
	abstract equals(other: unknown): boolean;
}

/** A value that an opaque type of a library holds. Its text is what `string()` gives for it, where that is allowed. */
export abstract class LibraryValue extends CelValue {
	abstract override toString(): string;
}

/** A double that is an integer, or minus zero: as a plain number it would be an int. */
export class Double extends CelValue {
	readonly typeName = "double";
	readonly value: number;
	constructor(value: number) {
		super();
		this.value = value;
	}
	equals(other: unknown): boolean {
		return numbersEqual(this, other);
	}
}

/** An unsigned integer below 2^64. */
export class Uint extends CelValue {
	readonly typeName = "uint";
	readonly value: bigint;
	constructor(value: bigint) {
		super();
		this.value = value;
	}
	equals(other: unknown): boolean {
		return numbersEqual(this, other);
	}
}

/** What `type()` returns. */
export class TypeValue extends CelValue {
	readonly typeName = "type";
	readonly name: string;
	constructor(name: string) {
		super();
		this.name = name;
	}
	equals(other: unknown): boolean {
		return other instanceof TypeValue && other.name === this.name;
	}
}

/** An object of a declared type that an expression has made: `Object.spec{replicas: 3}`. */
export class MadeObject extends CelValue {
	readonly typeName: string;
	readonly fields: Readonly<Record<string, unknown>>;
	constructor(typeName: string, fields: Readonly<Record<string, unknown>>) {
		super();
		this.typeName = typeName;
		this.fields = fields;
	}
	equals(other: unknown): boolean {
		if (!(other instanceof MadeObject) || other.typeName !== this.typeName) return false;
		return mapsEqual(this.fields, other.fields);
	}
}

export type PlainMap = Readonly<Record<string, unknown>>;

export function isPlainMap(value: unknown): value is PlainMap {
	return (
		typeof value === "object" &&
		value !== null &&
		!Array.isArray(value) &&
		!(value instanceof CelValue) &&
		!(value instanceof Uint8Array)
	);
}

/** An optional value (`obj.?field`). Without a value when `value` is undefined. */
export class Optional extends CelValue {
	readonly typeName = "optional_type";
	readonly value: unknown;
	constructor(value: unknown) {
		super();
		this.value = value;
	}
	equals(other: unknown): boolean {
		if (!(other instanceof Optional)) return false;
		if (this.value === undefined || other.value === undefined) return this.value === other.value;
		return equal(this.value, other.value);
	}
}

export const none = new Optional(undefined);

/** Whether `==` holds: numbers compare by value across their types, all else only within a type. */
export function equal(a: unknown, b: unknown): boolean {
	if (a === b) return true;
	switch (typeof a) {
		case "string":
		case "boolean":
			return false;
		case "number":
		case "bigint":
			return numbersEqual(a, b);
		case "object":
			break;
		default:
			return false;
	}
	if (a === null || typeof b !== "object" || b === null) return a instanceof CelValue && a.equals(b);
	if (Array.isArray(a)) return Array.isArray(b) && listsEqual(a, b);
	if (a instanceof CelValue) return a.equals(b);
	if (a instanceof Uint8Array) return b instanceof Uint8Array && bytesEqual(a, b);
	if (b instanceof CelValue) return b.equals(a);
	return isPlainMap(a) && isPlainMap(b) && mapsEqual(a, b);
}

function listsEqual(a: readonly unknown[], b: readonly unknown[]): boolean {
	if (a.length !== b.length) return false;
	countWork(a.length);
	const semantics = semanticsOf(a);
	if (semantics !== undefined) {
		const others = new Map(b.map((item) => [identityOf(item, semantics), item]));
		return a.every((item) => {
			const identity = identityOf(item, semantics);
			return others.has(identity) && equal(item, others.get(identity));
		});
	}
	for (let index = 0; index < a.length; index++) if (!equal(a[index], b[index])) return false;
	return true;
}

function mapsEqual(a: PlainMap, b: PlainMap): boolean {
	let count = 0;
	const keys = Object.keys(a);
	countWork(keys.length);
	for (const key of keys) {
		const value = a[key];
		if (value === undefined) continue;
		if (!Object.hasOwn(b, key) || b[key] === undefined || !equal(value, b[key])) return false;
		count++;
	}
	return count === sizeOfMap(b);
}

/** The number of entries; a field that is undefined is none. */
export function sizeOfMap(map: PlainMap): number {
	let count = 0;
	for (const key of Object.keys(map)) if (map[key] !== undefined) count++;
	return count;
}

function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
	if (a.length !== b.length) return false;
	for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
	return true;
}

/** The number behind any numeric value; undefined for others. Uints and large ints are bigints. */
export function numeric(value: unknown): number | bigint | undefined {
	if (typeof value === "number" || typeof value === "bigint") return value;
	if (value instanceof Double || value instanceof Uint) return value.value;
	return undefined;
}

function numbersEqual(a: unknown, b: unknown): boolean {
	return numericOrder(a, b) === 0;
}

/** Negative, zero or positive as `a` is less, equal or greater; undefined for what is no number, and NaN with NaN. */
export function numericOrder(a: unknown, b: unknown): number | undefined {
	const [left, right] = [numeric(a), numeric(b)];
	if (left === undefined || right === undefined) return undefined;
	// An integer compares with a double as the double nearest to it.
	if (typeof left === "bigint" && isDouble(b, right)) return order(Number(left), right);
	return typeof right === "bigint" && isDouble(a, left) ? order(left, Number(right)) : order(left, right);
}

/** Integers of different kinds JavaScript compares by their mathematical value. */
function order(a: number | bigint, b: number | bigint): number | undefined {
	if (a < b) return -1;
	if (a > b) return 1;
	return Number.isNaN(a) || Number.isNaN(b) ? undefined : 0;
}

function isDouble(value: unknown, number: number | bigint): boolean {
	return value instanceof Double || (typeof number === "number" && !Number.isSafeInteger(number));
}
