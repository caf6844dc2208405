import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, isReady, type Json, merge, type Namespace, strategic } from "./harness.ts";
import { images, podOf, templateOf } from "./objects.ts";

const labels = { name: "httpd" };

function workload(name: string, replicas: number, spec: Json = {}, container: Json = {}): Json {
	return {
		metadata: { name, labels },
		spec: {
			replicas,
			selector: { matchLabels: labels },
			template: templateOf(labels, { name: "httpd", ...container }),
			...spec,
		},
	};
}

const deployment = (space: Namespace, name: string) => space.apps("deployments", name);
const isComplete = ({ spec, status, metadata }: Json) =>
	status.observedGeneration >= metadata.generation &&
	status.updatedReplicas === spec.replicas &&
	status.replicas === spec.replicas &&
	status.availableReplicas === spec.replicas;
const setsOf = async (space: Namespace): Promise<Json[]> =>
	(await space.target.get(space.apps("replicasets"))).items.toSorted(
		(a: Json, b: Json) =>
			Number(a.metadata.annotations["deployment.kubernetes.io/revision"]) -
			Number(b.metadata.annotations["deployment.kubernetes.io/revision"]),
	);
const setImage = (space: Namespace, name: string, image: string) =>
	space.target.patch(deployment(space, name), strategic, {
		spec: { template: { spec: { containers: [{ name: "httpd", image }] } } },
	});

