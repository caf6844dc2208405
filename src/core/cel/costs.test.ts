import { expect, test } from "vitest";
import {
	Authorizer,
	authorizerType,
	dynType,
	Environment,
	intType,
	listType,
	mapType,
	objectType,
	sizedType,
	stringType,
	type Type,
} from "./cel.ts";

const text = sizedType(stringType, 10);
const types: Readonly<Record<string, Type>> = {
	name: text,
	count: intType,
	list: listType(text, 5),
	numbers: listType(intType, 100),
	map: mapType(text, intType, 20),
	set: listType(intType, 10, { kind: "set" }),
	entries: listType(dynType, 10, { kind: "map", keys: ["key"] }),
};
const selfType = objectType("object", {
	field: (name) => {
		const type = Object.hasOwn(types, name) ? types[name] : undefined;
		return type && { key: name, type };
	},
});
const environment = new Environment({ variables: { self: selfType, authorizer: authorizerType } });
const self = {
	name: "web-1-abcdef",
	count: 3,
	list: ["a", "b", "c"],
	numbers: [1, 2, 3, 4, 5],
	map: { a: 1, b: 2 },
	set: [1, 2, 3],
	entries: [
		{ key: "a", value: 1 },
		{ key: "b", value: 2 },
	],
};

function compiled(expression: string) {
	const result = environment.compile(expression);
	if ("refusal" in result) throw new Error(result.refusal.text);
	return result.program;
}

// Names and fields cost 1 each; comparing costs a tenth of the shorter size; what is constant is free.
test.each([
	["self.count == 3", 3],
	["has(self.count)", 1],
	["self.name == 'web-1-abcdef'", 4],
	["self.name.startsWith('web')", 3],
	["self.name.contains('abcdefghijkl')", 6],
	["self.name.matches('^[a-z]*$')", 6],
	["self.name in ['a', 'b']", 2],
	["2 in self.numbers", 7],
	["[1, 2, 3].size() == 3", 2],
	["[self.count].size() == 1", 14],
	["{'a': self.count}.size() == 1", 34],
	["self.numbers.all(n, n > 0)", 28],
	["self.numbers.exists(n, n > 3)", 30],
	["self.numbers.exists_one(n, n == 3)", 16],
	["self.numbers.filter(n, n > 4).size() == 1", 28],
	["self.numbers.map(n, n * 2).size() == 5", 75],
	["self.map.all(k, v, v > 0)", 13],
	["self.map.transformMap(k, v, v + 1).size() == 2", 15],
	["self.numbers[self.count] == 4", 5],
	["self.count > 2 ? self.count : self.numbers[0]", 4],
	["self.count > 5 || self.count > 2", 6],
	["self.count > 2 || self.count > 5", 3],
	["optional.none().orValue(self.count)", 3],
	["self.?count.orValue(0)", 2],
	["duration('1h') > duration('1m')", 1],
	["lists.range(10)", 21],
	["[3, 1, 2].sort()", 29],
	["sets.contains(self.numbers, [1])", 8],
	["self.list.isSorted()", 2],
	["'a,b,c'.split(',')", 1],
	["authorizer.path('/healthz').check('get').allowed()", 350003],
])("%s costs %d", (expression, cost) => {
	const authorizer = new Authorizer(() => ({ allowed: true, reason: "" }));
	expect(compiled(expression).evaluate({ self, authorizer })).toMatchObject({ cost, error: undefined });
});

test.each([
	["self.count == 3", 2, 2],
	["self.name == 'web-1-abcdef'", 3, 3],
	["self.name.matches('^[a-z]*$')", 4, 6],
	["self.list.all(s, s.startsWith('abc'))", 3, 28],
	["self.numbers.all(a, self.numbers.all(b, a + b > 0))", 3, 70603],
	["self.numbers.map(n, n * 2)", 13, 1413],
	["self.map.exists(k, self.map[k] > 0)", 3, 183],
	["self.list[0] == 'abc'", 4, 4],
	["self.list.join(',').size() > 3", 4, 10],
	["self.numbers.size() > 2 && self.list.size() > 1", 4, 8],
	["has(self.count) ? self.count : 5", 1, 3],
])("%s is estimated to cost from %d to %d", (expression, min, max) => {
	expect(compiled(expression).estimatedCost()).toEqual({ min, max });
});

test("what a schema does not bound makes an estimate as large as it can be", () => {
	const unbounded = new Environment({ variables: { self: listType(stringType) } }).compile(
		"self.all(s, s.matches('a*'))",
	);
	expect("program" in unbounded && unbounded.program.estimatedCost().max).toBe(2 ** 64);
});

test("what an expression computes has the size of self, as upstream takes it", () => {
	const ofText = new Environment({ variables: { self: sizedType(stringType, 510) } });
	for (const expression of ["self.split('/')[0].matches('^[a-z0-9]*$')", "self.split('/').all(s, s.matches('a*'))"]) {
		const result = ofText.compile(expression);
		expect("program" in result && result.program.estimatedCost().max).toBeLessThan(100_000);
	}
});

test("the order of a list that is declared a set or a map does not count", () => {
	const value = (expression: string) => compiled(expression).evaluate({ self });
	expect(value("self.set == [3, 2, 1]")).toMatchObject({ value: true });
	expect(value("self.set + [3, 4] == [4, 3, 2, 1]")).toMatchObject({ value: true });
	expect(value("self.numbers == [5, 4, 3, 2, 1]")).toMatchObject({ value: false });
	const changed = { ...self, set: [3, 1, 2], entries: self.entries.toReversed() };
	const pair = new Environment({ variables: { a: selfType, b: selfType } }).compile("a == b && b == a && [a] == [b]");
	if (!("program" in pair)) throw new Error(pair.refusal.text);
	expect(pair.program.evaluate({ a: self, b: changed })).toMatchObject({ value: true });
	expect(pair.program.evaluate({ a: self, b: { ...self, numbers: [5, 4, 3, 2, 1] } })).toMatchObject({ value: false });
	expect(value("self.entries == [self.entries[1], self.entries[0]]")).toMatchObject({ value: true });
	expect(value("(self.entries + [{'key': 'a', 'value': 'c'}])[0].value == 'c'")).toMatchObject({ value: true });
});
