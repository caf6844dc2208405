import { fail } from "./failure.ts";
import { CelValue, equal, isPlainMap, numeric, type PlainMap, sizeOfMap } from "./value.ts";
import { countWork } from "./work.ts";

/** A map with keys that JSON lacks: ints, uints and booleans. Numbers that are equal are one key. */
export class CelMap extends CelValue {
	readonly typeName = "map";
	private readonly entries = new Map<CanonicalKey, [unknown, unknown]>();

	get size(): number {
		return this.entries.size;
	}
	get(key: unknown): unknown {
		const canonical = canonicalKey(key);
		return canonical === undefined ? undefined : this.entries.get(canonical)?.[1];
	}
	has(key: unknown): boolean {
		const text = canonicalKey(key);
		return text !== undefined && this.entries.has(text);
	}
	set(key: unknown, value: unknown): void {
		const canonical = canonicalKey(key);
		if (canonical === undefined) fail("unsupported key type");
		this.entries.set(canonical, [key, value]);
	}
	keys(): unknown[] {
		return Array.from(this.entries.values(), ([key]) => key);
	}
	equals(other: unknown): boolean {
		if (!(other instanceof CelMap) && !isPlainMap(other)) return false;
		if (this.size !== mapSize(other)) return false;
		countWork(this.size * workPerEntry);
		for (const [canonical, [key, value]] of this.entries) {
			const theirs = other instanceof CelMap ? other.entries.get(canonical)?.[1] : mapGet(other, key);
			if (theirs === undefined || !equal(value, theirs)) return false;
		}
		return true;
	}
}

/** Of comparing an entry, in items of lists that are compared. */
const workPerEntry = 4;

type CanonicalKey = string | boolean | number | bigint;

/** One value for equal keys, as a `Map` compares them; undefined for what no map has as a key. */
function canonicalKey(key: unknown): CanonicalKey | undefined {
	if (typeof key === "string" || typeof key === "boolean") return key;
	const number = numeric(key);
	if (number === undefined || Number.isSafeInteger(number)) return number;
	if (typeof number === "number") return Number.isInteger(number) ? BigInt(number) : undefined;
	const exact = Number(number);
	return Number.isSafeInteger(exact) ? exact : number;
}

export type AnyMap = PlainMap | CelMap;

/** The value of a key; undefined when there is none. */
export function mapGet(map: AnyMap, key: unknown): unknown {
	if (map instanceof CelMap) return map.get(key);
	return typeof key === "string" && Object.hasOwn(map, key) ? map[key] : undefined;
}

export function mapHas(map: AnyMap, key: unknown): boolean {
	return map instanceof CelMap ? map.has(key) : mapGet(map, key) !== undefined;
}

export function mapKeys(map: AnyMap): unknown[] {
	if (map instanceof CelMap) return map.keys();
	const keys = Object.keys(map);
	// A field that is undefined is none.
	for (const key of keys) if (map[key] === undefined) return keys.filter((name) => map[name] !== undefined);
	return keys;
}

export function mapSize(map: AnyMap): number {
	return map instanceof CelMap ? map.size : sizeOfMap(map);
}

/** The value as a map; undefined when it is none. */
export function asMap(value: unknown): AnyMap | undefined {
	return value instanceof CelMap || isPlainMap(value) ? value : undefined;
}

/** Collects entries into the smallest form: a plain object while all keys are strings. */
export class MapBuilder {
	// Without a prototype: `__proto__` is a key like any other.
	private plain: Record<string, unknown> | undefined = Object.create(null);
	private map: CelMap | undefined;

	/** @returns whether the key is new; the entry is not replaced when it is not */
	add(key: unknown, value: unknown): boolean {
		if (this.plain !== undefined && typeof key === "string") {
			if (Object.hasOwn(this.plain, key)) return false;
			this.plain[key] = value;
			return true;
		}
		const map = this.asCelMap();
		if (map.get(key) !== undefined) return false;
		map.set(key, value);
		return true;
	}

	private asCelMap(): CelMap {
		if (this.map !== undefined) return this.map;
		this.map = new CelMap();
		for (const key of Object.keys(this.plain ?? {})) this.map.set(key, this.plain?.[key]);
		this.plain = undefined;
		return this.map;
	}

	build(): AnyMap {
		return this.map ?? this.plain ?? {};
	}
}
