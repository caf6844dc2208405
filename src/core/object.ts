/** Object metadata and references, as every Kubernetes object carries them (API conventions, "Metadata"). */

export interface OwnerReference {
	apiVersion: string;
	kind: string;
	name: string;
	uid: string;
	/** True for the one owner that manages the object. */
	controller?: boolean;
	/** The owner, when deleted in the foreground, waits for this object. */
	blockOwnerDeletion?: boolean;
}

export interface ManagedFieldsEntry {
	manager?: string;
	operation?: string;
	apiVersion?: string;
	time?: string;
	fieldsType?: string;
	fieldsV1?: unknown;
	subresource?: string;
}

/** Metadata of a stored object: the server has filled in everything that is not optional. */
export interface ObjectMeta {
	name: string;
	generateName?: string;
	namespace?: string;
	uid: string;
	/** Opaque to clients; the store's revision in decimal. */
	resourceVersion: string;
	generation?: number;
	/** RFC 3339, whole seconds. */
	creationTimestamp: string;
	deletionTimestamp?: string;
	deletionGracePeriodSeconds?: number;
	labels?: Record<string, string>;
	annotations?: Record<string, string>;
	ownerReferences?: OwnerReference[];
	finalizers?: string[];
	managedFields?: readonly ManagedFieldsEntry[];
	selfLink?: string;
}

/** What all kinds have in common. Objects that leave the API server are deeply frozen. */
export interface KubeObject {
	apiVersion: string;
	kind: string;
	metadata: ObjectMeta;
}

/** An object on its way to be created: the server fills in the rest of its metadata, and its apiVersion and kind. */
export type Draft<T extends KubeObject> = Omit<T, "apiVersion" | "kind" | "metadata"> & {
	apiVersion?: string;
	kind?: string;
	metadata: Partial<ObjectMeta>;
};

/** The reference of the owner that manages the object, if it has one. */
export function controllerOf(object: { metadata: Partial<ObjectMeta> }): OwnerReference | undefined {
	return object.metadata.ownerReferences?.find((reference) => reference.controller === true);
}

/** An owner reference by which `owner` manages an object (controller and blockOwnerDeletion set). */
export function controllerReference(owner: KubeObject): OwnerReference {
	return {
		apiVersion: owner.apiVersion,
		kind: owner.kind,
		name: owner.metadata.name,
		uid: owner.metadata.uid,
		controller: true,
		blockOwnerDeletion: true,
	};
}

/**
 * `namespace/name`, or `name` for an object without a namespace: how informer caches and queues name objects of one
 * kind.
 */
export function objectKey(object: { metadata: { namespace?: string; name?: string } }): string {
	const { namespace, name = "" } = object.metadata;
	return namespace === undefined || namespace === "" ? name : `${namespace}/${name}`;
}

/** The parts of a key that `objectKey` made; `namespace` is undefined for an object without one. */
export function parseKey(key: string): { namespace: string | undefined; name: string } {
	const cut = key.indexOf("/");
	return cut < 0 ? { namespace: undefined, name: key } : { namespace: key.slice(0, cut), name: key.slice(cut + 1) };
}

/** The parts of `apps/v1`; of `v1`, whose group is the empty one. */
export function parseApiVersion(apiVersion: string): { group: string; version: string } {
	const cut = apiVersion.indexOf("/");
	return { group: apiVersion.slice(0, Math.max(cut, 0)), version: apiVersion.slice(cut + 1) };
}

/** Freezes a value made of plain objects and arrays, all the way down. Stops at what is already frozen. */
export function deepFreeze<T>(value: T): T {
	if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
	Object.freeze(value);
	// Without a list of the values: every stored object passes here.
	for (const key in value) {
		const part = value[key];
		if (typeof part === "object" && part !== null) deepFreeze(part);
	}
	return value;
}

/** A value that may be changed: a deep copy of plain objects and arrays (several times faster than structuredClone). */
export function deepCopy<T>(value: T): T {
	if (typeof value !== "object" || value === null) return value;
	// The copy has the shape of what it copies: arrays and plain objects only, as JSON has them.
	if (Array.isArray(value)) return value.map(deepCopy) as T;
	const copy: Record<string, unknown> = {};
	for (const key in value) setField(copy, key, deepCopy(value[key]));
	return copy as T;
}

/**
 * A copy of an object that may be changed. Its managedFields may only be replaced: objects share them, and a copy would
 * be the largest part of most objects.
 */
export function copyObject<T extends object>(object: T): T {
	const copy: Record<string, unknown> = {};
	for (const key in object) setField(copy, key, key === "metadata" ? copyMetadata(object[key]) : deepCopy(object[key]));
	// The copy has the shape of what it copies.
	return copy as T;
}

function copyMetadata(metadata: unknown): unknown {
	if (!isRecord(metadata)) return deepCopy(metadata);
	const copy: Record<string, unknown> = {};
	for (const key in metadata) {
		const value = metadata[key];
		setField(copy, key, key === "managedFields" && Object.isFrozen(value) ? value : deepCopy(value));
	}
	return copy;
}

/**
 * A table in which text of clients is looked up: it has only its own entries, whereas every object literal also
 * has `constructor` and other things that it inherits.
 */
export function lookup<T>(entries: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
	return Object.freeze(Object.assign(Object.create(null) as Record<string, T>, entries));
}

/** Sets a field of a plain object, whatever a client called it: `__proto__` is a field like any other, too. */
export function setField(object: Record<string, unknown>, key: string, value: unknown): void {
	if (key === "__proto__")
		Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
	else object[key] = value;
}

/** Whether it is an object with fields: arrays and null are none. */
export function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}
