/** The watchers of a resource, indexed by what they watch: events cost nothing for those that they do not concern. */
import type { KubeObject } from "../../core/object.ts";
import type { CacheEvent } from "./event.ts";

export interface Watcher<T extends KubeObject = KubeObject> {
	/** Where it is indexed. A watcher of a field value only receives changes of objects that have, or had, the value. */
	scope: WatchScope;
	/** A change that may concern it; it applies its selector itself. */
	change(event: CacheEvent<T>): void;
	/** All changes up to the revision have been delivered. */
	progress(revision: number): void;
	end(error?: Error): void;
}

export type WatchScope =
	| { by: "all" }
	/** Objects under a key prefix: a namespace. */
	| { by: "namespace"; namespace: string }
	| { by: "key"; key: string }
	/** Objects with one value of a field, such as pods of one node. */
	| { by: "field"; path: string; fieldValue: (object: KubeObject) => string; value: string };

interface FieldIndex {
	fieldValue: (object: KubeObject) => string;
	byValue: Map<string, Set<Watcher>>;
}

export class Watchers {
	readonly #everywhere = new Set<Watcher>();
	readonly #byNamespace = new Map<string, Set<Watcher>>();
	readonly #byKey = new Map<string, Set<Watcher>>();
	readonly #byField = new Map<string, FieldIndex>();

	add(watcher: Watcher, signal: AbortSignal): void {
		const { scope } = watcher;
		switch (scope.by) {
			case "all":
				this.#everywhere.add(watcher);
				signal.addEventListener("abort", () => this.#everywhere.delete(watcher), { once: true });
				return;
			case "namespace":
				addTo(this.#byNamespace, scope.namespace, watcher, signal);
				return;
			case "key":
				addTo(this.#byKey, scope.key, watcher, signal);
				return;
			case "field": {
				let index = this.#byField.get(scope.path);
				if (index === undefined) {
					index = { fieldValue: scope.fieldValue, byValue: new Map() };
					this.#byField.set(scope.path, index);
				}
				addTo(index.byValue, scope.value, watcher, signal);
			}
		}
	}

	deliver(event: CacheEvent): void {
		// Do not parse an encoded object without watchers.
		if (this.#everywhere.size + this.#byNamespace.size + this.#byKey.size + this.#byField.size === 0) return;
		const object = event.current?.object ?? event.previous?.object;
		if (object === undefined) return;
		tell(this.#everywhere, event);
		if (this.#byNamespace.size > 0) tell(this.#byNamespace.get(object.metadata.namespace ?? ""), event);
		if (this.#byKey.size > 0) tell(this.#byKey.get(event.key), event);
		for (const { fieldValue, byValue } of this.#byField.values()) {
			if (byValue.size === 0) continue;
			const now = event.current && fieldValue(event.current.object);
			const before = event.previous && fieldValue(event.previous.object);
			if (now !== undefined) tell(byValue.get(now), event);
			if (before !== undefined && before !== now) tell(byValue.get(before), event);
		}
	}

	*all(): Iterable<Watcher> {
		yield* this.#everywhere;
		for (const set of this.#byNamespace.values()) yield* set;
		for (const set of this.#byKey.values()) yield* set;
		for (const { byValue } of this.#byField.values()) for (const set of byValue.values()) yield* set;
	}
}

function tell(watchers: Set<Watcher> | undefined, event: CacheEvent): void {
	if (watchers === undefined) return;
	for (const watcher of watchers) watcher.change(event);
}

function addTo(map: Map<string, Set<Watcher>>, value: string, watcher: Watcher, signal: AbortSignal): void {
	const set = map.get(value) ?? new Set();
	map.set(value, set);
	set.add(watcher);
	signal.addEventListener(
		"abort",
		() => {
			set.delete(watcher);
			if (set.size === 0 && map.get(value) === set) map.delete(value);
		},
		{ once: true },
	);
}
