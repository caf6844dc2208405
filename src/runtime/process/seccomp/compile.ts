/** Compiles a seccomp profile to the program that the kernel runs at each system call. Pure. */
import {
	answer,
	architectureOffset,
	encode,
	type Instruction,
	load,
	numberOffset,
	type Range,
	search,
	whenAll,
	whenEqual,
} from "./bpf.ts";
import { actions, notImplemented, type SeccompProfile, type SeccompRule } from "./profile.ts";
import { syscallTables } from "./syscall-numbers.ts";

/** A calling convention of the kernel. */
interface Convention {
	/** Name in profiles. */
	name: string;
	/** AUDIT_ARCH_… of linux/audit.h. */
	audit: number;
	/** The lowest number of a call. */
	base: number;
	table: keyof typeof syscallTables;
}

/** x86-64 and x32 share one architecture; a bit of the number distinguishes them. */
const x32Bit = 0x40000000;

const x86_64 = { name: "SCMP_ARCH_X86_64", audit: 0xc000003e, base: 0, table: "x86_64" } as const;
const x86 = { name: "SCMP_ARCH_X86", audit: 0x40000003, base: 0, table: "x86" } as const;
const x32 = { name: "SCMP_ARCH_X32", audit: 0xc000003e, base: x32Bit, table: "x32" } as const;
const aarch64 = { name: "SCMP_ARCH_AARCH64", audit: 0xc00000b7, base: 0, table: "aarch64" } as const;
const arm = { name: "SCMP_ARCH_ARM", audit: 0x40000028, base: 0, table: "arm" } as const;

/** Supported machines by Node's names, with their native convention first. */
const machines: Readonly<Record<string, readonly [Convention, ...Convention[]]>> = {
	x64: [x86_64, x32, x86],
	arm64: [aarch64, arm],
};

export function canFilter(machine: string): boolean {
	return machines[machine] !== undefined;
}

/**
 * The program for `seccomp(SECCOMP_SET_MODE_FILTER)`, eight bytes per instruction.
 * @param machine `process.arch`
 * @throws Error for a machine of another architecture, and for a profile whose program is too long
 */
export function compileProfile(profile: SeccompProfile, machine: string): Buffer {
	const conventions = machines[machine];
	if (conventions === undefined) throw new Error(`seccomp filters cannot be made for ${machine}`);
	const [own, ...others] = conventions;
	const used = [own, ...others.filter(({ name }) => profile.architectures.includes(name))];
	const program: Instruction[] = [load(architectureOffset)];
	for (const audit of new Set(used.map((convention) => convention.audit))) {
		const ranges = used
			.filter((convention) => convention.audit === audit)
			.flatMap((convention) => rangesOf(profile, convention));
		const x32Is = used.includes(x32);
		if (audit === x32.audit && !x32Is) ranges.push({ from: x32Bit, code: [answer(actions.killProcess)] });
		program.push(...whenEqual(audit, [load(numberOffset), ...search(ranges)]));
	}
	return encode([...program, answer(actions.killProcess)]);
}

/** The action for each number, with adjacent numbers with the same action as one range. */
function rangesOf(profile: SeccompProfile, { table, base }: Convention): Range[] {
	const codes = new Map<number, Instruction[]>();
	const numbers = numbersOf(table);
	for (const [name, rules] of rulesByName(profile)) {
		const number = numbers.get(name);
		if (number !== undefined) codes.set(number, codeOf(rules, profile.defaultAction));
	}
	const ranges: Range[] = [];
	const add = (from: number, code: readonly Instruction[]) => {
		const before = ranges.at(-1);
		if (before === undefined || !sameAnswer(before.code, code)) ranges.push({ from: base + from, code });
	};
	const otherwise = [answer(profile.defaultAction)];
	let next = 0;
	for (const number of [...codes.keys()].sort((one, other) => one - other)) {
		if (number > next) add(next, otherwise);
		add(number, codes.get(number) ?? otherwise);
		next = number + 1;
	}
	// As in runc: programs take a call that is newer than the profile for one that the kernel lacks, and use a fallback.
	const named = profile.rules.flatMap(({ names }) => names.map((name) => numbers.get(name) ?? -1));
	const firstUnknown = Math.max(...named, -1) + 1;
	if (firstUnknown > next) add(next, otherwise);
	const isRefusal = profile.defaultAction !== actions.allow && profile.defaultAction !== actions.log;
	add(firstUnknown, isRefusal && firstUnknown > 0 ? [answer(actions.error(notImplemented))] : otherwise);
	return ranges;
}

function sameAnswer(one: readonly Instruction[], other: readonly Instruction[]): boolean {
	return one.length === 1 && other.length === 1 && one[0]?.operand === other[0]?.operand;
}

/** A rule without comparisons covers all others for the same call; otherwise the first matching rule decides. */
function codeOf(rules: readonly SeccompRule[], defaultAction: number): Instruction[] {
	const always = rules.find(({ comparisons }) => comparisons.length === 0);
	if (always !== undefined) return [answer(always.action)];
	const checks = rules.flatMap(({ comparisons, action }) => {
		const isOneEach = new Set(comparisons.map(({ index }) => index)).size === comparisons.length;
		return isOneEach
			? whenAll(comparisons, action)
			: comparisons.flatMap((comparison) => whenAll([comparison], action));
	});
	return [...checks, answer(defaultAction)];
}

function rulesByName({ rules, defaultAction }: SeccompProfile): Map<string, SeccompRule[]> {
	const byName = new Map<string, SeccompRule[]>();
	for (const rule of rules) {
		// As in runc: a rule with the default action is ignored.
		if (rule.action === defaultAction) continue;
		for (const name of rule.names) byName.set(name, [...(byName.get(name) ?? []), rule]);
	}
	return byName;
}

const known = new Map<string, ReadonlyMap<string, number>>();

/** Numbers by name, without the base. */
export function numbersOf(table: keyof typeof syscallTables): ReadonlyMap<string, number> {
	const before = known.get(table);
	if (before !== undefined) return before;
	const numbers = new Map<string, number>();
	let next = 0;
	for (const word of syscallTables[table].trim().split(/\s+/)) {
		if (word.startsWith("@")) next = Number(word.slice(1));
		else numbers.set(word, next++);
	}
	known.set(table, numbers);
	return numbers;
}
