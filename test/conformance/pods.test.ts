import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, isReady, type Json, json, merge, strategic } from "./harness.ts";
import { images, podOf, shell } from "./objects.ts";

conformance("Pods", "shared", (target) => {
	test.concurrent("is submitted, seen running, and removed", async () => {
		await using space = await target().namespace("pod-life");
		const { metadata } = await target().get(`${space.core("pods")}?labelSelector=time%3D1`);
		await target().post(
			space.core("pods"),
			podOf(
				"pod-submit",
				{ image: images.nginx },
				{ restartPolicy: "Always", terminationGracePeriodSeconds: 30 },
				{ labels: { time: "1" } },
			),
		);
		const events = `${space.core("pods")}?labelSelector=time%3D1`;
		await target().watch(events, metadata.resourceVersion, ({ type }) => type === "ADDED");
		const pod = await space.running("pod-submit");
		await target().delete(space.core("pods", "pod-submit"), { gracePeriodSeconds: 30 });
		const marked = await target().watch(
			events,
			pod.metadata.resourceVersion,
			({ object }) => object.metadata.deletionTimestamp !== undefined,
		);
		expect(marked.object.metadata.deletionGracePeriodSeconds).toBe(30);
		const last = await target().watch(events, pod.metadata.resourceVersion, ({ type }) => type === "DELETED");
		expect(last.object.metadata.deletionTimestamp).toBeDefined();
		expect((await target().get(events)).items).toEqual([]);
	});

	test.concurrent("labels are updated, and activeDeadlineSeconds ends it", async () => {
		await using space = await target().namespace("pod-update");
		await space.run(
			podOf("pod-update", { image: images.pause }, { restartPolicy: "Always" }, { labels: { time: "1" } }),
		);
		await target().update(space.core("pods", "pod-update"), (pod) => {
			pod.metadata.labels.time = "2";
		});
		expect(await space.pods("time=2")).toHaveLength(1);
		await target().update(space.core("pods", "pod-update"), (pod) => {
			pod.spec.activeDeadlineSeconds = 1;
		});
		const ended = await space.ended("pod-update");
		expect(ended.status).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
	});

	test.concurrent("a collection of pods is deleted", async () => {
		await using space = await target().namespace("pod-collection");
		for (const index of [1, 2, 3])
			await target().post(
				space.core("pods"),
				podOf(
					`test-pod-${index}`,
					shell("sleep 1000"),
					{ terminationGracePeriodSeconds: 1 },
					{ labels: { type: "Testing" } },
				),
			);
		await target().delete(`${space.core("pods")}?labelSelector=type%3DTesting`);
		await eventually(async () => expect(await space.pods("type=Testing")).toEqual([]));
	});

	test.concurrent("the lifecycle of a pod and its status", async () => {
		await using space = await target().namespace("pod-status");
		const { metadata } = await target().get(space.core("pods"));
		const events = `${space.core("pods")}?labelSelector=test-pod-static%3Dtrue`;
		await target().post(
			space.core("pods"),
			podOf(
				"pod-test",
				{},
				{ terminationGracePeriodSeconds: 1, restartPolicy: "Always" },
				{ labels: { "test-pod-static": "true" } },
			),
		);
		const running = await target().watch(events, metadata.resourceVersion, ({ object }) => isReady(object));
		const patch = {
			metadata: { labels: { "test-pod": "patched" } },
			spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "main", image: images.pause }] },
		};
		await target().patch(space.core("pods", "pod-test"), strategic, patch);
		const changed = await target().watch(
			events,
			running.object.metadata.resourceVersion,
			({ object }) => object.metadata.labels["test-pod"] === "patched",
		);
		expect(changed.object.spec.containers[0].image).toBe(images.pause);
		const updated = await target().update(
			space.core("pods", "pod-test"),
			(pod) => {
				pod.status.conditions = pod.status.conditions.map((entry: Json) =>
					entry.type === "Ready" ? { ...entry, status: "False" } : entry,
				);
			},
			"/status",
		);
		expect(condition(updated, "Ready").status).toBe("False");
		const patched = await target().patch(`${space.core("pods", "pod-test")}/status`, strategic, {
			status: { message: "Patched by e2e test", reason: "E2E" },
		});
		expect(patched.status).toMatchObject({ message: "Patched by e2e test", reason: "E2E" });
		await target().delete(events);
		await target().watch(events, metadata.resourceVersion, ({ type }) => type === "DELETED");
	});

	test.concurrent("QoS classes are set", async () => {
		await using space = await target().namespace("pod-qos");
		const resources = { cpu: "100m", memory: "100Mi" };
		const pod = await target().post(
			space.core("pods"),
			podOf("pod-qos", { image: images.pause, resources: { limits: resources, requests: resources } }),
		);
		expect(pod.status.qosClass).toBe("Guaranteed");
	});

	test.concurrent("a runtime class's overhead is set, and a class that does not exist refused", async () => {
		await using space = await target().namespace("runtimeclass");
		const missing = await target().send(
			"POST",
			space.core("pods"),
			podOf("missing", {}, { runtimeClassName: `${space.name}-none` }),
		);
		expect(missing).toMatchObject({ status: 403, body: { reason: "Forbidden" } });
		const name = `${space.name}-class`;
		await target().post("/apis/node.k8s.io/v1/runtimeclasses", {
			metadata: { name },
			handler: "runc",
			overhead: { podFixed: { cpu: "10m", memory: "1Mi" } },
		});
		const pod = await target().post(
			space.core("pods"),
			podOf("overhead", { image: images.pause }, { runtimeClassName: name }),
		);
		expect(pod.spec.overhead).toEqual({ cpu: "10m", memory: "1Mi" });
		await space.until(space.core("pods", "overhead"), (object) => condition(object, "PodScheduled")?.status === "True");
		await target().delete(`/apis/node.k8s.io/v1/runtimeclasses/${name}`);
	});

	test.concurrent("finalizers hold a pod, and JSON patches take them away", async () => {
		await using space = await target().namespace("finalizer");
		await space.run(podOf("held", { image: images.pause }, {}, { finalizers: ["example.com/hold"] }));
		await target().delete(space.core("pods", "held"));
		await space.until(space.core("pods", "held"), (pod) => pod.metadata.deletionTimestamp !== undefined);
		await target().patch(space.core("pods", "held"), json, [{ op: "remove", path: "/metadata/finalizers" }]);
		await space.gone(space.core("pods", "held"));
	});

	test.concurrent("an Eviction without a budget, and a pod of another's uid kept", async () => {
		await using space = await target().namespace("evict");
		await space.run(podOf("victim", { image: images.pause }));
		const wrong = await target().send("DELETE", space.core("pods", "victim"), {
			preconditions: { uid: "someone-else" },
		});
		expect(wrong.status).toBe(409);
		await target().patch(space.core("pods", "victim"), merge, { metadata: { labels: { kept: "yes" } } });
		await target().post(`${space.core("pods", "victim")}/eviction`, {
			apiVersion: "policy/v1",
			kind: "Eviction",
			metadata: { name: "victim", namespace: space.name },
		});
		await space.gone(space.core("pods", "victim"));
	});
});
