/** A read-only copy of objects in the store, kept up to date by watches. It lags behind by a known revision. */
import type { KubeObject } from "../core/object.ts";
import type { Kind } from "../kinds/engine/kind.ts";

/** The part of an informer cache for one kind. Objects are frozen. */
export interface Informer<T extends KubeObject> {
	readonly kind: Kind<T>;
	get(namespace: string | undefined, name: string): T | undefined;
	/** Of a namespace, or all. In no particular order. */
	list(namespace?: string): Iterable<T>;
	/** Objects with an owner reference (any, or the controller's) to `uid`. */
	ownedBy(uid: string): Iterable<T>;
	controlledBy(uid: string): Iterable<T>;
	/** Objects under a named index (`addIndex`). */
	byIndex(index: string, value: string): Iterable<T>;
	addIndex(index: string, values: (object: T) => readonly string[]): void;
	/** Every change up to this revision has been processed. */
	readonly revision: number;
	readonly synced: boolean;
	/** Resolves when `revision` has been reached. */
	reached(revision: number, signal?: AbortSignal): Promise<void>;
	/**
	 * Existing objects are reported as new ones first. `old` is undefined for a new object, `current` for a deleted one.
	 */
	/** @returns a function that unsubscribes */
	onChange(listener: (current: T | undefined, old: T | undefined) => void): () => void;
}

/** The part of a kind that an informer holds: an agent watches only the pods of its node. */
export interface InformerSelection {
	namespace?: string;
	fieldSelector?: string;
	labelSelector?: string;
}

export interface InformerCache {
	/** Starts to watch the kind on first use. The same kind and selection give the same Informer. */
	of<T extends KubeObject>(kind: Kind<T>, selection?: InformerSelection): Informer<T>;
	/** Stops watching a kind that is no longer served. */
	forget(kind: Kind): void;
	/** Resolves when every kind requested so far has been listed. */
	synced(signal?: AbortSignal): Promise<void>;
	close(): void;
}
