/**
 * Reads a profile in the format of container engines: `linux.seccomp` of the OCI runtime specification, or Docker's
 * variant with conditions (`archMap`, `includes`, `excludes`). Pure.
 */
import type { Comparison, Operator } from "./bpf.ts";
import { actions, notPermitted, type ProfileConditions, type SeccompProfile, type SeccompRule } from "./profile.ts";

/**
 * @param text JSON
 * @throws Error that names the field that is not supported
 */
export function parseProfile(text: string, conditions: ProfileConditions): SeccompProfile {
	const document = objectOf(JSON.parse(text), "the profile");
	const defaultAction = actionOf(document["defaultAction"], document["defaultErrnoRet"], "defaultAction");
	const mapped = listOf(document["archMap"], "archMap").map((entry) => objectOf(entry, "archMap"));
	const architectures = [
		...namesOf(document["architectures"], "architectures"),
		...mapped.flatMap((entry) => namesOf(entry["subArchitectures"], "subArchitectures")),
	];
	const rules = listOf(document["syscalls"], "syscalls")
		.map((entry) => objectOf(entry, "syscalls"))
		.filter((entry) => applies(entry, conditions))
		.map((entry) => ruleOf(entry));
	return { defaultAction, architectures, rules };
}

function ruleOf(entry: Record<string, unknown>): SeccompRule {
	const { name, names } = entry;
	return {
		names: typeof name === "string" ? [name] : namesOf(names, "names"),
		action: actionOf(entry["action"], entry["errnoRet"], "action"),
		comparisons: listOf(entry["args"], "args").map((argument) => comparisonOf(objectOf(argument, "args"))),
	};
}

function actionOf(action: unknown, errnoRet: unknown, field: string): number {
	const error = errnoRet === undefined || errnoRet === null ? notPermitted : Number(errnoRet);
	switch (action) {
		case "SCMP_ACT_ALLOW":
			return actions.allow;
		case "SCMP_ACT_ERRNO":
			return actions.error(error);
		case "SCMP_ACT_KILL":
		case "SCMP_ACT_KILL_THREAD":
			return actions.killThread;
		case "SCMP_ACT_KILL_PROCESS":
			return actions.killProcess;
		case "SCMP_ACT_TRAP":
			return actions.trap;
		case "SCMP_ACT_LOG":
			return actions.log;
		default:
			throw new Error(`${field} ${JSON.stringify(action)} is not supported`);
	}
}

const argumentCount = 6;
const operators: Readonly<Record<string, Operator>> = {
	SCMP_CMP_NE: "NE",
	SCMP_CMP_LT: "LT",
	SCMP_CMP_LE: "LE",
	SCMP_CMP_EQ: "EQ",
	SCMP_CMP_GE: "GE",
	SCMP_CMP_GT: "GT",
	SCMP_CMP_MASKED_EQ: "MASKED_EQ",
};

function comparisonOf(entry: Record<string, unknown>): Comparison {
	const index = wordOf(entry["index"] ?? 0, "index");
	const operator = operators[String(entry["op"])];
	if (operator === undefined) throw new Error(`op ${JSON.stringify(entry["op"])} is not supported`);
	if (index >= BigInt(argumentCount)) throw new Error(`index ${index} is not one of an argument`);
	const value = wordOf(entry["value"] ?? 0, "value");
	return { index: Number(index), operator, value, masked: wordOf(entry["valueTwo"] ?? 0, "valueTwo") };
}

/** An unsigned 64-bit number; those that JavaScript cannot represent exactly in JSON are rejected. */
function wordOf(value: unknown, field: string): bigint {
	if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0)
		throw new Error(`${field} ${JSON.stringify(value)} is no number from 0 to ${Number.MAX_SAFE_INTEGER}`);
	return BigInt(value);
}

/** Docker's conditions: everything in `includes` must hold, and nothing in `excludes`. */
function applies(entry: Record<string, unknown>, { capabilities, architecture, kernel }: ProfileConditions): boolean {
	const test = (field: string, wanted: boolean): boolean => {
		const value = entry[field];
		if (value === undefined || value === null) return true;
		const filter = objectOf(value, field);
		const arches = namesOf(filter["arches"], "arches");
		if (arches.length > 0 && arches.includes(architecture) !== wanted) return false;
		const caps = namesOf(filter["caps"], "caps");
		const isGranted = (name: string) => capabilities.has(name);
		if (caps.length > 0 && (wanted ? !caps.every(isGranted) : caps.some(isGranted))) return false;
		const { minKernel } = filter;
		return typeof minKernel !== "string" || isAtLeast(kernel, minKernel) === wanted;
	};
	return test("includes", true) && test("excludes", false);
}

function isAtLeast(kernel: string, least: string): boolean {
	const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part, 10));
	const [leastMajor = 0, leastMinor = 0] = least.split(".").map((part) => Number.parseInt(part, 10));
	return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function objectOf(value: unknown, field: string): Record<string, unknown> {
	if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${field} is no object`);
	return { ...value };
}

function listOf(value: unknown, field: string): unknown[] {
	if (value === undefined || value === null) return [];
	if (!Array.isArray(value)) throw new Error(`${field} is no list`);
	return value;
}

function namesOf(value: unknown, field: string): string[] {
	return listOf(value, field).map((name) => {
		if (typeof name !== "string") throw new Error(`${field} is no list of names`);
		return name;
	});
}
