import { expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, isReady, type Json, json, merge, type Namespace, slow, strategic } from "./harness.ts";
import { images } from "./objects.ts";
import { allReady, labels, scale, selector, setOf, start } from "./web-set.ts";

const page = "/usr/local/apache2/htdocs/index.html";
const breakPage = async (space: Namespace, pods: readonly string[]) => {
	for (const pod of pods) await space.exec(pod, `mv -v ${page} /tmp/ || true`);
};
const mendPage = async (space: Namespace, pods: readonly string[]) => {
	for (const pod of pods) await space.exec(pod, `mv -v /tmp/index.html ${page} || true`);
};
const notReady = (space: Namespace, count: number) =>
	space.until(space.apps("statefulsets", "ss"), ({ status }) => (status.readyReplicas ?? 0) === count);
/** The controller has acted on the spec as it is: the status is the last that it writes. */
const observed = (space: Namespace) =>
	space.until(
		space.apps("statefulsets", "ss"),
		({ status, metadata }) => status.observedGeneration === metadata.generation,
	);
const setImage = (space: Namespace, image: string) =>
	space.target.patch(space.apps("statefulsets", "ss"), strategic, {
		spec: { template: { spec: { containers: [{ name: "webserver", image }] } } },
	});
const revisionsOf = async (space: Namespace) =>
	(await space.pods(selector)).map((pod) => pod.metadata.labels["controller-revision-hash"]);
const nameOf = ({ metadata }: Json): string => metadata.name;
const isRolledOut = ({ status }: Json) =>
	status.currentRevision === status.updateRevision && status.updatedReplicas === 3;

