/** Runs a seccomp filter like the kernel, for tests. */

export interface Call {
	/** AUDIT_ARCH_… */
	audit: number;
	number: number;
	arguments?: readonly bigint[];
}

/** @throws Error for a program that Linux would not load or that runs beyond its end */
export function runFilter(program: Buffer, { audit, number, arguments: args = [] }: Call): number {
	const data = Buffer.alloc(64);
	data.writeUInt32LE(number >>> 0, 0);
	data.writeUInt32LE(audit >>> 0, 4);
	for (const [index, value] of args.entries()) data.writeBigUInt64LE(BigInt.asUintN(64, value), 16 + 8 * index);
	let word = 0;
	for (let at = 0; at * 8 < program.length; at++) {
		const code = program.readUInt16LE(at * 8);
		const [yes, no] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)];
		const operand = program.readUInt32LE(at * 8 + 4);
		if (code === 0x20) word = data.readUInt32LE(operand);
		else if (code === 0x54) word = (word & operand) >>> 0;
		else if (code === 0x05) at += operand;
		else if (code === 0x15) at += word === operand ? yes : no;
		else if (code === 0x25) at += word > operand ? yes : no;
		else if (code === 0x35) at += word >= operand ? yes : no;
		else if (code === 0x06) return operand;
		else throw new Error(`instruction ${at} has the code ${code}`);
	}
	throw new Error("the program has no answer");
}
