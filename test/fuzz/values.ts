/** Values of clients that mean no good, or make mistakes. */
import type { Chance } from "./chance.ts";

const words = [
	"a",
	"b",
	"web",
	"default",
	"node-1",
	"system:masters",
	"constructor",
	"__proto__",
	"toString",
	"prototype",
];
const hostileTexts = [
	"",
	" ",
	"..",
	"../../etc/passwd",
	"%00",
	"\u0000",
	"\ud800",
	"ﷺ".repeat(50),
	"a/b/c",
	"-",
	"a".repeat(64),
	"x".repeat(300),
	"1e999999999",
	"9223372036854775808",
	"$(HOSTNAME)",
	"(a+)+$",
	"* * * * *",
	"[",
	"{{",
	"\r\nX-Injected: 1",
	"!a,b in (",
	"=,=",
];
const hostileNumbers = [0, -1, 1, 2 ** 31, -(2 ** 31) - 1, 2 ** 53, 2 ** 63, -(2 ** 63), 1e308, 0.5, 65_536, 3, 30];

export function text(chance: Chance): string {
	return chance.once(3) ? chance.pick(hostileTexts) : chance.pick(words);
}

export function number(chance: Chance): number {
	return chance.pick(hostileNumbers);
}

/** Any JSON. */
export function anything(chance: Chance, depth = 0): unknown {
	switch (chance.number(depth > 3 ? 4 : 7)) {
		case 0:
			return text(chance);
		case 1:
			return number(chance);
		case 2:
			return chance.once(2);
		case 3:
			return null;
		case 4:
			return Array.from({ length: chance.number(4) }, () => anything(chance, depth + 1));
		case 5:
			return nested(chance);
		default:
			return record(Array.from({ length: chance.number(4) }, () => [text(chance), anything(chance, depth + 1)]));
	}
}

/** With `__proto__` as a field like any other. */
export function record(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
	return Object.fromEntries(entries);
}

function nested(chance: Chance): unknown {
	let value: unknown = 1;
	for (let depth = chance.pick([5, 100, 200, 400, 2000]); depth > 0; depth--)
		value = chance.once(2) ? [value] : { a: value };
	return value;
}
