import { expect, test } from "vitest";
import {
	boolType,
	doubleType,
	dynType,
	Environment,
	escapeName,
	Failure,
	intType,
	jsonOf,
	listType,
	MadeObject,
	mapType,
	objectType,
	type Program,
	stringType,
	type Type,
	timestampType,
	typeText,
	unescapeName,
} from "./cel.ts";

function fields(types: Readonly<Record<string, Type>>): Type {
	return objectType("object", {
		field: (name) => {
			const key = unescapeName(name);
			const type = key === undefined || !Object.hasOwn(types, key) ? undefined : types[key];
			return key !== undefined && type !== undefined ? { key, type } : undefined;
		},
	});
}

const port = fields({ name: stringType, port: intType });
const spec = fields({
	replicas: intType,
	weight: doubleType,
	weights: listType(doubleType),
	name: stringType,
	namespace: stringType,
	"created-at": timestampType,
	ports: listType(port),
	labels: mapType(stringType, stringType),
	constructor: stringType,
	any: dynType,
});
const environment = new Environment({ variables: { self: fields({ spec }), oldSelf: fields({ spec }), any: dynType } });

function compiled(expression: string, within = environment): Program {
	const result = within.compile(expression);
	if ("refusal" in result) throw new Error(result.refusal.text);
	return result.program;
}

function refusal(expression: string): string {
	const result = environment.compile(expression);
	return "refusal" in result ? result.refusal.text : "";
}

const self = {
	spec: {
		replicas: 3,
		weight: 2,
		weights: [1, 2.5],
		name: "web-1",
		namespace: "shop",
		"created-at": "2024-01-15T14:30:45.000000001+01:00",
		ports: [
			{ name: "http", port: 80 },
			{ name: "dns", port: 53 },
		],
		labels: { app: "web" },
		any: { count: 1, ratio: 1.5, big: 9007199254740992 },
	},
};

function evaluated(expression: string, variables: Record<string, unknown> = { self }): unknown {
	const outcome = compiled(expression).evaluate(variables);
	return outcome.error === undefined ? outcome.value : `error: ${outcome.error}`;
}

test.each([
	["self.spec.replicas > 2 && self.spec.name.startsWith('web')", true],
	["self.spec.ports.all(p, p.port > 0) && self.spec.ports.exists_one(p, p.name == 'dns')", true],
	["self.spec.ports.map(p, p.port < 60, p.name)", ["dns"]],
	["self.spec.ports.filter(p, p.port == 80)", [{ name: "http", port: 80 }]],
	["self.spec.labels.exists(k, v, k == 'app' && v == 'web')", true],
	["self.spec.labels.transformMap(k, v, v + '!')", { app: "web!" }],
	["self.spec.__namespace__", "shop"],
	["has(self.spec.labels) && !has(self.spec.constructor)", true],
	["self.?spec.?constructor.orValue('none')", "none"],
	["self.spec.labels[?'nope'].hasValue()", false],
	["self.spec.weight * 2.0 == 4.0 && self.spec.weights[0] == 1.0", true],
	["type(self.spec.any.count) == int && type(self.spec.any.ratio) == double", true],
	["self.spec.any.big + 1 == 9007199254740993", true],
	["self.spec.created__dash__at.getHours() == 13", true],
	["string(self.spec.created__dash__at)", "2024-01-15T14:30:45.000000001+01:00"],
	["self.spec.created__dash__at - timestamp('2024-01-15T13:30:45Z') == duration('1ns')", true],
	["self.spec.replicas in [1, 3] ? 'yes' : 'no'", "yes"],
	["r'\\d' + '''a\nb''' + '\\u00e9\\x41'", "\\da\nbéA"],
	["self == self", true],
])("%s", (expression, expected) => {
	expect(evaluated(expression)).toEqual(expected);
});

test.each([
	["self.spec.labels.nope == 'x'", "no such key: nope"],
	["self.spec.ports[3].port > 0", "index out of bounds: 3"],
	["self.spec.replicas / 0 > 1", "division by zero"],
	["self.spec.any.count + 'a' == 'b'", "no such overload"],
	["9223372036854775807 + self.spec.replicas > 0", "integer overflow"],
	["self.spec.constructor == 'x'", "no such key: constructor"],
	["self.spec.labels['app'].matches(self.spec.name + '(')", "error parsing regexp: missing closing ): `web-1(`"],
])("%s fails with %s", (expression, message) => {
	expect(evaluated(expression)).toBe(`error: ${message}`);
});

test("what decides a logical operator decides it whatever fails beside it", () => {
	expect(evaluated("self.spec.labels.nope == 'x' || true")).toBe(true);
	expect(evaluated("self.spec.labels.nope == 'x' && false")).toBe(false);
	expect(evaluated("[1, 0].exists(x, 1 / x == 1)")).toBe(true);
	expect(evaluated("[0, 2].all(x, 4 / x > 3)")).toBe(false);
	expect(evaluated("[0, 2].all(x, 4 / x > 1)")).toBe("error: division by zero");
});

