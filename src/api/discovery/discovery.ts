/** What `kubectl api-resources` and every REST mapper ask first: groups, versions, resources, in two forms. */
import { type KindSource, ofAllKinds } from "../../kinds/engine/registry.ts";
import { type VirtualResource, virtualResources } from "./announced-resources.ts";
import {
	byPriority,
	byVersionPriority,
	type ServedGroup,
	type ServedGroupVersion,
	type ServedResource,
	servedGroups,
} from "./served.ts";

/** The kinds as they are served now. */
export type Kinds = Pick<KindSource, "all">;

/** Documents are frozen in meaning: built once for each set of kinds, the same object every time, not to be changed. */
export interface Discovery {
	/** `/api`: APIVersions. */
	api(): object;
	/** `/api/v1`: APIResourceList. */
	apiV1(): object;
	/** `/apis`: APIGroupList. */
	apis(): object;
	/** `/apis/{group}`: APIGroup. */
	group(name: string): object | undefined;
	/** `/apis/{group}/{version}`: APIResourceList. */
	groupVersion(group: string, version: string): object | undefined;
	/** `/api` as APIGroupDiscoveryList of apidiscovery.k8s.io, `v2` or `v2beta1`. */
	aggregatedApi(version?: AggregatedVersion): object;
	/** `/apis` as APIGroupDiscoveryList. */
	aggregatedApis(version?: AggregatedVersion): object;
}

export type AggregatedVersion = "v2" | "v2beta1";

/** A group version that an extension API server serves. */
export interface RemoteGroupVersion {
	readonly group: string;
	readonly version: string;
	readonly groupPriority: number;
	readonly versionPriority: number;
	/** In the aggregated form. */
	readonly resources: readonly object[];
	/** Stale: the server did not answer, so this is what is known of it. */
	readonly freshness: "Current" | "Stale";
}

/** The same list until something changes. */
export type RemoteGroupVersions = () => readonly RemoteGroupVersion[];

const noRemotes: readonly RemoteGroupVersion[] = [];

/** @param remotes take the place of what is served here under the same group and version */
export function discovery(
	kinds: Kinds,
	virtual: readonly VirtualResource[] = virtualResources,
	remotes: RemoteGroupVersions = () => noRemotes,
): Discovery {
	const local = ofAllKinds(kinds, (all) => servedGroups(all, virtual));
	let made: {
		from: unknown;
		remotes: unknown;
		groups: readonly ListedGroup[];
		documents: Map<string, object | undefined>;
	};
	const current = () => {
		const [from, others] = [local(), remotes()];
		if (made?.from !== from || made.remotes !== others)
			made = { from, remotes: others, groups: listedGroups(from, others), documents: new Map() };
		return made;
	};

	function document<T extends object | undefined>(name: string, build: (groups: readonly ListedGroup[]) => T): T {
		const { groups, documents } = current();
		if (!documents.has(name)) documents.set(name, build(groups));
		// A name always refers to the same `build`.
		return documents.get(name) as T;
	}
	const resources = (group: string, version: string) =>
		document(`${group}/${version}`, (all) => {
			const listed = all.find(({ name }) => name === group)?.versions.find((found) => found.version === version);
			return listed?.served && resourceList(group, listed.served);
		});

	return {
		api: () => document("api", () => apiVersions),
		apiV1: () => resources("", "v1") ?? resourceList("", { version: "v1", priority: 1, resources: [] }),
		apis: () =>
			document("apis", (all) => ({
				kind: "APIGroupList",
				apiVersion: "v1",
				groups: all.filter(({ name }) => name !== "").map(apiGroup),
			})),
		group: (name) =>
			document(`group ${name}`, (all) => {
				const found = all.find((group) => group.name === name && name !== "");
				return found && { kind: "APIGroup", apiVersion: "v1", ...apiGroup(found) };
			}),
		groupVersion: (group, version) => (group === "" ? undefined : resources(group, version)),
		aggregatedApi: (version = "v2") =>
			document(`aggregated api ${version}`, (all) =>
				aggregated(
					version,
					all.filter(({ name }) => name === ""),
				),
			),
		aggregatedApis: (version = "v2") =>
			document(`aggregated apis ${version}`, (all) =>
				aggregated(
					version,
					all.filter(({ name }) => name !== ""),
				),
			),
	};
}

