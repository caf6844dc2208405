/**
 * Classic BPF for seccomp: instructions, comparisons of a call's arguments, and a search for its number. Pure. The
 * program reads `struct seccomp_data` (number, architecture, instruction pointer, six arguments of 64 bits) of
 * seccomp(2), in the machine's byte order, which is little endian on both supported architectures.
 */

export interface Instruction {
	code: number;
	/** The number of instructions to skip if a comparison holds, and if it does not. */
	jumpTrue: number;
	jumpFalse: number;
	operand: number;
}

export type Operator = "NE" | "LT" | "LE" | "EQ" | "GE" | "GT" | "MASKED_EQ";

export interface Comparison {
	/** Index of the argument, 0 to 5. */
	index: number;
	operator: Operator;
	/** The value to compare with; for MASKED_EQ the mask. */
	value: bigint;
	/** For MASKED_EQ the expected value of the masked argument. */
	masked: bigint;
}

const loadWord = 0x20;
const and = 0x54;
const jumpAlways = 0x05;
const jumpEqual = 0x15;
const jumpGreater = 0x25;
const jumpGreaterOrEqual = 0x35;
const returnValue = 0x06;

/** The distance of a conditional jump is one byte. */
const farthestJump = 255;

export const numberOffset = 0;
export const architectureOffset = 4;
const argumentsOffset = 16;

function instruction(code: number, operand: number, jumpTrue = 0, jumpFalse = 0): Instruction {
	return { code, jumpTrue, jumpFalse, operand };
}

export function load(offset: number): Instruction {
	return instruction(loadWord, offset);
}

export function answer(action: number): Instruction {
	return instruction(returnValue, action);
}

/** Continues with `yes` if the loaded word equals `operand`, otherwise after it. */
export function whenEqual(operand: number, yes: readonly Instruction[]): Instruction[] {
	return [...skip(jumpEqual, operand, yes.length, false), ...yes];
}

/** A comparison that skips any number of instructions if it holds, or if it does not. */
function skip(code: number, operand: number, distance: number, holds: boolean): Instruction[] {
	if (distance <= farthestJump)
		return [holds ? instruction(code, operand, distance, 0) : instruction(code, operand, 0, distance)];
	const far = instruction(jumpAlways, distance);
	return [holds ? instruction(code, operand, 0, 1) : instruction(code, operand, 1, 0), far];
}

/** Returns `action` if all comparisons hold, otherwise continues after it. */
export function whenAll(comparisons: readonly Comparison[], action: number): Instruction[] {
	let code = [answer(action)];
	for (const comparison of [...comparisons].reverse()) code = [...compare(comparison, code.length), ...code];
	return code;
}

type Target = "next" | "holds" | "fails";
type Step = Instruction | { code: number; operand: number; yes: Target; no: Target };

/** @param after the number of instructions to skip if the comparison does not hold */
function compare({ index, operator, value, masked }: Comparison, after: number): Instruction[] {
	const offset = argumentsOffset + 8 * index;
	const low = { load: load(offset), value: wordOf(value), masked: wordOf(masked) };
	const high = { load: load(offset + 4), value: wordOf(value >> 32n), masked: wordOf(masked >> 32n) };
	const test = (code: number, operand: number, yes: Target, no: Target): Step => ({ code, operand, yes, no });
	const steps: Record<Operator, () => Step[]> = {
		EQ: () => [
			high.load,
			test(jumpEqual, high.value, "next", "fails"),
			low.load,
			test(jumpEqual, low.value, "holds", "fails"),
		],
		NE: () => [
			high.load,
			test(jumpEqual, high.value, "next", "holds"),
			low.load,
			test(jumpEqual, low.value, "fails", "holds"),
		],
		GT: () => ordered(jumpGreater, "holds", "fails"),
		GE: () => ordered(jumpGreaterOrEqual, "holds", "fails"),
		LT: () => ordered(jumpGreaterOrEqual, "fails", "holds"),
		LE: () => ordered(jumpGreater, "fails", "holds"),
		MASKED_EQ: () => [
			high.load,
			instruction(and, high.value),
			test(jumpEqual, high.masked, "next", "fails"),
			low.load,
			instruction(and, low.value),
			test(jumpEqual, low.masked, "holds", "fails"),
		],
	};
	const ordered = (code: number, greater: Target, smaller: Target): Step[] => [
		high.load,
		test(jumpGreater, high.value, greater, "next"),
		test(jumpEqual, high.value, "next", smaller),
		low.load,
		test(code, low.value, greater, smaller),
	];
	const list = steps[operator]();
	return list.map((step, at) => {
		if (!("yes" in step)) return step;
		const rest = list.length - at - 1;
		const distance = { next: 0, holds: rest, fails: rest + after };
		return instruction(step.code, step.operand, distance[step.yes], distance[step.no]);
	});
}

function wordOf(value: bigint): number {
	return Number(value & 0xffffffffn);
}

/** Numbers from `from` up to the beginning of the next range, and the code for them. */
export interface Range {
	from: number;
	code: readonly Instruction[];
}

/**
 * A binary search for the loaded word.
 * @param ranges ascending; the first begins at the lowest possible number
 */
export function search(ranges: readonly Range[]): Instruction[] {
	const [only] = ranges;
	if (only === undefined) throw new Error("a search needs a range");
	if (ranges.length === 1) return [...only.code];
	const middle = ranges.length >> 1;
	const smaller = search(ranges.slice(0, middle));
	const rest = ranges.slice(middle);
	return [...skip(jumpGreaterOrEqual, rest[0]?.from ?? 0, smaller.length, true), ...smaller, ...search(rest)];
}

/** Linux rejects longer programs. */
const longestProgram = 4096;

/**
 * A sequence of `struct sock_filter`, little endian, for seccomp(2).
 * @throws Error for a program that exceeds Linux' limit
 */
export function encode(program: readonly Instruction[]): Buffer {
	if (program.length > longestProgram)
		throw new Error(`the seccomp filter has ${program.length} instructions, Linux takes ${longestProgram}`);
	const encoded = Buffer.alloc(program.length * 8);
	for (const [at, { code, jumpTrue, jumpFalse, operand }] of program.entries()) {
		encoded.writeUInt16LE(code, at * 8);
		encoded.writeUInt8(jumpTrue, at * 8 + 2);
		encoded.writeUInt8(jumpFalse, at * 8 + 3);
		encoded.writeUInt32LE(operand >>> 0, at * 8 + 4);
	}
	return encoded;
}
