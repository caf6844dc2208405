/**
 * Finds kinds by the names in requests. The API uses this interface, so that custom resources can be added at run time.
 */
import { type Kind, type KindNames, qualifiedResource, type ServedVersion } from "./kind.ts";

/** A kind, and the request's version if it is not the stored one. */
export interface Lookup {
	kind: Kind;
	served?: ServedVersion;
}

/** The current kinds, and their changes. */
export interface KindSource {
	/** In the order of discovery; a new array after each change. */
	all(): readonly Kind[];
	/**
	 * Notifies when kinds are added or removed; a replaced kind is removed and added.
	 * @returns a function that unsubscribes
	 */
	onChange(listener: (change: KindsChange) => void): () => void;
}

export interface KindsChange {
	added: readonly Kind[];
	removed: readonly Kind[];
}

export interface Registry extends KindSource {
	/** By the parts of a request path: `apps`, `v1`, `deployments`. */
	resource(group: string, version: string, plural: string): Lookup | undefined;
	/** By an object's apiVersion and kind: `apps/v1`, `Deployment`. */
	kind(apiVersion: string, kind: string): Lookup | undefined;
	/** By group and kind in any version, for owner references and scale targets. */
	groupKind(group: string, kind: string): Kind | undefined;
}

/** A registry to which custom resources are added, and from which they are removed. */
export interface MutableRegistry extends Registry {
	/** Adds kinds, or replaces those with the same group and plural. */
	add(...kinds: readonly Kind[]): void;
	remove(names: Pick<KindNames, "group" | "plural">): void;
}

export function createRegistry(kinds: readonly Kind[]): MutableRegistry {
	let list: readonly Kind[] = [];
	const listeners = new Set<(change: KindsChange) => void>();
	const byName = new Map<string, Kind>();
	const byResource = new Map<string, Lookup>();
	const byKind = new Map<string, Lookup>();
	const byGroupKind = new Map<string, Kind>();

	function index(kind: Kind): void {
		byName.set(qualifiedResource(kind), kind);
		for (const served of [undefined, ...(kind.servedAs ?? [])]) {
			const { group, version } = served ?? kind;
			const lookup: Lookup = served === undefined ? { kind } : served.as ? { kind: served.as } : { kind, served };
			byResource.set(`${group}/${version}/${kind.plural}`, lookup);
			byKind.set(`${group === "" ? version : `${group}/${version}`}/${kind.kind}`, lookup);
			byGroupKind.set(`${group}/${kind.kind}`, kind);
		}
	}

	/** Removes what has these names. */
	function replace(names: readonly Pick<KindNames, "group" | "plural">[], added: readonly Kind[]): void {
		const removed = names.flatMap((one) => byName.get(qualifiedResource(one)) ?? []);
		if (removed.length === 0) {
			list = [...list, ...added];
			for (const kind of added) index(kind);
		} else {
			list = [...list.filter((kind) => !removed.includes(kind)), ...added];
			for (const lookups of [byName, byResource, byKind, byGroupKind]) lookups.clear();
			for (const kind of list) index(kind);
		}
		if (added.length > 0 || removed.length > 0) for (const listener of [...listeners]) listener({ added, removed });
	}

	replace([], kinds);
	return {
		all: () => list,
		onChange(listener) {
			listeners.add(listener);
			return () => listeners.delete(listener);
		},
		resource: (group, version, plural) => byResource.get(`${group}/${version}/${plural}`),
		kind: (apiVersion, kind) => byKind.get(`${apiVersion}/${kind}`),
		groupKind: (group, kind) => byGroupKind.get(`${group}/${kind}`),
		add: (...kinds) => replace(kinds, kinds),
		remove: (names) => replace([names], []),
	};
}

/**
 * Calls `begin` for each existing and each new kind.
 * @param begin returns a function that is called when the kind is removed, or at the end
 * @returns a function that ends all
 */
export function forEachKind(kinds: KindSource, begin: (kind: Kind) => (() => void) | undefined): () => void {
	const ends = new Map<Kind, () => void>();
	const change = ({ added, removed }: KindsChange) => {
		for (const kind of removed) {
			ends.get(kind)?.();
			ends.delete(kind);
		}
		for (const kind of added) {
			const end = begin(kind);
			if (end !== undefined) ends.set(kind, end);
		}
	};
	change({ added: kinds.all(), removed: [] });
	const stop = kinds.onChange(change);
	return () => {
		stop();
		for (const end of ends.values()) end();
		ends.clear();
	};
}

/** A value computed from all kinds: computed on demand, and again after kinds were added or removed. */
export function ofAllKinds<T>(kinds: Pick<KindSource, "all">, make: (all: readonly Kind[]) => T): () => T {
	let made: { from: readonly Kind[]; value: T } | undefined;
	return () => {
		const all = kinds.all();
		if (made?.from !== all) made = { from: all, value: make(all) };
		return made.value;
	};
}
