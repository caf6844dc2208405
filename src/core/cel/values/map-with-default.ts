import { CelMap } from "./cel-map.ts";

/** A map in which every key has a value: one that it lacks has the default. Only what it has is `in` it. */
export class MapWithDefault extends CelMap {
	private readonly fallback: unknown;

	constructor(entries: Iterable<readonly [key: string, value: unknown]>, fallback: unknown) {
		super();
		this.fallback = fallback;
		for (const [key, value] of entries) this.set(key, value);
	}

	override get(key: unknown): unknown {
		return super.get(key) ?? this.fallback;
	}
}
