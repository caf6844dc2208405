/** A read-only copy of what the store holds, kept up to date by watches. It lags; its shells know by how much. */
import type { KubeObject } from "../core/object.ts";
import type { Kind } from "../kinds/engine/kind.ts";

/** One kind's part of an informer cache. Objects are frozen. */
export interface Informer<T extends KubeObject> {
	readonly kind: Kind<T>;
	get(namespace: string | undefined, name: string): T | undefined;
	/** By namespace, or all. In no particular order. */
	list(namespace?: string): Iterable<T>;
	/** Objects with an owner reference (any, or the managing one) to `uid`. */
	ownedBy(uid: string): Iterable<T>;
	controlledBy(uid: string): Iterable<T>;
	/** Objects under a named index (`addIndex`). */
	byIndex(index: string, value: string): Iterable<T>;
	addIndex(index: string, values: (object: T) => readonly string[]): void;
	/** Every change up to this revision has been seen. */
	readonly revision: number;
	readonly synced: boolean;
	/** Resolves when `revision` has been reached. */
	reached(revision: number, signal?: AbortSignal): Promise<void>;
	/** `old` is undefined for a new object, `current` for a deleted one. Existing objects are replayed as new ones. */
	/** @returns ends the telling */
	onChange(listener: (current: T | undefined, old: T | undefined) => void): () => void;
}

/**
 * Which part of a kind an informer cache holds, where not all of it is wanted: an agent watches only the pods of its
 * node.
 */
export interface InformerSelection {
	namespace?: string;
	fieldSelector?: string;
	labelSelector?: string;
}

export interface InformerCache {
	/** Starts to watch the kind on first use. The same kind and selection give the same Informer. */
	of<T extends KubeObject>(kind: Kind<T>, selection?: InformerSelection): Informer<T>;
	/** Watches a kind no longer that is served no longer. */
	forget(kind: Kind): void;
	/** Resolves when every kind asked for so far has been listed. */
	synced(signal?: AbortSignal): Promise<void>;
	close(): void;
}
