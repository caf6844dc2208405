import { expect, test } from "vitest";
import { dynType, Environment, jsonOf } from "./cel.ts";

const environment = new Environment({ variables: { any: dynType } });

function refusal(expression: string): string {
	const result = environment.compile(expression);
	return "refusal" in result ? result.refusal.text : "compiled";
}

function outcome(expression: string, any: unknown) {
	const result = environment.compile(expression);
	if ("refusal" in result) throw new Error(result.refusal.text);
	return result.program.evaluate({ any });
}

const tooDeep = "ERROR: <input>:-1:0: expression recursion limit exceeded: 250";

test.each([
	["parentheses", `${"(".repeat(10_000)}1${")".repeat(10_000)}`],
	["lists", `${"[".repeat(10_000)}1${"]".repeat(10_000)}`],
	["maps", `${"{1:".repeat(10_000)}1${"}".repeat(10_000)}`],
	["calls", `${"size(".repeat(10_000)}1${")".repeat(10_000)}`],
	["conditionals", `${"true ? 1 : ".repeat(5000)}1`],
	["sums", `${"1 + ".repeat(10_000)}1`],
	["comparisons", `${"1 < ".repeat(10_000)}1`],
	["fields", `any${".a".repeat(10_000)}`],
	["indexes", `any${"[0]".repeat(10_000)}`],
	["chains of calls", `any${".size()".repeat(10_000)}`],
])("%s that nest too deep are refused", (_, expression) => {
	expect(refusal(expression)).toBe(tooDeep);
});

test("what nests as deep as it may is evaluated", () => {
	expect(outcome(`${"(".repeat(200)}any${")".repeat(200)}`, 5)).toMatchObject({ value: 5 });
	expect(outcome(`${"[".repeat(200)}any${"]".repeat(200)}`, 5).error).toBeUndefined();
	expect(outcome(`${"1 + ".repeat(240)}any`, 1)).toMatchObject({ value: 241 });
	expect(outcome(`${"any || ".repeat(10_000)}any`, false)).toMatchObject({ value: false });
	expect(outcome(`${"!".repeat(50_001)}any`, false)).toMatchObject({ value: true });
});

test("an expression of a megabyte is refused by its length", () => {
	expect(refusal(`'${"x".repeat(1_000_000)}'`)).toBe(
		"ERROR: <input>:-1:0: expression code point size exceeds limit: size: 1000002, limit 100000",
	);
});

test.each(["'unclosed", '"""', "'\\", "`", "\u0000", "'\\ud800'", "{", "[?", "a.", "1.e", "0x", "..", "@", "\ud83d"])(
	"%j is refused",
	(expression) => {
		expect(refusal(expression)).toMatch(/^ERROR: <input>:1:\d+: /);
	},
);

test("a pattern of exponential time for others takes linear time", () => {
	expect(outcome("any.matches('^(a+)+$')", `${"a".repeat(50_000)}!`)).toMatchObject({ value: false });
	expect(outcome("any.all(a, !a.matches('(?:abc){1000}'))", new Array(500).fill("x".repeat(2000)))).toMatchObject(
		exceeded,
	);
	expect(outcome("'a'.matches(any)", "[a-z]".repeat(100_000))).toMatchObject(exceeded);
	expect(refusal("any.matches('(a)\\\\1')")).toContain("invalid matches argument");
	expect(refusal("any.matches('(?=a)')")).toContain("invalid matches argument");
	expect(refusal("any.matches('a{1001}')")).toContain("invalid matches argument");
});

const exceeded = { error: "operation cancelled: actual cost limit exceeded", limitExceeded: true };

test.each([
	["nested loops", "any.all(a, any.all(b, any.all(c, a + b + c >= 0)))"],
	["loops in which each step fails", "any.all(a, any.all(b, any.all(c, c.x == 1 || true)))"],
	["lists of lists", "any.map(a, any.map(b, any.map(c, c)))"],
	["maps", "any.transformMap(a, v, any.transformMap(b, w, any.transformMap(c, x, c)))"],
	["ranges", "lists.range(1000000000)"],
	["sorting", "any.map(a, any.sortBy(b, -b))"],
	["flattening", "[any, any].flatten(1000000)"],
	["patterns", "any.map(n, string(any.map(m, 'x')).matches('(x*)*y'))"],
])("%s end when they cost too much", (_, expression) => {
	const numbers = Array.from({ length: 1000 }, (_, index) => index);
	const replaced = expression.replace("string(any.map(m, 'x'))", "any.map(m, 'x').join()");
	expect(outcome(replaced, numbers)).toMatchObject(exceeded);
});