test("a refusal names every mistake and points to it", () => {
	expect(refusal("self.spec.nope > 1\n&& self.spec.replicas > 'a' && foo")).toBe(
		[
			"ERROR: <input>:1:10: undefined field 'nope'",
			" | self.spec.nope > 1",
			" | .........^",
			"ERROR: <input>:2:23: found no matching overload for '_>_' applied to '(int, string)'",
			" | && self.spec.replicas > 'a' && foo",
			" | ......................^",
			"ERROR: <input>:2:32: undeclared reference to 'foo' (in container '')",
			" | && self.spec.replicas > 'a' && foo",
			" | ...............................^",
		].join("\n"),
	);
});

test.each([
	["self.spec.name + 1", "1:16: found no matching overload for '_+_' applied to '(string, int)'"],
	["self.spec.name.nope()", "1:20: undeclared reference to 'nope' (in container '')"],
	["self.spec.name.size", "1:15: type 'string' does not support field selection"],
	["self.spec.replicas.all(x, true)", "1:10: expression of type 'int' cannot be range of a comprehension"],
	["self.spec.replicas && true", "1:10: expected type 'bool' but found 'int'"],
	["[1, 'a']", "1:5: expected type 'int' but found 'string'"],
	["duration('1x')", "1:10: invalid duration argument"],
	["timestamp('2024-13-01T00:00:00Z')", "1:11: invalid timestamp argument"],
	["self.spec.name.matches('(')", "1:24: invalid matches argument"],
	["self.spec.replicas >", "1:21: Syntax error: mismatched input '<EOF>' expecting {"],
	["'abc", "1:1: Syntax error: token recognition error at: ''abc'"],
	["cel.bind(x, 1, x)", "1:1: undeclared reference to 'cel' (in container '')"],
	["self.spec.`name`", "1:11: unsupported syntax: '`'"],
	["has(self)", "1:5: invalid argument to has() macro"],
	["while", "1:1: reserved identifier: while"],
])("%s is refused: %s", (expression, message) => {
	expect(refusal(expression)).toContain(`ERROR: <input>:${message}`);
});

test("the type of a result is known before an evaluation where types are declared", () => {
	const types = (expression: string) => typeText(compiled(expression).type);
	expect(types("self.spec.ports.map(p, p.port)")).toBe("list(int)");
	expect(types("self.spec.any.x")).toBe("dyn");
	expect(types("self.?spec.name")).toBe("optional_type(string)");
	expect(types("{'a': optional.of([b'x'])}")).toBe("map(string, optional_type(list(bytes)))");
});

test("a variable may be computed when it is read, and fail then", () => {
	const within = new Environment({ variables: { ready: boolType, broken: boolType } });
	let reads = 0;
	const variables = {
		get ready() {
			reads++;
			return true;
		},
		get broken() {
			throw new Failure("composited variable fails");
		},
	};
	expect(compiled("ready || broken", within).evaluate(variables)).toMatchObject({ value: true });
	expect(reads).toBe(1);
	expect(compiled("broken && ready", within).evaluate(variables)).toMatchObject({ error: "composited variable fails" });
});

test("objects of declared types may be made", () => {
	const anyObject: Type = objectType("Object.spec", { field: (key) => ({ key, type: dynType }) });
	const within = new Environment({
		variables: { any: dynType },
		objectType: (name) => (name === "Object.spec" ? anyObject : undefined),
	});
	const { value } = compiled("Object.spec{replicas: 3, ?name: any.?name}", within).evaluate({ any: {} }) as {
		value: unknown;
	};
	expect(value).toBeInstanceOf(MadeObject);
	expect(value).toMatchObject({ typeName: "Object.spec", fields: { replicas: 3 } });
	const refused = within.compile("Object.status{}");
	expect("refusal" in refused && refused.refusal.text).toContain("undeclared reference to 'Object.status'");
});

test("results become JSON where they are part of an object", () => {
	const json = (expression: string) => jsonOf(evaluated(expression));
	expect(json("[dyn(2.0), dyn(3u), dyn(b'x'), dyn(duration('90s')), dyn(null), dyn({'a': [1.0]})]")).toEqual([
		2,
		3,
		"eA==",
		"90s",
		null,
		{ a: [1] },
	]);
	expect(json("self.spec.ports")).toBe(self.spec.ports);
	expect(() => json("optional.none()")).toThrow(Failure);
});

test("an evaluation ends when it costs more than it may", () => {
	const numbers = Array.from({ length: 200 }, (_, index) => index);
	const program = compiled("any.all(a, any.all(b, any.all(c, a + b + c >= 0)))");
	expect(program.evaluate({ any: numbers })).toMatchObject({
		error: "operation cancelled: actual cost limit exceeded",
		limitExceeded: true,
	});
	expect(compiled("any.size() == 200").evaluate({ any: numbers }, { costLimit: 1 })).toMatchObject({
		limitExceeded: true,
	});
});

test("names of properties are escaped as Kubernetes has it", () => {
	expect(escapeName("namespace")).toBe("__namespace__");
	expect(escapeName("a__b.c-d/e")).toBe("a__underscores__b__dot__c__dash__d__slash__e");
	expect(escapeName("9a")).toBeUndefined();
	expect(escapeName("a$")).toBeUndefined();
	expect(unescapeName("a__underscores__b__dot__c__dash__d__slash__e")).toBe("a__b.c-d/e");
	expect(unescapeName("__namespace__")).toBe("namespace");
	expect(unescapeName("a__nope__b")).toBeUndefined();
});
