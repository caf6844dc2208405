import {
	getCheckingSuite,
	getConformanceSuite,
	type IncrementalTest,
	type IncrementalTestSuite,
} from "@bufbuild/cel-spec/testdata/tests.js";
import { expect, test } from "vitest";
import { dynType, Environment, type Type, typeText } from "./cel.ts";
import { check } from "./check/checker.ts";
import { functionTable } from "./library/function.ts";
import { standardFunctions, standardTypes } from "./library/standard.ts";
import { issuesText, SyntaxIssue } from "./parse/issue.ts";
import { parse } from "./parse/parser.ts";
import { leftOut } from "./testing/left-out.ts";
import { typeFrom, valueFrom } from "./testing/spec-values.ts";
import { typeNameOf } from "./values/kind.ts";
import { equal } from "./values/value.ts";

function* testsOf(suite: IncrementalTestSuite, path: string): Generator<[string, IncrementalTest]> {
	for (const one of suite.tests) yield [`${path}/${one.name}`, one];
	for (const inner of suite.suites) yield* testsOf(inner, `${path}/${inner.name}`);
}

const leftOutNames = new Set(Object.values(leftOut).flat());

function isLeftOut(path: string): boolean {
	const parts = path.split("/");
	return leftOutNames.has(path) || parts.some((_, index) => leftOutNames.has(`${parts.slice(0, index).join("/")}/*`));
}

/** Messages of protocol buffers; the suite names their types in these ways. */
const messages = /TestAllTypes|google\.protobuf\.(?!Timestamp|Duration)|NullValue/;

type Verdict = "passed" | "of messages" | string;

/** What became of a test: a text says how it failed. */
function verdictOf({ original }: IncrementalTest): Verdict {
	if (messages.test(original.expr)) return "of messages";
	const variables: Record<string, Type> = {};
	const values: Record<string, unknown> = {};
	for (const { name, declKind } of original.typeEnv) {
		const type = declKind.case === "ident" ? typeFrom(declKind.value.type) : undefined;
		if (type === undefined) return "of messages";
		variables[name] = type;
	}
	for (const [name, { kind }] of Object.entries(original.bindings)) {
		values[name] = kind.case === "value" ? valueFrom(kind.value) : undefined;
		if (values[name] === undefined) return "of messages";
		variables[name] ??= dynType;
	}
	const matcher = original.resultMatcher;
	const fails = matcher.case === "evalError" || matcher.case === "anyEvalErrors";
	const wanted = wantedOf(original);
	if (!fails && wanted === undefined) return "of messages";
	const compiled = new Environment({ variables, escapedNames: true }).compile(original.expr);
	if ("refusal" in compiled) return fails ? "passed" : `refused: ${compiled.refusal.text}`;
	if (wanted?.type !== undefined && wanted.type !== typeText(compiled.program.type))
		return `has the type ${typeText(compiled.program.type)}, not ${wanted.type}`;
	if (original.checkOnly) return "passed";
	const outcome = compiled.program.evaluate(values);
	if (outcome.error !== undefined) return fails ? "passed" : `failed: ${outcome.error}`;
	if (fails) return "did not fail";
	return isSame(wanted?.value, outcome.value) ? "passed" : `is ${String(outcome.value)}, not ${String(wanted?.value)}`;
}

function wantedOf({ resultMatcher: matcher, checkOnly }: IncrementalTest["original"]) {
	switch (matcher.case) {
		case "value":
			return found(valueFrom(matcher.value), undefined);
		case "typedResult": {
			const type = typeFrom(matcher.value.deducedType);
			const value = matcher.value.result === undefined ? checkOnly || undefined : valueFrom(matcher.value.result);
			return type && found(value, typeText(type));
		}
		default:
			return { value: true, type: undefined };
	}
}

function found(value: unknown, type: string | undefined) {
	return value === undefined ? undefined : { value, type };
}

function isSame(wanted: unknown, value: unknown): boolean {
	if (typeof wanted === "number" && Number.isNaN(wanted)) return Number.isNaN(value);
	return equal(wanted, value) && typeNameOf(wanted) === typeNameOf(value);
}

test("every published conformance test that Kubernetes can express passes", () => {
	const failures: string[] = [];
	let passed = 0;
	for (const [path, one] of testsOf(getConformanceSuite(), "")) {
		const name = path.slice(1);
		if (isLeftOut(name)) continue;
		const verdict = verdictOf(one);
		if (verdict === "passed") passed++;
		else if (verdict !== "of messages") failures.push(`${name}: ${one.original.expr} ${verdict}`);
	}
	expect(failures).toEqual([]);
	// So that no change of the reader above leaves out more than it says.
	expect(passed).toBe(1315);
});

test("a test is left out of conformance for a reason that it still has", () => {
	const paths = [...testsOf(getConformanceSuite(), "")].map(([path]) => path.slice(1));
	const gone = [...leftOutNames].filter(
		(name) => !paths.some((path) => path === name || (name.endsWith("/*") && path.startsWith(name.slice(0, -1)))),
	);
	expect(gone).toEqual([]);
});

/** What cel-go's own tests of its checker use and this test does not have, or Kubernetes enables and they do not. */
const otherEnvironment = /unsupported syntax|\(in container '(?!'\))|applied to '\((u?int|double), (u?int|double)\)'/;

test("types and messages are those of cel-go's checker", () => {
	const functions = functionTable(standardFunctions);
	const declarations = { variables: new Map(), typeNames: standardTypes, objectType: () => undefined, functions };
	const differences: string[] = [];
	let compared = 0;
	for (const [, { original, error, type }] of testsOf(getCheckingSuite(), "")) {
		const wanted = error?.replaceAll("ERROR: :", "ERROR: <input>:") ?? type;
		const given = checkedText(original.expr, declarations);
		// Their variables are not published: tests that use one are left out.
		const undeclared = given.match(/^ERROR.*undeclared reference.*$/gm) ?? [];
		if (otherEnvironment.test(wanted ?? "") || undeclared.some((line) => !wanted?.includes(line))) continue;
		compared++;
		if (given !== wanted) differences.push(`${original.expr}\n${given}\ninstead of\n${wanted}`);
	}
	expect(differences).toEqual([]);
	expect(compared).toBe(50);
});

function checkedText(expression: string, declarations: Parameters<typeof check>[1]): string {
	try {
		const root = parse(expression, { escapedNames: false, namedValues: false });
		const { issues, checked } = check(root, declarations);
		return issues.length > 0 ? issuesText(expression, issues) : typeText(checked.typeOf(root));
	} catch (error) {
		if (error instanceof SyntaxIssue) return issuesText(expression, [error.issue]);
		throw error;
	}
}