test("texts of megabytes are worked on, and not made longer without end", () => {
	const text = "x".repeat(3_000_000);
	expect(outcome("any.size() == 3000000 && any.contains('y') == false", text)).toMatchObject({ value: true });
	expect(outcome("any.replace('', any)", text)).toMatchObject(exceeded);
	expect(outcome("any + any + any + any", text)).toMatchObject(exceeded);
	expect(outcome("'%s%s%s%s'.format([any, any, any, any])", text)).toMatchObject(exceeded);
	expect(outcome("[any, any, any, any].join()", text)).toMatchObject(exceeded);
	const doubled = Array.from({ length: 100 }, () => ".optMap(v, v + v)").join("");
	expect(outcome(`optional.of(any)${doubled}.hasValue()`, "x")).toMatchObject(exceeded);
	expect(outcome(`optional.of(any)${doubled}.hasValue()`, [1])).toMatchObject(exceeded);
	expect(outcome("any.trim().upperAscii().size()", `${" ".repeat(1_000_000)}x${" ".repeat(1_000_000)}`)).toMatchObject({
		value: 1,
	});
});

test("lists within lists are neither compared nor copied without end", () => {
	const long = Array.from({ length: 200_000 }, (_, index) => index);
	const any = { many: Array.from({ length: 1000 }, (_, index) => index), pair: [long, [...long]] };
	expect(outcome("any.many.all(n, [any.pair[0]] == [any.pair[1]])", any)).toMatchObject(exceeded);
	expect(outcome("any.many.all(n, any.pair.flatten().size() > n)", any)).toMatchObject(exceeded);
	expect(outcome("any.many.map(n, any.pair[0] + any.pair[1]).size() > 0", any)).toMatchObject(exceeded);
	expect(outcome("any.many.all(n, '%s'.format([any.pair]) != '')", any)).toMatchObject(exceeded);
	expect(outcome("any.pair == any.pair && any.pair[0] == any.pair[1]", any)).toMatchObject({ value: true });
	let nested: unknown = 1;
	for (let depth = 0; depth < 100_000; depth++) nested = [nested];
	expect(outcome("any.a == any.b", { a: [nested], b: [[nested]] })).toMatchObject(exceeded);
});

test("fields that every JavaScript object has are no fields", () => {
	const any = JSON.parse('{"__proto__": {"polluted": true}, "a": {}}');
	expect(outcome("has(any.constructor) || has(any.a.toString) || 'valueOf' in any", any)).toMatchObject({
		value: false,
	});
	expect(outcome("any.a.hasOwnProperty", any)).toMatchObject({ error: "no such key: hasOwnProperty" });
	expect(outcome("any['__proto__'].polluted && {'__proto__': {'x': 1}}.size() == 1", any)).toMatchObject({
		value: true,
	});
	expect(outcome("{'__proto__': {'x': 1}}.?x.hasValue()", any)).toMatchObject({ value: false });
	expect(outcome("any.?length.hasValue()", [1])).toMatchObject({ value: false });
});

test("integers beyond 64 bits are errors, never doubles", () => {
	expect(outcome("any * any", 9007199254740991)).toMatchObject({ error: "integer overflow" });
	expect(outcome("-9223372036854775808 - any", 1)).toMatchObject({ error: "integer overflow" });
	expect(outcome("any + 1 == 9007199254740992 && any + 2 == 9007199254740993", 9007199254740991)).toMatchObject({
		value: true,
	});
	expect(outcome("int(any)", "9223372036854775808")).toMatchObject({
		error: "type conversion error from 'string' to 'int'",
	});
	expect(outcome("uint(any)", -1)).toMatchObject({ error: "unsigned integer overflow" });
	expect(outcome("int(any)", "1".repeat(1_000_000)).error).toBe("type conversion error from 'string' to 'int'");
});

test("what is made once and stands in itself many times is not visited without end", () => {
	const nested = (first: string, next: (inner: string) => string) => {
		let expression = first;
		for (let depth = 0; depth < 40; depth++) expression = `[${expression}].map(v${depth}, ${next(`v${depth}`)})[0]`;
		return expression;
	};
	const lists = nested("['a']", (inner) => `[${inner}, ${inner}, ${inner}]`);
	const maps = nested("{'a': 'b'}", (inner) => `{'a': ${inner}, 'b': ${inner}, 'c': ${inner}}`);
	const numbered = nested("{1: 'b'}", (inner) => `{1: ${inner}, 2: ${inner}, 3: ${inner}}`);
	const expressions = [
		`${lists} == ${lists}`,
		`dyn(${numbered}) == dyn(${numbered})`,
		`'%s'.format([${maps}])`,
		`[${lists}].map(list, list.indexOf(list[0]))`,
	];
	for (const expression of expressions) expect(outcome(expression, null), expression).toMatchObject(exceeded);
	for (const value of [lists, maps])
		expect(() => jsonOf(outcome(value, null).value), value).toThrow("the value is too large for an object");
});
