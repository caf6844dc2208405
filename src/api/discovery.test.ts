import { existsSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { catalog } from "../kinds/catalog.ts";
import type { Kind } from "../kinds/engine/kind.ts";
import { compareVersions } from "./discovery/served.ts";
import { discovery, etagOf } from "./discovery.ts";

const upstream = new URL("../../../shared/upstream/discovery/", import.meta.url);
const same = { toStorage: () => {}, fromStorage: () => {} };
const deployments = catalog.find((kind) => kind.plural === "deployments");
if (deployments === undefined) throw new Error("no deployments in the catalog");

/** Deployments under an old group and an old version of their own, and a newer autoscaling beside an older one. */
const withOldVersions: Kind[] = [
	{
		...deployments,
		servedAs: [
			{ group: "extensions", version: "v1beta1", deprecation: "extensions/v1beta1 is deprecated", ...same },
			{ group: "apps", version: "v1beta2", deprecation: "apps/v1beta2 is deprecated", ...same },
		],
	},
	{
		...deployments,
		group: "autoscaling",
		version: "v2",
		kind: "HorizontalPodAutoscaler",
		plural: "horizontalpodautoscalers",
		servedAs: [{ group: "autoscaling", version: "v1", ...same }],
	},
];
const old = discovery({ all: () => withOldVersions }, []);

interface GroupList {
	groups: { name: string; versions: { version: string }[]; preferredVersion: { groupVersion: string } }[];
}
interface ResourceList {
	groupVersion: string;
	resources: { name: string; [field: string]: unknown }[];
}
interface Aggregated {
	items: {
		metadata: { name?: string };
		versions: {
			version: string;
			resources: { resource: string; subresources?: { subresource: string; [field: string]: unknown }[] }[];
		}[];
	}[];
}

test("groups with nothing but deprecated versions come last, so that kubectl prefers the current ones", () => {
	const { groups } = old.apis() as GroupList;
	expect(groups.map(({ name }) => name)).toEqual(["apps", "autoscaling", "extensions"]);
	expect(groups[0]?.versions.map(({ version }) => version)).toEqual(["v1", "v1beta2"]);
	expect(groups[1]?.versions.map(({ version }) => version)).toEqual(["v2", "v1"]);
	expect(groups[1]?.preferredVersion.groupVersion).toBe("autoscaling/v2");
});

test("deprecated versions have no short names and no categories, parallel ones have", () => {
	const named = (group: string, version: string) =>
		(old.groupVersion(group, version) as ResourceList).resources.filter((resource) => "shortNames" in resource).length;
	expect(named("apps", "v1")).toBe(1);
	expect(named("apps", "v1beta2")).toBe(0);
	expect(named("extensions", "v1beta1")).toBe(0);
	expect(named("autoscaling", "v1")).toBe(1);
});

test("all versions of a kind have the hash of the stored one", () => {
	const hash = (group: string, version: string) =>
		(old.groupVersion(group, version) as ResourceList).resources[0]?.["storageVersionHash"];
	expect(hash("apps", "v1")).toBe("8aSe+NMegvE=");
	expect(hash("extensions", "v1beta1")).toBe("8aSe+NMegvE=");
});

test("what is not served is undefined", () => {
	expect(old.group("batch")).toBeUndefined();
	expect(old.groupVersion("apps", "v2")).toBeUndefined();
	expect(old.group("")).toBeUndefined();
});

test("documents are built once, and again when the kinds change", () => {
	let kinds = withOldVersions;
	const changing = discovery({ all: () => kinds }, []);
	const before = changing.apis();
	expect(changing.apis()).toBe(before);
	expect(etagOf(changing.apis())).toBe(etagOf(before));
	kinds = kinds.slice(0, 1);
	expect((changing.apis() as GroupList).groups.map(({ name }) => name)).toEqual(["apps", "extensions"]);
	expect(etagOf(changing.apis())).not.toBe(etagOf(before));
});

test("versions are ordered as Kubernetes prefers them", () => {
	const versions = ["foo10", "v11beta2", "v1", "v2", "v10", "v12alpha1", "v3beta1", "v10beta3", "foo1", "v11alpha2"];
	expect(versions.sort(compareVersions)).toEqual([
		"v10",
		"v2",
		"v1",
		"v11beta2",
		"v10beta3",
		"v3beta1",
		"v12alpha1",
		"v11alpha2",
		"foo1",
		"foo10",
	]);
});

describe.skipIf(!existsSync(upstream))("compared with upstream (skipped where ../shared/upstream is absent)", () => {
	const built = discovery({ all: () => catalog });
	const read = <T>(name: string): T => JSON.parse(readFileSync(new URL(`${name}.json`, upstream), "utf8")) as T;

	test("every resource and subresource is listed as upstream lists it", () => {
		let compared = 0;
		for (const group of (built.apis() as GroupList).groups.map(({ name }) => name).concat("")) {
			const served = group === "" ? built.apiV1() : built.groupVersion(group, currentVersion(group));
			const version = currentVersion(group);
			const file = group === "" ? "api__v1" : `apis__${group}__${version}`;
			// Upstream has dropped some groups and versions that are still served here.
			if (!existsSync(new URL(`${file}.json`, upstream))) continue;
			const theirs = read<ResourceList>(file);
			expect((served as ResourceList).groupVersion).toBe(theirs.groupVersion);
			for (const resource of (served as ResourceList).resources) {
				expect(resource).toEqual(theirs.resources.find(({ name }) => name === resource.name));
				compared++;
			}
		}
		expect(compared).toBeGreaterThan(60);
	});

	test("groups come in upstream's order", () => {
		const current = read<GroupList>("apis").groups.map(({ name }) => name);
		const ours = (built.apis() as GroupList).groups.map(({ name }) => name).filter((name) => current.includes(name));
		expect(ours).toEqual(current.filter((name) => ours.includes(name)));
	});

	test("the aggregated form says the same", () => {
		const theirs = read<Aggregated>("aggregated_v2");
		for (const group of (built.aggregatedApis() as Aggregated).items) {
			const other = theirs.items.find((item) => item.metadata.name === group.metadata.name);
			for (const version of other?.versions ?? []) {
				const ours = group.versions.find((found) => found.version === version.version);
				for (const resource of ours?.resources ?? [])
					expect(resource).toEqual(version.resources.find((found) => found.resource === resource.resource));
			}
		}
	});

	function currentVersion(group: string): string {
		if (group === "") return "v1";
		const found = (built.apis() as GroupList).groups.find(({ name }) => name === group);
		return found?.preferredVersion.groupVersion.split("/")[1] ?? "";
	}
});
