/** Which resources are served under which groups and versions, in the order in which clients are to prefer them. */
import { createHash } from "node:crypto";
import { compareVersions } from "../../kinds/custom/versions.ts";
import type { Kind, ServedVersion } from "../../kinds/engine/kind.ts";
import { type Subresource, subresourcesOf, type VirtualResource, verbsOf } from "./resources.ts";

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
	/** Sorted by name. */
	resources: readonly ServedResource[];
}

export interface ServedGroup {
	/** Empty for the core group. */
	name: string;
	/** The preferred one first. */
	versions: readonly ServedGroupVersion[];
}

/** Upstream's order of the groups, which decides which of two resources with one name `kubectl get` means. */
const groupOrder = [
	"",
	"apiregistration.k8s.io",
	"apps",
	"events.k8s.io",
	"authentication.k8s.io",
	"authorization.k8s.io",
	"autoscaling",
	"batch",
	"certificates.k8s.io",
	"networking.k8s.io",
	"policy",
	"rbac.authorization.k8s.io",
	"storage.k8s.io",
	"admissionregistration.k8s.io",
	"apiextensions.k8s.io",
	"scheduling.k8s.io",
	"coordination.k8s.io",
	"node.k8s.io",
	"discovery.k8s.io",
	"resource.k8s.io",
	"flowcontrol.apiserver.k8s.io",
	"internal.apiserver.k8s.io",
	"storagemigration.k8s.io",
];

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

	const sorted = [...groups].map(([name, versions]) => ({
		name,
		current: [...versions.values()].some((collected) => collected.current),
		versions: [...versions]
			.sort(([a, one], [b, other]) => Number(other.current) - Number(one.current) || compareVersions(b, a))
			.map(([version, { resources }]) => ({
				version,
				resources: resources.sort((a, b) => (a.plural < b.plural ? -1 : 1)),
			})),
	}));
	return sorted
		.sort((a, b) => Number(b.current) - Number(a.current) || rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1))
		.map(({ name, versions }) => ({ name, versions }));
}

function rank(group: string): number {
	const index = groupOrder.indexOf(group);
	return index < 0 ? groupOrder.length : index;
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
