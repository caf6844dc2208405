import { boolType, intType, objectType, stringType } from "../../types/type.ts";
import { fail } from "../../values/failure.ts";
import { intOf, isUint64 } from "../../values/integers.ts";
import { quoted } from "../../values/text.ts";
import { LibraryValue } from "../../values/value.ts";
import { fixedCost, visitsFirst } from "../costs.ts";
import { type FunctionDeclaration, global, member } from "../function.ts";
import { succeeds } from "./ip.ts";

/** Semantic versions (semver.org), at version 1 of the library, which can also normalize short ones. */

export const semverType = objectType("kubernetes.Semver", { field: () => undefined });

export class Semver extends LibraryValue {
	readonly typeName = "kubernetes.Semver";
	/** Major, minor and patch. */
	readonly numbers: readonly bigint[];
	readonly prerelease: readonly (bigint | string)[];
	private readonly text: string;
	constructor(text: string, numbers: readonly bigint[], prerelease: readonly (bigint | string)[]) {
		super();
		this.text = text;
		this.numbers = numbers;
		this.prerelease = prerelease;
	}
	equals(other: unknown): boolean {
		return other instanceof Semver && compareTo(this, other) === 0;
	}
	toString(): string {
		return this.text;
	}
}

/** @throws Failure when the text is no version */
export function semverOf(text: string, normalize = false): Semver {
	const normal = normalize ? normalized(text) : text;
	if (normal === "") fail("Version string empty");
	const [, core = "", prerelease, build] = /^([^+-]*)(?:-([^+]*))?(?:\+(.*))?$/s.exec(normal) ?? [];
	const parts = core.split(".");
	if (parts.length !== 3) fail("No Major.Minor.Patch elements found");
	const numbers = parts.map((part, index) => numberPart(part, ["major", "minor", "patch"][index] ?? ""));
	const identifiers = prerelease?.split(".").map(prereleasePart) ?? [];
	for (const part of build?.split(".") ?? [])
		if (!/^[0-9A-Za-z-]+$/.test(part))
			fail(part === "" ? "Build meta data is empty" : invalid("build meta data", part));
	return new Semver(normal, numbers, identifiers);
}

function invalid(what: string, part: string): string {
	return `Invalid character(s) found in ${what} ${quoted(part)}`;
}

function numberPart(part: string, name: string): bigint {
	if (!/^\d+$/.test(part)) fail(invalid(`${name} number`, part));
	const title = name.charAt(0).toUpperCase() + name.slice(1);
	if (/^0\d/.test(part)) fail(`${title} number must not contain leading zeroes ${quoted(part)}`);
	const value = part.length > 20 ? undefined : BigInt(part);
	if (value === undefined || !isUint64(value))
		return fail(`strconv.ParseUint: parsing ${quoted(part)}: value out of range`);
	return value;
}

function prereleasePart(part: string): bigint | string {
	if (part === "") fail("Prerelease is empty");
	if (/^\d+$/.test(part)) {
		if (/^0\d/.test(part)) fail(`Numeric PreRelease version must not contain leading zeroes ${quoted(part)}`);
		return BigInt(part.slice(0, 20));
	}
	if (!/^[0-9A-Za-z-]+$/.test(part)) fail(invalid("prerelease", part));
	return part;
}

/** Without a leading `v` and leading zeros, and with three numbers. */
function normalized(text: string): string {
	const [major = "", minor, ...patch] = text.replace(/^v/, "").split(".");
	const parts = [major, ...(minor === undefined ? [] : [minor]), ...(patch.length === 0 ? [] : [patch.join(".")])];
	const stripped = parts.map((part) => (part.length > 1 ? part.replace(/^0+(?=\d)/, "") : part));
	if (stripped.length < 3 && /[+-]/.test(stripped.at(-1) ?? ""))
		fail("short version cannot contain PreRelease/Build meta data");
	while (stripped.length < 3) stripped.push("0");
	return stripped.join(".");
}

function compareTo(a: Semver, b: Semver): number {
	for (const [index, number] of a.numbers.entries()) {
		const other = b.numbers[index] ?? 0n;
		if (number !== other) return number < other ? -1 : 1;
	}
	if (a.prerelease.length === 0 || b.prerelease.length === 0)
		return Math.sign(b.prerelease.length - a.prerelease.length);
	for (const [index, part] of a.prerelease.entries()) {
		const other = b.prerelease[index];
		if (other === undefined) return 1;
		const order = comparePrerelease(part, other);
		if (order !== 0) return order;
	}
	return a.prerelease.length < b.prerelease.length ? -1 : 0;
}

/** Numbers come before words. */
function comparePrerelease(a: bigint | string, b: bigint | string): number {
	if (typeof a !== typeof b) return typeof a === "bigint" ? -1 : 1;
	return a < b ? -1 : a > b ? 1 : 0;
}

const parses = visitsFirst();
const accessor = fixedCost(1);
const two = [semverType, semverType];

function numberOf(name: string, index: number): FunctionDeclaration {
	const run = ({ numbers }: Semver) => intOf(BigInt.asIntN(64, numbers[index] ?? 0n));
	return { name, ...accessor, overloads: [member(`semver_${name}`, [semverType], intType, run)] };
}

const isSemver = (text: string, normalize = false) => succeeds(() => semverOf(text, normalize));

export const semver: readonly FunctionDeclaration[] = [
	{
		name: "semver",
		...parses,
		overloads: [
			global("string_to_semver", [stringType], semverType, semverOf),
			global("string_bool_to_semver", [stringType, boolType], semverType, semverOf),
		],
	},
	{
		name: "isSemver",
		...parses,
		overloads: [
			global("is_semver_string", [stringType], boolType, isSemver),
			global("is_semver_string_bool", [stringType, boolType], boolType, isSemver),
		],
	},
	{
		name: "isGreaterThan",
		...accessor,
		overloads: [member("semver_is_greater_than", two, boolType, (a: Semver, b: Semver) => compareTo(a, b) > 0)],
	},
	{
		name: "isLessThan",
		...accessor,
		overloads: [member("semver_is_less_than", two, boolType, (a: Semver, b: Semver) => compareTo(a, b) < 0)],
	},
	{ name: "compareTo", ...accessor, overloads: [member("semver_compare_to", two, intType, compareTo)] },
	numberOf("major", 0),
	numberOf("minor", 1),
	numberOf("patch", 2),
];