conformance("Deployment, ReplicaSet, ReplicationController", "shared", (target) => {
	test.concurrent("a rolling update adopts an old ReplicaSet and takes over its pods", async () => {
		await using space = await target().namespace("dep-rolling");
		const old = workload("old-set", 1);
		old.metadata.annotations = { "deployment.kubernetes.io/revision": "3546343826724305832" };
		await target().post(space.apps("replicasets"), old);
		await eventually(async () => expect((await space.pods()).filter(isReady)).toHaveLength(1));
		await target().post(space.apps("deployments"), workload("rolling", 1, {}, { image: images.agnhost }));
		const done = await space.until(deployment(space, "rolling"), isComplete);
		expect(done.metadata.annotations["deployment.kubernetes.io/revision"]).toBe("3546343826724305833");
		const sets: Json[] = (await target().get(space.apps("replicasets"))).items;
		expect(sets).toHaveLength(2);
		expect(sets.map((set) => set.metadata.ownerReferences?.[0]?.name)).toEqual(["rolling", "rolling"]);
		expect(sets.find((set) => set.metadata.name === "old-set")?.status.replicas).toBe(0);
	});

	test.concurrent("Recreate has no old pod beside a new one", async () => {
		await using space = await target().namespace("dep-recreate");
		await target().post(
			space.apps("deployments"),
			workload("recreate", 1, { strategy: { type: "Recreate" } }, { image: images.agnhost }),
		);
		await space.until(deployment(space, "recreate"), isComplete);
		const { metadata } = await target().get(space.core("pods"));
		const old = new Set((await space.pods()).map((pod) => pod.metadata.uid));
		await setImage(space, "recreate", images.httpd);
		await target().watch(space.core("pods"), metadata.resourceVersion, ({ type, object }) => {
			if (type === "DELETED") old.delete(object.metadata.uid);
			const isNew = object.spec.containers[0].image === images.httpd;
			if (isNew && object.status.phase !== "Succeeded") expect(old.size).toBe(0);
			return isNew && isReady(object);
		});
		await space.until(deployment(space, "recreate"), isComplete);
	});

	test.concurrent("old ReplicaSets beyond the history limit are deleted", async () => {
		await using space = await target().namespace("dep-cleanup");
		await target().post(space.apps("replicasets"), workload("cleanup-set", 1));
		await eventually(async () => expect((await space.pods()).filter(isReady)).toHaveLength(1));
		await target().post(
			space.apps("deployments"),
			workload("cleanup", 1, { revisionHistoryLimit: 0 }, { image: images.agnhost }),
		);
		await eventually(async () => {
			const sets = await setsOf(space);
			expect(sets.map((set) => set.spec.template.spec.containers[0].image)).toEqual([images.agnhost]);
		});
		expect(await space.pods()).toHaveLength(1);
	});

	test.concurrent("a rollover replaces an unfinished rollout", async () => {
		await using space = await target().namespace("dep-rollover");
		await target().post(space.apps("replicasets"), workload("rollover-set", 1));
		await eventually(async () => expect((await space.pods()).filter(isReady)).toHaveLength(1));
		const strategy = { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } };
		await target().post(
			space.apps("deployments"),
			workload("rollover", 1, { strategy, minReadySeconds: 2 }, { image: "gcr.io/google_samples/nonexistent:v3" }),
		);
		await space.until(
			deployment(space, "rollover"),
			({ status }) => status.updatedReplicas === 1 && status.replicas === 2,
		);
		await setImage(space, "rollover", images.agnhost);
		await space.until(deployment(space, "rollover"), isComplete);
		const sets = await setsOf(space);
		expect(sets).toHaveLength(3);
		expect(sets.map((set) => set.status.replicas)).toEqual(expect.arrayContaining([0, 0, 1]));
	});

	test.concurrent("scaling in the middle of a rollout is spread in proportion", async () => {
		await using space = await target().namespace("dep-proportional");
		const strategy = { type: "RollingUpdate", rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } };
		await target().post(space.apps("deployments"), workload("web", 10, { strategy }));
		await space.until(deployment(space, "web"), isComplete);
		await setImage(space, "web", "webserver:404");
		await space.until(
			deployment(space, "web"),
			({ status, metadata }) => status.observedGeneration === metadata.generation && status.unavailableReplicas === 5,
		);
		const replicas = async () =>
			(await setsOf(space)).map((set) => [set.spec.replicas, set.status.availableReplicas ?? 0]);
		await eventually(async () =>
			expect(await replicas()).toEqual([
				[8, 8],
				[5, 0],
			]),
		);
		await target().patch(deployment(space, "web"), merge, { spec: { replicas: 30 } });
		await eventually(async () => expect((await setsOf(space)).map((set) => set.spec.replicas)).toEqual([20, 13]));
	}, 60_000);

	test.concurrent("the lifecycle of a Deployment", async () => {
		await using space = await target().namespace("dep-life");
		const { metadata } = await target().get(space.apps("deployments"));
		const events = `${space.apps("deployments")}?labelSelector=test-deployment-static%3Dtrue`;
		const original = workload("test-deployment", 2, {}, { image: images.agnhost });
		original.metadata.labels = { "test-deployment-static": "true" };
		const seen = (found: (object: Json, type: string) => boolean) =>
			target().watch(events, metadata.resourceVersion, ({ type, object }) => found(object, type));
		const rolledOut = (image: string, replicas: number) => (object: Json) =>
			object.status.readyReplicas === replicas &&
			object.status.updatedReplicas === replicas &&
			(object.status.unavailableReplicas ?? 0) === 0 &&
			object.spec.template.spec.containers[0].image === image;
		await target().post(space.apps("deployments"), original);
		await seen((_, type) => type === "ADDED");
		await seen((object) => object.status.readyReplicas === 2);
		await target().patch(deployment(space, "test-deployment"), strategic, {
			metadata: { labels: { "test-deployment": "patched" } },
			spec: {
				replicas: 1,
				template: { spec: { terminationGracePeriodSeconds: 2, containers: [{ name: "httpd", image: images.pause }] } },
			},
		});
		await seen(rolledOut(images.pause, 1));
		// As a program writes what it has had in its hands from the start: no version, nothing of the server's.
		original.metadata.labels["test-deployment"] = "updated";
		original.metadata.creationTimestamp = null;
		original.spec.template.metadata.creationTimestamp = null;
		original.spec.template.spec.containers[0].image = images.httpd;
		await target().put(deployment(space, "test-deployment"), {
			...original,
			apiVersion: "apps/v1",
			kind: "Deployment",
			spec: { ...original.spec, strategy: {} },
			status: {},
		});
		const read = await target().get(`${deployment(space, "test-deployment")}/status`);
		expect(read.metadata.labels["test-deployment"]).toBe("updated");
		await seen(rolledOut(images.httpd, 2));
		await target().patch(`${deployment(space, "test-deployment")}/status`, strategic, {
			metadata: { labels: { "test-deployment": "patched-status" } },
			status: { readyReplicas: 0, availableReplicas: 0 },
		});
		const after = await target().get(`${deployment(space, "test-deployment")}/status`);
		expect(after.metadata.labels["test-deployment"]).toBe("updated");
		await space.until(deployment(space, "test-deployment"), rolledOut(images.httpd, 2));
		await target().delete(`${space.apps("deployments")}?labelSelector=test-deployment-static%3Dtrue`, {
			gracePeriodSeconds: 1,
		});
		await seen((_, type) => type === "DELETED");
	});

	for (const resource of ["deployments", "replicasets"]) {
		test.concurrent(`status of ${resource} is read, updated and patched, and a watch sees it`, async () => {
			await using space = await target().namespace("status");
			const { metadata } = await target().get(space.apps(resource));
			await target().post(space.apps(resource), workload("web", 1));
			const path = space.apps(resource, "web");
			await space.until(path, ({ status }) => status.availableReplicas === 1);
			const added = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set from e2e test" };
			await target().update(
				path,
				(object) => {
					object.status.conditions = [...(object.status.conditions ?? []), added];
				},
				"/status",
			);
			await target().watch(
				space.apps(resource),
				metadata.resourceVersion,
				({ object }) => condition(object, "StatusUpdate") !== undefined,
			);
			const patched = await target().patch(`${path}/status`, merge, {
				status: { conditions: [{ type: "StatusPatched", status: "True" }] },
			});
			expect(condition(patched, "StatusPatched")).toBeDefined();
			await target().watch(
				space.apps(resource),
				metadata.resourceVersion,
				({ object }) => condition(object, "StatusPatched") !== undefined,
			);
		});

		test.concurrent(`the scale of ${resource} is read, updated and patched`, async () => {
			await using space = await target().namespace("scale");
			await target().post(space.apps(resource), workload("web", 1));
			const path = space.apps(resource, "web");
			await space.until(path, ({ status }) => status.availableReplicas === 1);
			const scale = await target().get(`${path}/scale`);
			expect(scale).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 1, selector: "name=httpd" } });
			delete scale.metadata.resourceVersion;
			await target().put(`${path}/scale`, { ...scale, spec: { replicas: 2 } });
			await space.until(path, ({ status }) => status.availableReplicas === 2);
			await target().patch(`${path}/scale`, strategic, {
				metadata: { creationTimestamp: null },
				spec: { replicas: 4 },
				status: { replicas: 0 },
			});
			expect((await target().get(path)).spec.replicas).toBe(4);
		});
	}

	for (const [resource, path, kind] of [
		["replicasets", (space: Namespace, name?: string) => space.apps("replicasets", name), "ReplicaSet"],
		[
			"replicationcontrollers",
			(space: Namespace, name?: string) => space.core("replicationcontrollers", name),
			"ReplicationController",
		],
	] as const) {
		const of = (name: string, replicas: number, container: Json = {}): Json => {
			const object = workload(name, replicas, {}, container);
			if (kind === "ReplicationController") object.spec.selector = labels;
			return object;
		};

		test.concurrent(`${resource} adopt matching pods and release those that match no longer`, async () => {
			await using space = await target().namespace("adopt");
			await space.run(podOf("adoptee", { image: images.httpd }, {}, { labels }));
			await target().post(path(space), of("adopter", 1));
			const owner = async () => (await target().get(space.core("pods", "adoptee"))).metadata.ownerReferences?.[0];
			await eventually(async () => expect(await owner()).toMatchObject({ kind, name: "adopter", controller: true }));
			expect(await space.pods()).toHaveLength(1);
			await target().update(space.core("pods", "adoptee"), (pod) => {
				pod.metadata.labels = { name: "not-matching" };
			});
			await eventually(async () => expect(await owner()).toBeUndefined());
			await eventually(async () => expect(await space.pods()).toHaveLength(2));
		});

		test.concurrent(`${resource} serve a basic image on each replica`, async () => {
			await using space = await target().namespace("serve");
			await target().post(
				path(space),
				of("my-hostname", 2, { image: images.agnhost, args: ["serve-hostname"], ports: [{ containerPort: 9376 }] }),
			);
			const pods = await eventually(async () => {
				const ready = (await space.pods()).filter(isReady);
				expect(ready).toHaveLength(2);
				return ready;
			});
			for (const { metadata } of pods) {
				const answer = await target().send("GET", `${space.core("pods", `${metadata.name}:9376`)}/proxy/`, undefined, {
					Accept: "*/*",
				});
				expect(answer.body).toBe(metadata.name);
			}
		});

		test.concurrent(`a quota's refusal shows as a condition of ${resource}, and goes away again`, async () => {
			await using space = await target().namespace("quota");
			await target().post(space.core("resourcequotas"), {
				metadata: { name: "condition-test" },
				spec: { hard: { pods: "2" } },
			});
			await space.until(
				space.core("resourcequotas", "condition-test"),
				({ status }) => status.hard?.pods === "2" && status.used?.pods === "0",
			);
			await target().post(path(space), of("condition-test", 3, { image: images.pause }));
			const failing = await space.until(
				path(space, "condition-test"),
				(object) => condition(object, "ReplicaFailure") !== undefined,
			);
			expect(condition(failing, "ReplicaFailure")).toMatchObject({
				status: "True",
				reason: "FailedCreate",
				message: expect.stringContaining("exceeded quota: condition-test"),
			});
			await target().patch(`${path(space, "condition-test")}`, merge, { spec: { replicas: 2 } });
			await space.until(path(space, "condition-test"), (object) => condition(object, "ReplicaFailure") === undefined);
		});

		test.concurrent(`${resource}: created, patched, status patched, scaled, listed, deleted`, async () => {
			await using space = await target().namespace("life");
			const object = of("test-rc", 1);
			object.metadata.labels = { "test-rc-static": space.name };
			const { metadata } = await target().get(path(space));
			const events = `${path(space)}?labelSelector=test-rc-static%3D${space.name}`;
			await target().post(path(space), object);
			await target().watch(events, metadata.resourceVersion, ({ object }) => object.status.readyReplicas === 1);
			await target().patch(path(space, "test-rc"), strategic, { metadata: { labels: { "test-rc": "patched" } } });
			const patched = await target().patch(`${path(space, "test-rc")}/status`, strategic, {
				status: { readyReplicas: 0, availableReplicas: 0 },
			});
			expect(patched.metadata.labels["test-rc"]).toBe("patched");
			await space.until(path(space, "test-rc"), ({ status }) => status.readyReplicas === 1);
			await target().patch(`${path(space, "test-rc")}/scale`, strategic, { spec: { replicas: 2 } });
			await target().watch(events, metadata.resourceVersion, ({ object }) => object.status.readyReplicas === 2);
			expect(
				(
					await target().get(
						events.replace(/^.*\?/, `/${resource === "replicasets" ? "apis/apps/v1" : "api/v1"}/${resource}?`),
					)
				).items,
			).toHaveLength(1);
			// Without a word a ReplicationController's pods would be left behind.
			await target().delete(events, { propagationPolicy: "Background" });
			await target().watch(events, metadata.resourceVersion, ({ type }) => type === "DELETED");
			await eventually(async () => expect(await space.pods()).toEqual([]));
		});
	}

	test.concurrent("a ReplicaSet is scaled by an update and patched", async () => {
		await using space = await target().namespace("rs-patch");
		await target().post(space.apps("replicasets"), workload("test-rs", 1));
		const path = space.apps("replicasets", "test-rs");
		await space.until(path, ({ status }) => status.readyReplicas === 1);
		await target().update(path, (set) => {
			set.spec.replicas = 2;
		});
		await space.until(path, ({ status }) => status.readyReplicas === 2);
		const patched = await target().patch(path, strategic, {
			metadata: { labels: { "test-rs": "patched" } },
			spec: {
				replicas: 3,
				template: { spec: { TerminationGracePeriodSeconds: 0, containers: [{ name: "httpd", image: images.pause }] } },
			},
		});
		expect(patched).toMatchObject({ metadata: { labels: { "test-rs": "patched" } }, spec: { replicas: 3 } });
		await space.until(path, ({ status }) => status.readyReplicas === 3);
	});
});
