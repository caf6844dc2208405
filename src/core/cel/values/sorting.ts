import { compare } from "./compare.ts";
import { fail } from "./failure.ts";
import { typeNameOf } from "./kind.ts";

const comparable: ReadonlySet<string> = new Set([
	"int",
	"uint",
	"double",
	"bool",
	"string",
	"bytes",
	"google.protobuf.Duration",
	"google.protobuf.Timestamp",
]);

/** The items in the order of their keys. @throws Failure for keys of several types, or of one without an order */
export function sortByKeys(items: readonly unknown[], keys: readonly unknown[]): unknown[] {
	if (items.length === 0) return [];
	const type = typeNameOf(keys[0]);
	if (!comparable.has(type)) fail("list elements must be comparable");
	if (keys.some((key) => typeNameOf(key) !== type)) fail("list elements must have the same type");
	return items
		.map((item, index) => ({ item, key: keys[index] }))
		.sort((a, b) => compare(a.key, b.key))
		.map(({ item }) => item);
}
