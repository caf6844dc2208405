import { fail } from "./failure.ts";
import { Uint } from "./value.ts";

/**
 * 64-bit arithmetic. Ints are numbers while they are exact and bigints beyond 2^53, so that the usual case is that of
 * a plain number.
 */
export type Int = number | bigint;

const largestInt = 2n ** 63n - 1n;
const smallestInt = -(2n ** 63n);
const largestUint = 2n ** 64n - 1n;
const largestSafe = BigInt(Number.MAX_SAFE_INTEGER);

/** An int in its one form. @throws Failure beyond 64 bits */
export function intOf(value: bigint): Int {
	if (value <= largestSafe && value >= -largestSafe) return Number(value);
	if (value > largestInt || value < smallestInt) fail("integer overflow");
	return value;
}

/** @throws Failure beyond 64 bits, or below zero */
export function uintOf(value: bigint): Uint {
	if (value < 0n || value > largestUint) fail("unsigned integer overflow");
	return new Uint(value);
}

export function isInt64(value: bigint): boolean {
	return value <= largestInt && value >= smallestInt;
}

export function isUint64(value: bigint): boolean {
	return value >= 0n && value <= largestUint;
}

export function addInts(a: Int, b: Int): Int {
	if (typeof a === "number" && typeof b === "number") {
		const sum = a + b;
		if (Number.isSafeInteger(sum)) return sum;
	}
	return intOf(BigInt(a) + BigInt(b));
}

export function subtractInts(a: Int, b: Int): Int {
	if (typeof a === "number" && typeof b === "number") {
		const difference = a - b;
		if (Number.isSafeInteger(difference)) return difference;
	}
	return intOf(BigInt(a) - BigInt(b));
}

export function multiplyInts(a: Int, b: Int): Int {
	if (typeof a === "number" && typeof b === "number") {
		const product = a * b;
		// Minus zero is no int.
		if (Number.isSafeInteger(product)) return product + 0;
	}
	return intOf(BigInt(a) * BigInt(b));
}

export function divideInts(a: Int, b: Int): Int {
	if (b === 0) fail("division by zero");
	if (Number.isSafeInteger(a) && Number.isSafeInteger(b)) return Math.trunc(Number(a) / Number(b)) + 0;
	return intOf(BigInt(a) / BigInt(b));
}

export function moduloInts(a: Int, b: Int): Int {
	if (b === 0) fail("modulus by zero");
	if (Number.isSafeInteger(a) && Number.isSafeInteger(b)) return (Number(a) % Number(b)) + 0;
	// The quotient would overflow, and upstream refuses the remainder with it.
	if (BigInt(b) === -1n && BigInt(a) === smallestInt) fail("integer overflow");
	return intOf(BigInt(a) % BigInt(b));
}

export function negateInt(a: Int): Int {
	return typeof a === "number" ? 0 - a : intOf(-a);
}
