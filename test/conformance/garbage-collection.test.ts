/** What goes with its owner, or with its namespace. */
import { describe, expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, type Json, json, merge, type Namespace, strategic } from "./harness.ts";
import { pauseOf, rcOf, templateOf } from "./objects.ts";

conformance("garbage collection and namespaces", "shared", (target) => {
	describe.concurrent("garbage collection", () => {
		const rcs = (space: Namespace, name = "") => space.core("replicationcontrollers", name);
		const pods = (space: Namespace, count: number) =>
			eventually(async () => {
				const items = await space.pods();
				expect(items).toHaveLength(count);
				return items;
			});

		test.concurrent("pods of a controller go with it, in the background", async () => {
			await using space = await target().namespace("gc-background");
			await target().post(rcs(space), rcOf("simpletest.rc", 2, "simpletest"));
			await pods(space, 2);
			const uid = (await target().get(rcs(space, "simpletest.rc"))).metadata.uid;
			await target().delete(rcs(space, "simpletest.rc"), { propagationPolicy: "Background", preconditions: { uid } });
			await pods(space, 0);
		});

		test.concurrent("are orphaned when that is asked for", async () => {
			await using space = await target().namespace("gc-orphan");
			await target().post(rcs(space), rcOf("simpletest.rc", 10, "simpletest"));
			await pods(space, 10);
			await target().delete(rcs(space, "simpletest.rc"), { propagationPolicy: "Orphan" });
			await space.gone(rcs(space, "simpletest.rc"));
			// A later owner's pod is collected, so the collector has had its look at these.
			await target().post(rcs(space), rcOf("later", 1, "later"));
			await pods(space, 11);
			await target().delete(rcs(space, "later"), { propagationPolicy: "Background" });
			for (const pod of await pods(space, 10)) expect(pod.metadata.ownerReferences ?? []).toEqual([]);
		});

		test.concurrent("a deployment's sets go or are orphaned with it", async () => {
			await using space = await target().namespace("gc-deploy");
			for (const propagationPolicy of ["Background", "Orphan"]) {
				await target().post(space.apps("deployments"), {
					metadata: { name: "simpletest" },
					spec: { replicas: 2, selector: { matchLabels: { app: "gc" } }, template: templateOf({ app: "gc" }, {}) },
				});
				await eventually(async () => expect((await target().get(space.apps("replicasets"))).items).toHaveLength(1));
				await pods(space, 2);
				await target().delete(space.apps("deployments", "simpletest"), { propagationPolicy });
				if (propagationPolicy === "Background") {
					await pods(space, 0);
					await eventually(async () => expect((await target().get(space.apps("replicasets"))).items).toEqual([]));
				} else await space.gone(space.apps("deployments", "simpletest"));
			}
			const { items } = await target().get(space.apps("replicasets"));
			expect(items.map((set: Json) => set.metadata.ownerReferences ?? [])).toEqual([[]]);
			await pods(space, 2);
		});

		test.concurrent("the owner stays until its pods are gone, when asked to", async () => {
			await using space = await target().namespace("gc-foreground");
			const object = rcOf("simpletest.rc", 4, "simpletest");
			object.spec.template.metadata.finalizers = ["example.com/wait"];
			await target().post(rcs(space), object);
			const items = await pods(space, 4);
			await target().delete(rcs(space, "simpletest.rc"), { propagationPolicy: "Foreground" });
			const kept = await target().get(rcs(space, "simpletest.rc"));
			expect(kept.metadata).toMatchObject({
				finalizers: ["foregroundDeletion"],
				deletionTimestamp: expect.any(String),
			});
			for (const { metadata } of items)
				await target().patch(space.core("pods", metadata.name), json, [{ op: "remove", path: "/metadata/finalizers" }]);
			await space.gone(rcs(space, "simpletest.rc"));
			expect(await space.pods()).toEqual([]);
		});

		test.concurrent("a pod with another valid owner stays", async () => {
			await using space = await target().namespace("gc-two-owners");
			await target().post(rcs(space), rcOf("to-be-deleted", 4, "one"));
			const other = await target().post(rcs(space), rcOf("to-stay", 0, "two"));
			const items = await pods(space, 4);
			const reference = { apiVersion: "v1", kind: "ReplicationController", name: "to-stay", uid: other.metadata.uid };
			const half = items.slice(0, 2).map((pod: Json) => pod.metadata.name);
			for (const name of half)
				await target().patch(space.core("pods", name), strategic, { metadata: { ownerReferences: [reference] } });
			await target().delete(rcs(space, "to-be-deleted"), { propagationPolicy: "Foreground" });
			await space.gone(rcs(space, "to-be-deleted"));
			const left = await pods(space, 2);
			expect(left.map((pod: Json) => pod.metadata.name).sort()).toEqual(half.sort());
			for (const pod of left) expect(pod.metadata.deletionTimestamp).toBeUndefined();
		});

		test.concurrent("a circle of owners is no obstacle", async () => {
			await using space = await target().namespace("gc-circle");
			const made = [];
			for (const name of ["pod1", "pod2", "pod3"]) made.push(await target().post(space.core("pods"), pauseOf(name)));
			for (const [index, { metadata }] of made.entries()) {
				const owner = made[(index + 2) % 3].metadata;
				const ownerReferences = [
					{
						apiVersion: "v1",
						kind: "Pod",
						name: owner.name,
						uid: owner.uid,
						controller: true,
						blockOwnerDeletion: true,
					},
				];
				await target().patch(space.core("pods", metadata.name), strategic, { metadata: { ownerReferences } });
			}
			await target().delete(space.core("pods", "pod1"), { propagationPolicy: "Foreground" });
			await pods(space, 0);
		});
	});

	describe.concurrent("namespaces", () => {
		test.concurrent("take their pods and services along, and can be made again", async () => {
			const space = await target().namespace("ns-delete");
			const path = `/api/v1/namespaces/${space.name}`;
			await space.run(pauseOf("test-pod"));
			await target().post(space.core("services"), {
				metadata: { name: "test-service" },
				spec: { ports: [{ port: 80 }] },
			});
			await target().delete(path);
			await space.gone(path);
			await target().post("/api/v1/namespaces", { metadata: { name: space.name } });
			expect((await target().get(space.core("pods"))).items).toEqual([]);
			expect((await target().get(space.core("services"))).items).toEqual([]);
			await target().delete(path);
		});

		test.concurrent("lose their pods first, and the rest only then", async () => {
			const space = await target().namespace("ns-order");
			const path = `/api/v1/namespaces/${space.name}`;
			await space.run(pauseOf("test-pod", { finalizers: ["e2e.example.com/finalizer"] }));
			await target().post(space.core("configmaps"), { metadata: { name: "test-configmap" }, data: { key: "value" } });
			await target().delete(path);
			const { status } = await space.until(
				path,
				(object) => condition(object, "NamespaceDeletionContentFailure") !== undefined,
			);
			expect(status.phase).toBe("Terminating");
			await space.until(space.core("pods", "test-pod"), ({ metadata }) => metadata.deletionTimestamp !== undefined);
			await target().get(space.core("configmaps", "test-configmap"));
			expect(condition(await target().get(path), "NamespaceFinalizersRemaining")).toMatchObject({ status: "True" });
			await target().update(space.core("pods", "test-pod"), ({ metadata }) =>
				Object.assign(metadata, { finalizers: [] }),
			);
			await space.gone(space.core("pods", "test-pod"));
			await space.gone(path);
		});

		test.concurrent("are patched and updated, have a status, and finalizers", async () => {
			await using space = await target().namespace("ns-patch");
			const path = `/api/v1/namespaces/${space.name}`;
			const patched = await target().patch(path, strategic, { metadata: { labels: { testLabel: "testValue" } } });
			expect(patched.metadata.labels).toMatchObject({
				testLabel: "testValue",
				"kubernetes.io/metadata.name": space.name,
			});
			expect((await target().get(`${path}/status`)).status.phase).toBe("Active");
			const status = {
				conditions: [{ type: "StatusPatch", status: "True", reason: "E2E", message: "Patched by an e2e test" }],
			};
			expect(
				condition(
					await target().patch(`${path}/status`, merge, { metadata: { annotations: { e2e: "yes" } }, status }),
					"StatusPatch",
				),
			).toMatchObject({ reason: "E2E" });
			const updated = await target().update(
				path,
				(object) =>
					object.status.conditions.push({ type: "StatusUpdate", status: "True", reason: "E2E", message: "Updated" }),
				"/status",
			);
			expect(condition(updated, "StatusUpdate")).toBeDefined();
			const finalize = async (change: (finalizers: string[]) => string[]) => {
				const object = await target().get(path);
				object.spec.finalizers = change(object.spec.finalizers);
				return (await target().put(`${path}/finalize`, object)).spec.finalizers;
			};
			expect(await finalize((all) => [...all, "e2e.example.com/fakeFinalizer"])).toContain(
				"e2e.example.com/fakeFinalizer",
			);
			expect(await finalize((all) => all.filter((name) => name === "kubernetes"))).toEqual(["kubernetes"]);
		});
	});
});
