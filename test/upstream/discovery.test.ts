/** Discovery documents, held against those of upstream's v1.36. */
import { expect, test } from "vitest";
import { discovery } from "../../src/api/discovery/discovery.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import { upstreamFacts } from "./forms.ts";

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
		versions: { version: string; resources: { resource: string }[] }[];
	}[];
}

const built = discovery({ all: () => catalog });
const upstream = upstreamFacts<{ apis: GroupList; aggregated_v2: Aggregated; [file: string]: unknown }>("discovery");
// The documents have the forms that the API documents.
const ourGroups = built.apis() as GroupList;

/** Resources that upstream v1.36 still stores in an older version than the one it serves first. */
const storedInOlderVersion = [
	"customresourcedefinitions",
	"mutatingadmissionpolicies",
	"mutatingadmissionpolicybindings",
];

test("every resource and subresource is listed as upstream lists it", () => {
	let compared = 0;
	for (const group of [...ourGroups.groups.map(({ name }) => name), ""]) {
		const version = currentVersion(group);
		const served = (group === "" ? built.apiV1() : built.groupVersion(group, version)) as ResourceList;
		// Upstream has dropped some groups and versions that are still served here.
		const theirs = upstream[group === "" ? "api__v1" : `apis__${group}__${version}`] as ResourceList | undefined;
		if (theirs === undefined) continue;
		expect(served.groupVersion).toBe(theirs.groupVersion);
		for (const resource of served.resources) {
			const other = theirs.resources.find(({ name }) => name === resource.name);
			const hash = storedInOlderVersion.includes(resource.name) ? { storageVersionHash: expect.any(String) } : {};
			expect(resource).toEqual({ ...other, ...hash });
			compared++;
		}
	}
	expect(compared).toBeGreaterThan(60);
});

test("groups come in upstream's order", () => {
	const current = upstream.apis.groups.map(({ name }) => name);
	const ours = ourGroups.groups.map(({ name }) => name).filter((name) => current.includes(name));
	expect(ours).toEqual(current.filter((name) => ours.includes(name)));
});

test("the aggregated form says the same", () => {
	let compared = 0;
	for (const group of (built.aggregatedApis() as Aggregated).items) {
		const other = upstream.aggregated_v2.items.find((item) => item.metadata.name === group.metadata.name);
		for (const version of other?.versions ?? []) {
			const ours = group.versions.find((found) => found.version === version.version);
			for (const resource of ours?.resources ?? []) {
				expect(resource).toEqual(version.resources.find((found) => found.resource === resource.resource));
				compared++;
			}
		}
	}
	expect(compared).toBeGreaterThan(30);
});

function currentVersion(group: string): string {
	if (group === "") return "v1";
	const found = ourGroups.groups.find(({ name }) => name === group);
	return found?.preferredVersion.groupVersion.split("/")[1] ?? "";
}
