import { expect, test } from "vitest";
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
