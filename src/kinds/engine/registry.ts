/** Finds kinds by what requests name. The API takes one of these, so that custom resources can join at run time. */
import type { Kind, KindNames, ServedVersion } from "./kind.ts";

/** A kind, and the version in which the request speaks of it when that is not the stored one. */
export interface Lookup {
	kind: Kind;
	served?: ServedVersion;
}

export interface Registry {
	/** In the order in which discovery lists them. */
	all(): readonly Kind[];
	/** By the parts of a request path: `apps`, `v1`, `deployments`. */
	resource(group: string, version: string, plural: string): Lookup | undefined;
	/** By what an object says of itself: `apps/v1`, `Deployment`. */
	kind(apiVersion: string, kind: string): Lookup | undefined;
	/** By group and kind in whatever version, as owner references and scale targets are followed. */
	groupKind(group: string, kind: string): Kind | undefined;
}

/** A registry that custom resources join and leave. */
export interface MutableRegistry extends Registry {
	/** Adds the kind, or replaces the one with the same group and plural. */
	add(kind: Kind): void;
	remove(names: Pick<KindNames, "group" | "plural">): void;
}

export function createRegistry(kinds: readonly Kind[]): MutableRegistry {
	let list: readonly Kind[] = [];
	const byResource = new Map<string, Lookup>();
	const byKind = new Map<string, Lookup>();
	const byGroupKind = new Map<string, Kind>();

	function index(kind: Kind): void {
		for (const served of [undefined, ...(kind.servedAs ?? [])]) {
			const { group, version } = served ?? kind;
			const lookup: Lookup = served === undefined ? { kind } : { kind, served };
			byResource.set(`${group}/${version}/${kind.plural}`, lookup);
			byKind.set(`${group === "" ? version : `${group}/${version}`}/${kind.kind}`, lookup);
			byGroupKind.set(`${group}/${kind.kind}`, kind);
		}
	}

	function replace(next: readonly Kind[]): void {
		list = next;
		byResource.clear();
		byKind.clear();
		byGroupKind.clear();
		for (const kind of list) index(kind);
	}

	const others = (names: Pick<KindNames, "group" | "plural">) =>
		list.filter((kind) => kind.group !== names.group || kind.plural !== names.plural);

	replace([...kinds]);
	return {
		all: () => list,
		resource: (group, version, plural) => byResource.get(`${group}/${version}/${plural}`),
		kind: (apiVersion, kind) => byKind.get(`${apiVersion}/${kind}`),
		groupKind: (group, kind) => byGroupKind.get(`${group}/${kind}`),
		add: (kind) => replace([...others(kind), kind]),
		remove: (names) => replace(others(names)),
	};
}