conformance("StatefulSet", "shared", (target) => {
	test.concurrent("rolling update and roll back go from the last pod to the first, and a roll back makes no new revision", async () => {
		await using space = await target().namespace("ss-update");
		const first = await start(space, setOf(3));
		const revision = first.status.currentRevision;
		expect(first.status.updateRevision).toBe(revision);
		expect(await revisionsOf(space)).toEqual([revision, revision, revision]);
		await breakPage(space, ["ss-1"]);
		await notReady(space, 2);
		await setImage(space, images.httpdNew);
		const updating = await space.until(
			space.apps("statefulsets", "ss"),
			({ status }) => status.updateRevision !== revision,
		);
		expect(updating.status.currentRevision).toBe(revision);
		await mendPage(space, ["ss-1"]);
		const updated = await space.until(space.apps("statefulsets", "ss"), isRolledOut);
		const next = updated.status.updateRevision;
		expect(await revisionsOf(space)).toEqual([next, next, next]);
		expect((await space.pods(selector)).map((pod) => pod.spec.containers[0].image)).toEqual(
			Array(3).fill(images.httpdNew),
		);
		await breakPage(space, ["ss-1"]);
		await notReady(space, 2);
		await setImage(space, images.httpd);
		await space.until(space.apps("statefulsets", "ss"), ({ status }) => status.updateRevision === revision);
		await mendPage(space, ["ss-1"]);
		await space.until(space.apps("statefulsets", "ss"), isRolledOut);
		expect(await revisionsOf(space)).toEqual([revision, revision, revision]);
	}, 90_000);

	test.concurrent("canaries and phased updates respect the partition, also for deleted pods", async () => {
		await using space = await target().namespace("ss-canary");
		const partitioned = (partition: number) => ({
			updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition } },
		});
		const old = (await start(space, setOf(3, partitioned(3)))).status.currentRevision;
		await setImage(space, images.httpdNew);
		const { status } = await space.until(space.apps("statefulsets", "ss"), (set) => set.status.updateRevision !== old);
		const next = status.updateRevision;
		expect(await revisionsOf(space)).toEqual([old, old, old]);
		const patch = (partition: number) =>
			target().patch(space.apps("statefulsets", "ss"), strategic, { spec: partitioned(partition) });
		await patch(2);
		await eventually(async () => expect(await revisionsOf(space)).toEqual([old, old, next]));
		await allReady(space, 3);
		for (const pod of ["ss-0", "ss-2"]) await target().delete(space.core("pods", pod));
		await eventually(async () => expect(await revisionsOf(space)).toEqual([old, old, next]));
		await allReady(space, 3);
		for (const partition of [1, 0]) {
			await patch(partition);
			const wanted = [0, 1, 2].map((ordinal) => (ordinal < partition ? old : next));
			await eventually(async () => expect(await revisionsOf(space)).toEqual(wanted));
			await allReady(space, 3);
		}
		await space.until(space.apps("statefulsets", "ss"), isRolledOut);
	}, 90_000);

	test.concurrent("scaling goes up and down in order, and waits for an unhealthy pod", async () => {
		await using space = await target().namespace("ss-scale");
		const { metadata } = await target().get(space.core("pods"));
		const order = (type: string, names: string[], version: string) => {
			const left = [...names];
			return target().watch(`${space.core("pods")}?labelSelector=${selector}`, version, (event) => {
				if (event.type === type && event.object.metadata.name === left[0]) left.shift();
				return left.length === 0;
			});
		};
		const up = order("ADDED", ["ss-0", "ss-1", "ss-2"], metadata.resourceVersion);
		await start(space, setOf(1));
		await breakPage(space, ["ss-0"]);
		await notReady(space, 0);
		await scale(space, 3);
		await observed(space);
		expect(await space.pods(selector)).toHaveLength(1);
		await mendPage(space, ["ss-0"]);
		await allReady(space, 3);
		await up;
		const before = await target().get(space.core("pods"));
		const down = order("DELETED", ["ss-2", "ss-1", "ss-0"], before.metadata.resourceVersion);
		await breakPage(space, ["ss-0", "ss-1", "ss-2"]);
		await notReady(space, 0);
		await scale(space, 0);
		await observed(space);
		expect((await space.pods(selector)).map((pod) => pod.metadata.deletionTimestamp)).toEqual(Array(3).fill(undefined));
		// Not the last: it may go as soon as no other is unhealthy.
		await mendPage(space, ["ss-0", "ss-1"]);
		await down;
		await space.until(space.apps("statefulsets", "ss"), ({ status }) => status.replicas === 0);
	}, 90_000);

	test.concurrent("burst scaling goes on with unhealthy pods", async () => {
		await using space = await target().namespace("ss-burst");
		await start(space, setOf(1, { podManagementPolicy: "Parallel" }));
		await breakPage(space, ["ss-0"]);
		await notReady(space, 0);
		await scale(space, 3);
		await eventually(async () => expect(await space.pods(selector)).toHaveLength(3));
		await mendPage(space, ["ss-0"]);
		await allReady(space, 3);
		await breakPage(space, ["ss-0", "ss-1", "ss-2"]);
		await notReady(space, 0);
		await scale(space, 0);
		await eventually(async () => expect(await space.pods(selector)).toHaveLength(0));
		await space.until(space.apps("statefulsets", "ss"), ({ status }) => status.replicas === 0);
	}, 90_000);

	test.concurrent("a pod that its node refuses is deleted and made again", async () => {
		await using space = await target().namespace("ss-evicted");
		const { items } = await target().get("/api/v1/nodes");
		const nodeName = items[0].metadata.name;
		const ports = [{ name: "conflict", hostPort: 21017, containerPort: 21017 }];
		await space.run({
			metadata: { name: "test-pod" },
			spec: { nodeName, containers: [{ name: "webserver", image: images.httpd, ports }] },
		});
		const set = setOf(1, {}, { ports });
		set.spec.template.spec.nodeName = nodeName;
		await target().post(space.core("services"), {
			metadata: { name: "test" },
			spec: { clusterIP: "None", selector: labels },
		});
		const { metadata } = await target().get(space.core("pods"));
		await target().post(space.apps("statefulsets"), set);
		const deleted = await target().watch(
			`${space.core("pods")}?fieldSelector=metadata.name%3Dss-0`,
			metadata.resourceVersion,
			({ type }) => type === "DELETED",
		);
		expect(deleted.object.status).toMatchObject({ phase: "Failed", reason: "NodePorts" });
		await target().delete(space.core("pods", "test-pod"), { gracePeriodSeconds: 0 });
		const pod = await space.running("ss-0");
		expect(pod.metadata.uid).not.toBe(deleted.object.metadata.uid);
	}, 60_000);

	test.concurrent("the scale subresource is read, written without a version, and patched", async () => {
		await using space = await target().namespace("ss-scale-api");
		await start(space, setOf(1));
		const path = `${space.apps("statefulsets", "ss")}/scale`;
		const read = await target().get(path);
		expect(read).toMatchObject({
			kind: "Scale",
			apiVersion: "autoscaling/v1",
			spec: { replicas: 1 },
			status: { replicas: 1 },
		});
		delete read.metadata.resourceVersion;
		const written = await target().put(path, { ...read, spec: { replicas: 2 } });
		expect(written.spec.replicas).toBe(2);
		// As a typed client marshals a Scale of which it has set nothing else.
		await target().patch(path, strategic, {
			metadata: { creationTimestamp: null },
			spec: { replicas: 4 },
			status: { replicas: 0 },
		});
		expect((await target().get(space.apps("statefulsets", "ss"))).spec.replicas).toBe(4);
	});

	test.concurrent("a collection is listed, patched and deleted", async () => {
		await using space = await target().namespace("ss-collection");
		await start(space, setOf(1));
		const label = `test-ss=${space.name}`;
		await target().patch(space.apps("statefulsets", "ss"), strategic, {
			metadata: { labels: { "test-ss": space.name } },
			spec: {
				replicas: 2,
				template: {
					spec: { TerminationGracePeriodSeconds: 1, containers: [{ name: "webserver", image: images.httpdNew }] },
				},
			},
		});
		await allReady(space, 2);
		const list = await target().get(`/apis/apps/v1/statefulsets?labelSelector=${label}`);
		expect(list.items.map((set: Json) => set.spec.template.spec.containers[0].image)).toEqual([images.httpdNew]);
		await target().delete(`${space.apps("statefulsets")}?labelSelector=${label}`, { gracePeriodSeconds: 1 });
		expect((await target().get(`/apis/apps/v1/statefulsets?labelSelector=${label}`)).items).toEqual([]);
	});

	test.concurrent("status is read, updated and patched, and a watch sees it", async () => {
		await using space = await target().namespace("ss-status");
		const path = space.apps("statefulsets", "ss");
		const { metadata } = await target().get(`/apis/apps/v1/statefulsets?labelSelector=e2e=testing`);
		await start(space, setOf(1));
		await target().patch(path, strategic, { metadata: { labels: { e2e: "testing" } } });
		expect((await target().get(`${path}/status`)).status.replicas).toBe(1);
		const added = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set from e2e test" };
		const updated = await target().update(
			path,
			(set) => {
				set.status.conditions = [...(set.status.conditions ?? []), added];
			},
			"/status",
		);
		expect(condition(updated, "StatusUpdate")).toMatchObject(added);
		const watched = `${space.apps("statefulsets")}?labelSelector=e2e%3Dtesting`;
		await target().watch(
			watched,
			metadata.resourceVersion,
			({ object }) => condition(object, "StatusUpdate") !== undefined,
		);
		const patched = await target().patch(`${path}/status`, merge, {
			status: { conditions: [{ type: "StatusPatched", status: "True" }] },
		});
		expect(patched.status.conditions).toHaveLength(1);
		await target().watch(
			watched,
			metadata.resourceVersion,
			({ object }) => condition(object, "StatusPatched") !== undefined,
		);
	});

	for (const failing of [false, true]) {
		const how = failing ? "also when a container of it fails at its end" : "also when a finalizer holds it";
		test.concurrent(`a deleted pod below the partition comes back as it was, ${how}`, async () => {
			await using space = await target().namespace("ss-held");
			const set = setOf(3, { updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 1 } } });
			const script = `trap '[ "$POD_NAME" = ss-0 ] && exit 1; exit 0' TERM; while true; do sleep 1; done`;
			const env = [{ name: "POD_NAME", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } }];
			if (failing) {
				const container = { name: "ends-badly", image: images.busybox, command: ["sh", "-c"], args: [script], env };
				set.spec.template.spec.containers.push(container);
			}
			const old = (await start(space, set)).status.currentRevision;
			const first = space.core("pods", "ss-0");
			await target().update(first, (pod) => {
				pod.metadata.finalizers = ["example.com/test"];
			});
			await setImage(space, images.httpdNew);
			const { status } = await space.until(
				space.apps("statefulsets", "ss"),
				({ status }) => status.updatedReplicas === 2 && status.replicas === 3 && status.readyReplicas === 3,
			);
			const { updateRevision: next } = status;
			expect(await revisionsOf(space)).toEqual([old, next, next]);
			const { metadata } = await target().get(first);
			await target().delete(first, { gracePeriodSeconds: 0 });
			await notReady(space, 2);
			expect((await target().get(first)).metadata.uid).toBe(metadata.uid);
			await target().patch(first, json, [{ op: "remove", path: "/metadata/finalizers" }]);
			await allReady(space, 3);
			expect((await target().get(first)).metadata.uid).not.toBe(metadata.uid);
			expect(await revisionsOf(space)).toEqual([old, next, next]);
		}, 90_000);
	}

	test.concurrent("the first ordinal may be moved up, down and away", async () => {
		await using space = await target().namespace("ss-ordinals");
		await start(space, setOf(2));
		const becomes = async (spec: Json, names: string[]) => {
			await target().update(space.apps("statefulsets", "ss"), (set) => {
				Object.assign(set.spec, spec);
			});
			await eventually(async () => {
				const ready = (await space.pods(selector)).map((pod) => [nameOf(pod), isReady(pod)]);
				expect(ready).toEqual(names.map((name) => [name, true]));
			});
			await space.until(
				space.apps("statefulsets", "ss"),
				({ status, metadata }) =>
					status.observedGeneration === metadata.generation &&
					status.replicas === names.length &&
					status.readyReplicas === names.length,
			);
		};
		await becomes({ replicas: 3, ordinals: { start: 2 } }, ["ss-2", "ss-3", "ss-4"]);
		await becomes({ replicas: 2 }, ["ss-2", "ss-3"]);
		await becomes({ ordinals: { start: 4 } }, ["ss-4", "ss-5"]);
		await becomes({ ordinals: { start: 3 } }, ["ss-3", "ss-4"]);
		const [pod] = await space.pods(selector);
		expect(pod.metadata.labels["apps.kubernetes.io/pod-index"]).toBe("3");
		await becomes({ ordinals: null }, ["ss-0", "ss-1"]);
	}, 90_000);

	test.concurrent("a name is a label, and a claim template may not change", async () => {
		await using space = await target().namespace("ss-refused");
		const dotted = { ...setOf(1), metadata: { name: "a.b" } };
		expect((await target().send("POST", space.apps("statefulsets"), dotted)).status).toBe(422);
		await target().post(space.apps("statefulsets"), setOf(0));
		const change = { spec: { serviceName: "other" } };
		const answer = await target().send("PATCH", space.apps("statefulsets", "ss"), change, { "Content-Type": merge });
		expect(answer.body.message).toContain("updates to statefulset spec for fields other than 'replicas', 'ordinals', ");
	});

	slow(
		"availability waits for minReadySeconds and follows its changes",
		async () => {
			await using space = await target().namespace("ss-ready");
			// The second pod waits until the first has been ready for long enough.
			await target().post(space.apps("statefulsets"), setOf(2, { minReadySeconds: 15 }));
			const path = space.apps("statefulsets", "ss");
			const available = (count: number) =>
				space.until(path, ({ status }) => (status.availableReplicas ?? 0) === count, 60_000);
			expect((await target().get(path)).status.availableReplicas ?? 0).toBe(0);
			await available(2);
			for (const [minReadySeconds, count] of [
				[3600, 0],
				[0, 2],
			] as const) {
				await target().patch(path, strategic, { spec: { minReadySeconds } });
				await available(count);
			}
		},
		120_000,
	);
});
