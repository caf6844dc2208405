import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { customResource, type KubeObject, startCluster } from "../../src/index.ts";

interface Boat extends KubeObject {
	spec: { oars: number };
	status?: { conditions: readonly { type: string; status: string }[] };
}

const boats = customResource<Boat>({ group: "example.com", version: "v1", kind: "Boat", plural: "boats" });

const definition = `
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: { name: boats.example.com }
spec:
  group: example.com
  scope: Namespaced
  names: { plural: boats, kind: Boat }
  versions:
    - name: v1
      served: true
      storage: true
      subresources: { status: {} }
      schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
`;

test("a program reads, writes and waits for custom resources with types of its own", async () => {
	await using cluster = await startCluster({ clock: "virtual", nodes: 0 });
	await cluster.apply(definition);
	const made = await cluster.client.create(boats, {
		metadata: { namespace: "default", name: "eight" },
		spec: { oars: 8 },
	});
	expect(made).toMatchObject({ apiVersion: "example.com/v1", kind: "Boat", spec: { oars: 8 } });
	const ready = cluster.waitFor(boats, "eight", "Ready");
	await cluster.client.updateStatus(boats, { ...made, status: { conditions: [{ type: "Ready", status: "True" }] } });
	expect((await ready).spec.oars).toBe(8);
	expect((await cluster.client.list(boats, { namespace: "default" })).items).toHaveLength(1);
	await cluster.delete(definition);
	await expect(cluster.client.list(boats)).rejects.toMatchObject({ reason: "NotFound" });
});

describe("crds", () => {
	const folder = mkdtempSync(join(tmpdir(), "coxswain-crds-"));
	afterAll(() => rmSync(folder, { recursive: true, force: true }));
	const file = (name: string, text: string) => {
		writeFileSync(join(folder, name), text);
		return join(folder, name);
	};
	const named = (plural: string, kind: string) =>
		definition.replaceAll("boats", plural).replace("kind: Boat", `kind: ${kind}`);
	const start = (...crds: (string | object)[]) => startCluster({ clock: "virtual", nodes: 0, crds });

	test("resources of files, folders and objects are served when the cluster has started", async () => {
		const crds = join(folder, "crds");
		mkdirSync(join(crds, "patches"), { recursive: true });
		writeFileSync(join(crds, "b.yaml"), `${named("buoys", "Buoy")}---\nkind: Kustomization\napiVersion: v1\n`);
		writeFileSync(
			join(crds, "a.json"),
			JSON.stringify({ kind: "List", apiVersion: "v1", items: [parse(named("keels", "Keel"))] }),
		);
		writeFileSync(join(crds, "patches", "part.yaml"), "kind: CustomResourceDefinition\n");
		writeFileSync(join(crds, "README.md"), "no YAML: [");
		await using cluster = await start(file("boat.yaml", definition), crds, parse(named("oars", "Oar")));
		for (const [kind, plural] of [
			["Boat", "boats"],
			["Buoy", "buoys"],
			["Keel", "keels"],
			["Oar", "oars"],
		] as const) {
			const resource = customResource({ group: "example.com", version: "v1", kind, plural });
			expect((await cluster.client.list(resource)).items).toEqual([]);
		}
	});

	test.each([
		["a file that is not there", () => join(folder, "no.yaml"), "no.yaml: there is no such file or folder"],
		["no YAML", () => file("bad.yaml", "a: [b"), /bad\.yaml: it is not YAML: .* at line 1, column 6/],
		["another kind", () => file("other.yaml", "kind: Pod"), "other.yaml: there is no CustomResourceDefinition in it"],
		["an object of another kind", () => ({ kind: "Pod" }), "crds[0]: there is no CustomResourceDefinition in it"],
		[
			"no name",
			() => ({ kind: "CustomResourceDefinition" }),
			"crds[0]: CustomResourceDefinition: metadata.name is missing",
		],
		[
			"what the API rejects",
			() => file("twice.yaml", definition.replace("storage: true", "storage: false")),
			/twice\.yaml: .*"boats\.example\.com" is invalid: .*must have exactly one version marked as storage version/,
		],
	])("are refused, with the source and the reason: %s", async (_, source, message) => {
		await expect(start(source())).rejects.toThrow(message);
	});

	test("a definition whose names another one has is refused", async () => {
		const taken = definition.replaceAll("boats", "ships");
		await expect(start(parse(definition), parse(taken))).rejects.toThrow(
			/crds\[[01]\]: \w+\.example\.com is not served: ListKindConflict: "BoatList" is already in use/,
		);
	});
});
