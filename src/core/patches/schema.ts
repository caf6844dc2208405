/**
 * What a patch must know of the types it changes. `kinds/schema.ts` provides it; any source of the same shape will do.
 */

export interface FieldSchema {
	/** A scalar (`string`, `int32`, `quantity`, …), `any`, or the name of a type. */
	type: string;
	of?: "array" | "map" | "arrayMap";
	/** Items of the list, or values of the map, where `type` does not say all of them: they are lists or maps, too. */
	items?: FieldSchema;
	/** Key by which a strategic merge patch matches items of a list. */
	mergeKey?: string;
	/** `merge`, `replace`, `retainKeys`, or several joined by commas. */
	patchStrategy?: string;
	/** How server-side apply sees a list; absent: atomic. */
	listType?: "atomic" | "set" | "map";
	listMapKeys?: readonly string[];
	/** `atomic`: the map, or else the object of this type (in a list: each item), is one value to server-side apply. */
	mapType?: "atomic" | "granular";
	/** Always there, even if without content. */
	required?: boolean;
	/** The value that an absent one represents: a list key's default, or `{}` for an object that always exists. */
	default?: unknown;
}

export interface Schemas {
	/** The fields of a type; undefined for a scalar or for a type without a schema. */
	type(name: string): Readonly<Record<string, FieldSchema>> | undefined;
}

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field of the object itself: what every object inherits must never be read or written by a patch. */
export function own(object: JsonObject, key: string): unknown {
	return Object.hasOwn(object, key) ? object[key] : undefined;
}
