import { newListCost, newMapCost, newObjectCost } from "../cost/factors.ts";
import type { ListLiteral, MapLiteral, ObjectLiteral } from "../parse/syntax.ts";
import { MapBuilder } from "../values/cel-map.ts";
import { fail, noSuchOverload } from "../values/failure.ts";
import { isInt, typeNameOf } from "../values/kind.ts";
import { MadeObject, Optional, Uint } from "../values/value.ts";
import type { Builder } from "./builder.ts";
import { charge, type Evaluate } from "./frame.ts";

/** Lists, maps and objects that an expression makes. */

export function buildList(builder: Builder, node: ListLiteral): Evaluate {
	const items = node.items.map((item) => ({ evaluate: builder.build(item.value), optional: item.optional }));
	return (frame) => {
		const list: unknown[] = [];
		for (const { evaluate, optional } of items) {
			const value = evaluate(frame);
			if (!optional) list.push(value);
			else if (optionalValue(value) !== undefined) list.push(optionalValue(value));
		}
		charge(frame, newListCost);
		return list;
	};
}

/** What an optional item holds. @throws Failure when it is not optional */
function optionalValue(value: unknown): unknown {
	return value instanceof Optional
		? value.value
		: fail(`cannot initialize optional list element from non-optional value ${typeNameOf(value)}`);
}

export function buildMap(builder: Builder, node: MapLiteral): Evaluate {
	const entries = node.entries.map((entry) => ({
		key: builder.build(entry.key),
		value: builder.build(entry.value),
		optional: entry.optional,
	}));
	return (frame) => {
		const map = new MapBuilder();
		for (const entry of entries) {
			const key = entry.key(frame);
			if (!isKey(key)) fail(`unsupported key type: ${typeNameOf(key)}`);
			const value = entry.value(frame);
			const held = entry.optional ? optionalValue(value) : value;
			if (held !== undefined && !map.add(key, held)) fail(`Failed with repeated key`);
		}
		charge(frame, newMapCost);
		return map.build();
	};
}

function isKey(key: unknown): boolean {
	return typeof key === "string" || typeof key === "boolean" || isInt(key) || key instanceof Uint;
}

export function buildObject(builder: Builder, node: ObjectLiteral): Evaluate {
	const typeName = node.name.replace(/^\./, "");
	const fields = node.fields.map((field) => ({
		name: field.name,
		evaluate: builder.build(field.value),
		optional: field.optional,
	}));
	return (frame) => {
		const made: Record<string, unknown> = Object.create(null);
		for (const { name, evaluate, optional } of fields) {
			const value = evaluate(frame);
			if (!optional) made[name] = value;
			else if (!(value instanceof Optional)) noSuchOverload();
			else if (value.value !== undefined) made[name] = value.value;
		}
		charge(frame, newObjectCost);
		return new MadeObject(typeName, made);
	};
}
