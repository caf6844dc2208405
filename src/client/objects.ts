/** The objects of one kind with their indexes: the data of an Informer. */
import { controllerOf, type KubeObject, objectKey } from "../core/object.ts";

type ValuesOf<T> = (object: T) => readonly string[];

interface Index<T> {
	values: ValuesOf<T>;
	/** Value → object key → object. Empty buckets are removed. */
	buckets: Map<string, Map<string, T>>;
}

const empty: ReadonlyMap<string, never> = new Map<string, never>();
const none: readonly string[] = [];

export class Objects<T extends KubeObject> {
	readonly #objects = new Map<string, T>();
	readonly #indexes = new Map<string, Index<T>>();
	readonly #owners: Index<T> = { values: ownerUids, buckets: new Map() };
	readonly #namespaces: Index<T> = { values: (object) => one(object.metadata.namespace), buckets: new Map() };
	/** All indexes. */
	#all: readonly Index<T>[] = [this.#owners, this.#namespaces];

	get size(): number {
		return this.#objects.size;
	}

	get(key: string): T | undefined {
		return this.#objects.get(key);
	}

	keys(): Iterable<string> {
		return this.#objects.keys();
	}

	list(namespace?: string): Iterable<T> {
		return namespace === undefined ? this.#objects.values() : bucket(this.#namespaces, namespace);
	}

	ownedBy(uid: string): Iterable<T> {
		return bucket(this.#owners, uid);
	}

	*controlledBy(uid: string): Iterable<T> {
		for (const object of bucket(this.#owners, uid)) if (controllerOf(object)?.uid === uid) yield object;
	}

	/** @throws if there is no index with that name: a controller must declare it in its watch rule */
	byIndex(name: string, value: string): Iterable<T> {
		const index = this.#indexes.get(name);
		if (index === undefined) throw new Error(`no index ${name}`);
		return bucket(index, value);
	}

	/**
	 * Does nothing if there is an index with that name: shells that restart or share an informer cache add theirs again.
	 */
	addIndex(name: string, values: ValuesOf<T>): void {
		if (this.#indexes.has(name)) return;
		const index: Index<T> = { values, buckets: new Map() };
		this.#indexes.set(name, index);
		this.#all = [...this.#all, index];
		for (const [key, object] of this.#objects) reindex(index, key, undefined, object);
	}

	/** @returns the previous object */
	set(object: T): T | undefined {
		const key = objectKey(object);
		const old = this.#objects.get(key);
		this.#objects.set(key, object);
		for (const index of this.#all) reindex(index, key, old, object);
		return old;
	}

	/** @returns the previous object */
	delete(key: string): T | undefined {
		const old = this.#objects.get(key);
		if (old === undefined) return undefined;
		this.#objects.delete(key);
		for (const index of this.#all) reindex(index, key, old, undefined);
		return old;
	}
}

function bucket<T>(index: Index<T>, value: string): Iterable<T> {
	return (index.buckets.get(value) ?? empty).values();
}

function one(value: string | undefined): readonly string[] {
	return value === undefined ? none : [value];
}

function ownerUids(object: KubeObject): readonly string[] {
	const owners = object.metadata.ownerReferences;
	return owners === undefined ? none : owners.map((owner) => owner.uid);
}

function reindex<T>(index: Index<T>, key: string, old: T | undefined, current: T | undefined): void {
	const before = old === undefined ? none : index.values(old);
	const after = current === undefined ? none : index.values(current);
	for (const value of before) if (!after.includes(value)) drop(index.buckets, value, key);
	if (current === undefined) return;
	for (const value of after) {
		const objects = index.buckets.get(value);
		if (objects === undefined) index.buckets.set(value, new Map([[key, current]]));
		else objects.set(key, current);
	}
}

function drop<T>(buckets: Map<string, Map<string, T>>, value: string, key: string): void {
	const objects = buckets.get(value);
	objects?.delete(key);
	if (objects?.size === 0) buckets.delete(value);
}
