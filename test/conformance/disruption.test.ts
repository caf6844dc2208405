import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, type Json, json, merge, type Namespace, strategic } from "./harness.ts";
import { images, podOf } from "./objects.ts";

const budgets = (space: Namespace, name = "") => space.group("policy/v1", "poddisruptionbudgets", name);
const budget = (spec: Json, name = "foo"): Json => ({
	metadata: { name, labels: { e2e: "pdb" } },
	spec: { selector: { matchLabels: { foo: "bar" } }, ...spec },
});
const processed = (space: Namespace, holds: (status: Json) => boolean = () => true) =>
	space.until(
		budgets(space, "foo"),
		({ metadata, status }) => status.observedGeneration === metadata.generation && holds(status),
	);
const pods = (space: Namespace, count: number) =>
	Promise.all(
		Array.from({ length: count }, (_, index) =>
			space.run(podOf(`rs-${index}`, { image: images.pause }, { restartPolicy: "Always" }, { labels: { foo: "bar" } })),
		),
	);
const evict = (space: Namespace, name: string, version = "policy/v1") =>
	space.target.send("POST", `${space.core("pods", name)}/eviction`, {
		apiVersion: version,
		kind: "Eviction",
		metadata: { name, namespace: space.name },
	});

conformance("PodDisruptionBudget", 2, (target) => {
	test.concurrent("is created, updated, patched and deleted", async () => {
		await using space = await target().namespace("pdb-crud");
		await target().post(budgets(space), budget({ minAvailable: "1%" }));
		await processed(space);
		await target().update(budgets(space, "foo"), (object) => {
			object.spec.minAvailable = "2%";
		});
		expect((await processed(space)).spec.minAvailable).toBe("2%");
		const patched = await target().patch(budgets(space, "foo"), strategic, { spec: { minAvailable: "3%" } });
		expect(patched.spec.minAvailable).toBe("3%");
		await target().delete(budgets(space, "foo"));
		await space.gone(budgets(space, "foo"));
	});

	test.concurrent("is listed over all namespaces and deleted as a collection", async () => {
		await using space = await target().namespace("pdb-list");
		await using other = await target().namespace("pdb-list");
		for (const [where, name] of [
			[space, "foo"],
			[space, "foo2"],
			[other, "foo3"],
		] as const) {
			const object = budget({ minAvailable: 1 }, name);
			object.metadata.labels = { list: space.name };
			await target().post(budgets(where), object);
		}
		const selector = `labelSelector=list%3D${space.name}`;
		expect((await target().get(`/apis/policy/v1/poddisruptionbudgets?${selector}`)).items).toHaveLength(3);
		await target().delete(`${budgets(space)}?${selector}`);
		await eventually(async () =>
			expect((await target().get(`/apis/policy/v1/poddisruptionbudgets?${selector}`)).items).toHaveLength(1),
		);
	});

	test.concurrent("says how many disruptions it allows, and adds conditions", async () => {
		await using space = await target().namespace("pdb-status");
		await target().post(budgets(space), budget({ minAvailable: 1 }));
		await pods(space, 3);
		const { status } = await processed(space, ({ disruptionsAllowed }) => disruptionsAllowed > 0);
		expect(status).toMatchObject({ currentHealthy: 3, desiredHealthy: 1, expectedPods: 3, disruptionsAllowed: 2 });
		expect(condition({ status }, "DisruptionAllowed")).toMatchObject({ status: "True", reason: "SufficientPods" });
	});

	test.concurrent("status is updated and patched by a client", async () => {
		await using space = await target().namespace("pdb-patch-status");
		await target().post(budgets(space), budget({ minAvailable: 1 }));
		await pods(space, 1);
		await processed(space, ({ currentHealthy }) => currentHealthy === 1);
		const gone = { disruptedPods: { "pod-x": new Date().toISOString().replace(/\.\d+Z$/, "Z") } };
		const updated = await target().update(
			budgets(space, "foo"),
			(object) => Object.assign(object.status, gone),
			"/status",
		);
		expect(Object.keys(updated.status.disruptedPods)).toEqual(["pod-x"]);
		const patched = await target().patch(`${budgets(space, "foo")}/status`, merge, { status: { disruptedPods: null } });
		expect(patched.status.disruptedPods ?? {}).toEqual({});
	});

	test.concurrent("blocks evictions until it is changed to allow them", async () => {
		await using space = await target().namespace("pdb-evict");
		await target().post(budgets(space), budget({ minAvailable: 1 }));
		await pods(space, 1);
		await processed(space, ({ currentHealthy }) => currentHealthy === 1);
		const refused = await evict(space, "rs-0");
		expect(refused).toMatchObject({ status: 429, body: { reason: "TooManyRequests" } });
		expect(refused.body.details.causes).toMatchObject([{ reason: "DisruptionBudget" }]);
		await pods(space, 0);
		await target().patch(budgets(space, "foo"), json, [{ op: "replace", path: "/spec/minAvailable", value: 0 }]);
		await processed(space, ({ disruptionsAllowed }) => disruptionsAllowed > 0);
		expect((await evict(space, "rs-0")).status).toBe(201);
		await space.gone(space.core("pods", "rs-0"));
	});
});
