/** Which part of an old object a part of the new one was: what has not changed is not refused on an update. */

import { sameJson } from "../../../core/equal.ts";
import { isRecord } from "../../../core/object.ts";
import type { SchemaNode } from "./schema-node.ts";

/** Represents an old value that does not exist or cannot be identified. */
export const uncorrelated: unique symbol = Symbol("uncorrelated");

export function oldField(old: unknown, key: string): unknown {
	if (!isRecord(old) || !Object.hasOwn(old, key)) return uncorrelated;
	const value = old[key];
	return value === undefined ? uncorrelated : value;
}

/** The old items of a list by the keys that identify them; undefined for lists whose items have no identity. */
export function oldItems(list: SchemaNode, old: unknown): ((item: unknown) => unknown) | undefined {
	const keys = list.schema["x-kubernetes-list-map-keys"] ?? [];
	if (list.schema["x-kubernetes-list-type"] !== "map" || keys.length === 0) return undefined;
	if (!Array.isArray(old) || old.length === 0) return undefined;
	let byKey: Map<string, unknown> | undefined;
	return (item) => {
		if (byKey === undefined) {
			byKey = new Map();
			for (const one of old) {
				const key = keyOf(one, keys);
				if (key !== undefined && !byKey.has(key)) byKey.set(key, one);
			}
		}
		const key = keyOf(item, keys);
		return key !== undefined && byKey.has(key) ? byKey.get(key) : uncorrelated;
	};
}

function keyOf(item: unknown, keys: readonly string[]): string | undefined {
	if (!isRecord(item)) return undefined;
	const values: unknown[] = [];
	for (const key of keys) {
		const value = Object.hasOwn(item, key) ? item[key] : undefined;
		if (value === undefined || value === null || typeof value === "object") return undefined;
		values.push(value);
	}
	return JSON.stringify(values);
}

/**
 * Whether nothing has changed, as upstream compares: items of keyed lists may have changed places, and an object with
 * fields that no schema has is never the same.
 */
export function isUnchanged(node: SchemaNode, value: unknown, old: unknown): boolean {
	if (Array.isArray(value)) {
		if (!Array.isArray(old) || old.length !== value.length) return false;
		const before = oldItems(node, old);
		const { items } = node;
		if (before === undefined || items === undefined) return sameJson(value, old);
		return value.every((item) => {
			const was = before(item);
			return was !== uncorrelated && isUnchanged(items, item, was);
		});
	}
	if (!isRecord(value)) return value === old;
	if (!isRecord(old)) return false;
	let fieldCount = 0;
	for (const key in value) {
		const content = value[key];
		if (content === undefined) continue;
		fieldCount++;
		const child = node.field(key) ?? node.values;
		const was = oldField(old, key);
		if (child === undefined || was === uncorrelated || !isUnchanged(child, content, was)) return false;
	}
	for (const key in old) if (old[key] !== undefined) fieldCount--;
	return fieldCount === 0;
}
