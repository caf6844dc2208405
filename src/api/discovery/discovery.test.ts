import { expect, test } from "vitest";
import { catalog } from "../../kinds/catalog.ts";
import { compareVersions } from "../../kinds/custom/versions.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { discovery } from "./discovery.ts";

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
	kinds = kinds.slice(0, 1);
	expect((changing.apis() as GroupList).groups.map(({ name }) => name)).toEqual(["apps", "extensions"]);
	expect(changing.apis()).not.toEqual(before);
});

test("versions are ordered as Kubernetes prefers them", () => {
	const versions = ["foo10", "v11beta2", "v1", "v2", "v10", "v12alpha1", "v3beta1", "v10beta3", "foo1", "v11alpha2"];
	expect(versions.sort((a, b) => compareVersions(b, a))).toEqual([
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