const apiVersions = {
	kind: "APIVersions",
	versions: ["v1"],
	// The field is required, but current clients ignore it. No single address is valid for all clients, so it is empty.
	serverAddressByClientCIDRs: [],
};

interface ListedGroup {
	name: string;
	priority: number;
	versions: readonly ListedVersion[];
}

interface ListedVersion {
	version: string;
	priority: number;
	/** What is served here; undefined for a remote one. */
	served?: ServedGroupVersion;
	remote?: RemoteGroupVersion;
}

/** The priority of a group is the highest that is asked for one of its versions. */
function listedGroups(local: readonly ServedGroup[], remotes: readonly RemoteGroupVersion[]): readonly ListedGroup[] {
	const groups = new Map<string, { priority: number; versions: Map<string, ListedVersion> }>();
	for (const { name, priority, versions } of local) {
		const listed = versions.map((served): [string, ListedVersion] => [served.version, { ...served, served }]);
		groups.set(name, { priority, versions: new Map(listed) });
	}
	for (const remote of remotes) {
		const { group, version, groupPriority, versionPriority: priority } = remote;
		const found = groups.get(group) ?? { priority: 0, versions: new Map() };
		groups.set(group, { ...found, priority: Math.max(found.priority, groupPriority) });
		found.versions.set(version, { version, priority, remote });
	}
	return [...groups]
		.map(([name, { priority, versions }]) => ({
			name,
			priority,
			versions: [...versions.values()].sort(byVersionPriority),
		}))
		.sort(byPriority);
}

function apiGroup(group: ListedGroup): object {
	const versions = group.versions.map(({ version }) => ({ groupVersion: `${group.name}/${version}`, version }));
	return { name: group.name, versions, preferredVersion: versions[0] };
}

function resourceList(group: string, { version, resources }: ServedGroupVersion): object {
	return {
		kind: "APIResourceList",
		apiVersion: "v1",
		groupVersion: group === "" ? version : `${group}/${version}`,
		resources: resources.flatMap((resource) => [legacyResource(resource), ...legacySubresources(resource)]),
	};
}

function legacyResource(resource: ServedResource): object {
	return {
		name: resource.plural,
		singularName: resource.singular,
		namespaced: resource.namespaced,
		kind: resource.kind,
		verbs: resource.verbs,
		...(resource.shortNames.length > 0 && { shortNames: resource.shortNames }),
		...(resource.categories.length > 0 && { categories: resource.categories }),
		...(resource.storageVersionHash !== undefined && { storageVersionHash: resource.storageVersionHash }),
	};
}

function legacySubresources({ plural, namespaced, subresources }: ServedResource): object[] {
	return subresources.map(({ name, verbs, ...kind }) => ({
		name: `${plural}/${name}`,
		singularName: "",
		namespaced,
		...kind,
		verbs,
	}));
}

function aggregated(version: AggregatedVersion, groups: readonly ListedGroup[]): object {
	return {
		kind: "APIGroupDiscoveryList",
		apiVersion: `apidiscovery.k8s.io/${version}`,
		metadata: {},
		items: groups.map(({ name, versions }) => ({
			metadata: name === "" ? {} : { name },
			versions: versions.map(({ version: listed, served, remote }) => ({
				version: listed,
				resources: remote?.resources ?? served?.resources.map(aggregatedResource) ?? [],
				freshness: remote?.freshness ?? "Current",
			})),
		})),
	};
}

/** The empty group and version of a responseKind mean those of the resource. */
function aggregatedResource(resource: ServedResource): object {
	return {
		resource: resource.plural,
		responseKind: { group: "", version: "", kind: resource.kind },
		scope: resource.namespaced ? "Namespaced" : "Cluster",
		singularResource: resource.singular,
		verbs: resource.verbs,
		...(resource.shortNames.length > 0 && { shortNames: resource.shortNames }),
		...(resource.categories.length > 0 && { categories: resource.categories }),
		...(resource.subresources.length > 0 && {
			subresources: resource.subresources.map(({ name, kind, group = "", version = "", verbs }) => ({
				subresource: name,
				responseKind: { group, version, kind },
				verbs,
			})),
		}),
	};
}
