import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, isReady, type Json, json, merge, type Namespace, strategic } from "./harness.ts";
import { images, podOf, templateOf } from "./objects.ts";

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

conformance("PodDisruptionBudget", "shared", (target) => {
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
		const { status } = await processed(space, ({ currentHealthy }) => currentHealthy === 3);
		expect(status).toMatchObject({ desiredHealthy: 1, expectedPods: 3, disruptionsAllowed: 2 });
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

	const replicaSet = (replicas: number, container: Json = { image: images.pause }): Json => ({
		metadata: { name: "rs" },
		spec: {
			replicas,
			selector: { matchLabels: { foo: "bar" } },
			template: templateOf({ foo: "bar" }, container),
		},
	});
	/** Pods that are ready and stay. */
	const healthy = (space: Namespace, count: number) =>
		eventually(async () => {
			const found = (await space.pods("foo=bar")).filter(
				(pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined,
			);
			expect(found.length).toBeGreaterThanOrEqual(count);
			return found;
		}, 60_000);
	const denied = { status: 429, body: { details: { causes: [{ reason: "DisruptionBudget" }] } } };

	test.concurrent("counts in numbers and percentages, of what must be there and of what may be missing", async () => {
		const cases: [Json, Json | undefined, boolean][] = [
			[undefined, undefined, true],
			[{ minAvailable: 2 }, undefined, false],
			[{ minAvailable: "90%" }, replicaSet(10), true],
			[{ maxUnavailable: "10%" }, replicaSet(10), true],
			// Of ten that are wanted only as many are there as there are nodes, each with its port.
			[
				{ minAvailable: "90%" },
				replicaSet(10, { image: images.pause, ports: [{ containerPort: 5555, hostPort: 5555 }] }),
				false,
			],
			[
				{ maxUnavailable: 1 },
				replicaSet(10, { image: images.pause, ports: [{ containerPort: 5556, hostPort: 5556 }] }),
				false,
			],
		];
		await Promise.all(
			cases.map(async ([spec, set, allowed]) => {
				await using space = await target().namespace("pdb-count");
				if (set === undefined) await pods(space, spec === undefined ? 1 : 2);
				else await target().post(space.apps("replicasets"), set);
				if (spec !== undefined) await target().post(budgets(space), budget(spec));
				if (spec !== undefined) await processed(space);
				const [pod] = await healthy(space, allowed && set !== undefined ? 10 : 1);
				if (allowed) await eventually(async () => expect((await evict(space, pod.metadata.name)).status).toBe(201));
				else expect(await evict(space, pod.metadata.name)).toMatchObject(denied);
			}),
		);
	}, 120_000);

	test.concurrent("a change of the budget allows and forbids at once, and so does its end", async () => {
		await using space = await target().namespace("pdb-change");
		await target().post(budgets(space), budget({ minAvailable: 3 }));
		await processed(space);
		await target().post(space.apps("replicasets"), replicaSet(3));
		const [first] = await healthy(space, 3);
		expect(await evict(space, first.metadata.name)).toMatchObject(denied);
		await target().update(budgets(space, "foo"), ({ spec }) => Object.assign(spec, { minAvailable: 2 }));
		await processed(space, ({ currentHealthy, desiredHealthy }) => currentHealthy === 3 && desiredHealthy === 2);
		expect((await evict(space, first.metadata.name)).status).toBe(201);
		await target().patch(budgets(space, "foo"), merge, { spec: { minAvailable: null, maxUnavailable: 0 } });
		await processed(space);
		const [second] = await healthy(space, 3);
		expect(await evict(space, second.metadata.name)).toMatchObject(denied);
		await target().delete(budgets(space, "foo"));
		await space.gone(budgets(space, "foo"));
		expect((await evict(space, second.metadata.name)).status).toBe(201);
	}, 90_000);

	test.concurrent("unready pods go where the policy says so, ready ones as the budget has it", async () => {
		const cases: [string | undefined, boolean, number][] = [
			[undefined, true, 1],
			["IfHealthyBudget", true, 1],
			["AlwaysAllow", true, 1],
			[undefined, false, 0],
			["IfHealthyBudget", false, 0],
			["AlwaysAllow", false, 3],
		];
		await Promise.all(
			cases.map(async ([policy, becomeReady, count]) => {
				await using space = await target().namespace("pdb-unhealthy");
				await target().post(budgets(space), budget({ maxUnavailable: 1, unhealthyPodEvictionPolicy: policy }));
				await processed(space);
				// Replacements of evicted pods are not ready before the others have been tried.
				const readinessProbe = {
					httpGet: { path: "/index.html", port: 80 },
					initialDelaySeconds: becomeReady ? 15 : 330,
				};
				await target().post(space.apps("replicasets"), replicaSet(3, { image: images.httpd, readinessProbe }));
				if (becomeReady) await healthy(space, 3);
				await eventually(async () => {
					const phases = (await space.pods("foo=bar")).map(({ status }) => status.phase);
					expect(phases).toEqual(["Running", "Running", "Running"]);
				});
				const currentHealthy = becomeReady ? 3 : 0;
				await processed(space, (status) => status.currentHealthy === currentHealthy && status.desiredHealthy === 2);
				const evicted: string[] = [];
				for (const { metadata } of await space.pods("foo=bar"))
					if ((await evict(space, metadata.name)).status === 201) evicted.push(metadata.name);
				expect(evicted).toHaveLength(count);
				for (const name of evicted) await space.gone(space.core("pods", name));
			}),
		);
	}, 120_000);
});
