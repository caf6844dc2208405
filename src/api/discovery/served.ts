/** Which resources are served under which groups and versions, in the order in which clients are to prefer them. */
import { createHash } from "node:crypto";
import { groupPriority, versionPriority } from "../../kinds/apiregistration/priorities.ts";
import { compareVersions } from "../../kinds/custom/versions.ts";
import type { Kind, ServedVersion } from "../../kinds/engine/kind.ts";
import { type Subresource, subresourcesOf, type VirtualResource, verbsOf } from "./announced-resources.ts";

export interface ServedResource {
	plural: string;
	singular: string;
	kind: string;
	namespaced: boolean;
	verbs: readonly string[];
	shortNames: readonly string[];
	categories: readonly string[];
	subresources: readonly Subresource[];
	/** A deletion is answered with the object instead of a Status. */
	returnsDeleted?: true | undefined;
	/** Equal for all versions of a kind; absent for what is not stored. */
	storageVersionHash?: string;
}

export interface ServedGroupVersion {
	version: string;
	/** Versions come in the order of their priorities, the highest first. */
	priority: number;
	/** Sorted by name. */
	resources: readonly ServedResource[];
}

export interface ServedGroup {
	/** Empty for the core group. */
	name: string;
	/** Groups come in the order of their priorities, the highest first, and then by name. */
	priority: number;
	/** The preferred one first. */
	versions: readonly ServedGroupVersion[];
}

interface Collected {
	resources: ServedResource[];
	/** Some resource is served here in its own or a parallel current version. */
	current: boolean;
}

/** Everything that is served, preferred groups first; groups with nothing but deprecated versions come last. */
export function servedGroups(kinds: readonly Kind[], virtual: readonly VirtualResource[]): ServedGroup[] {
	const groups = new Map<string, Map<string, Collected>>();
	const add = (group: string, version: string, resource: ServedResource, current: boolean) => {
		const versions = groups.get(group) ?? new Map<string, Collected>();
		groups.set(group, versions);
		const collected = versions.get(version) ?? { resources: [], current: false };
		versions.set(version, collected);
		collected.resources.push(resource);
		if (current) collected.current = true;
	};
	for (const kind of kinds) {
		add(kind.group, kind.version, storedResource(kind), true);
		for (const served of kind.servedAs ?? []) {
			const resource = served.as === undefined ? storedResource(kind, served) : storedResource(served.as);
			add(served.group, served.version, resource, served.as !== undefined || served.deprecation === undefined);
		}
	}
	for (const resource of virtual)
		add(
			resource.group,
			resource.version,
			{ ...resource, shortNames: resource.shortNames ?? [], categories: [], subresources: [] },
			true,
		);

	return [...groups].map(([name, versions]) => servedGroup(name, versions)).sort(byPriority);
}

function servedGroup(name: string, versions: ReadonlyMap<string, Collected>): ServedGroup {
	const isCurrent = [...versions.values()].some(({ current }) => current);
	return {
		name,
		priority: groupPriority(name, isCurrent),
		versions: [...versions]
			.map(([version, { resources }]) => ({
				version,
				priority: versionPriority(name, version),
				resources: resources.sort((a, b) => (a.plural < b.plural ? -1 : 1)),
			}))
			.sort(byVersionPriority),
	};
}

interface Prioritized {
	priority: number;
}

/** The order of groups. */
export function byPriority(a: Prioritized & { name: string }, b: Prioritized & { name: string }): number {
	return b.priority - a.priority || (a.name < b.name ? -1 : 1);
}

/** The order of versions within a group. */
export function byVersionPriority(a: Prioritized & { version: string }, b: Prioritized & { version: string }): number {
	return b.priority - a.priority || compareVersions(b.version, a.version);
}

/**
 * A deprecated version has neither short names nor categories: `kubectl get all` would list its objects a second time,
 * and short names would be ambiguous.
 */
function storedResource(kind: Kind, served?: ServedVersion): ServedResource {
	const deprecated = served?.deprecation !== undefined;
	return {
		plural: kind.plural,
		singular: kind.singular,
		kind: kind.kind,
		namespaced: kind.namespaced,
		verbs: verbsOf(kind),
		shortNames: deprecated ? [] : kind.shortNames,
		categories: deprecated ? [] : kind.categories,
		subresources: served === undefined || served.group === kind.group || deprecated ? subresourcesOf(kind) : [],
		returnsDeleted: kind.returnsDeleted,
		storageVersionHash: storageVersionHash(kind),
	};
}

function storageVersionHash({ group, version, kind, custom }: Kind): string {
	return createHash("sha256")
		.update(`${group}/${custom?.storageVersion ?? version}/${kind}`)
		.digest()
		.subarray(0, 8)
		.toString("base64");
}
