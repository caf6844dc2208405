import { describe, expect, test } from "vitest";
import { eventually } from "../e2e/cluster.ts";
import { condition, conformance, isReady, type Json, merge, type Namespace, slow, strategic } from "./harness.ts";
import { images, templateOf } from "./objects.ts";

const labels = { foo: "bar", baz: "blah" };
const selector = "baz=blah,foo=bar";
const page = "/usr/local/apache2/htdocs/index.html";
const probe = {
	httpGet: { path: "/index.html", port: 80 },
	periodSeconds: 1,
	successThreshold: 1,
	failureThreshold: 1,
};

function setOf(replicas: number, spec: Json = {}, container: Json = { readinessProbe: probe }): Json {
	return {
		metadata: { name: "ss" },
		spec: {
			replicas,
			serviceName: "test",
			selector: { matchLabels: labels },
			template: templateOf(labels, { name: "webserver", ...container }),
			updateStrategy: { type: "RollingUpdate" },
			...spec,
		},
	};
}

async function start(space: Namespace, set: Json): Promise<Json> {
	await space.target.post(space.core("services"), {
		metadata: { name: "test" },
		spec: { clusterIP: "None", selector: labels, ports: [{ port: 80, name: "http" }] },
	});
	await space.target.post(space.apps("statefulsets"), set);
	return allReady(space, set.spec.replicas);
}

/** As many pods as said, all Running and Ready, and the status says so of this generation. */
async function allReady(space: Namespace, count: number): Promise<Json> {
	await eventually(async () => {
		const pods = await space.pods(selector);
		expect(pods.map((pod) => [pod.metadata.name, isReady(pod)])).toEqual(
			Array.from({ length: count }, (_, ordinal) => [`ss-${ordinal}`, true]),
		);
	});
	return space.until(
		space.apps("statefulsets", "ss"),
		({ status, metadata }) =>
			status.observedGeneration === metadata.generation && (status.readyReplicas ?? 0) === count,
	);
}

const scale = (space: Namespace, replicas: number) =>
	space.target.patch(space.apps("statefulsets", "ss"), strategic, { spec: { replicas } });
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
const isRolledOut = ({ status }: Json) =>
	status.currentRevision === status.updateRevision && status.updatedReplicas === 3;

conformance("StatefulSet", 2, (target) => {
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
		const all = ["ss-0", "ss-1", "ss-2"];
		await breakPage(space, all);
		await notReady(space, 0);
		await scale(space, 0);
		await observed(space);
		expect((await space.pods(selector)).map((pod) => pod.metadata.deletionTimestamp)).toEqual(Array(3).fill(undefined));
		await mendPage(space, all);
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

	describe.concurrent("volume claims", () => {
		const claims = {
			volumeClaimTemplates: [
				{
					metadata: { name: "datadir" },
					spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
				},
			],
		};
		const mounted = { readinessProbe: probe, volumeMounts: [{ name: "datadir", mountPath: "/data/" }] };
		const names = async (space: Namespace) =>
			(await target().get(space.core("persistentvolumeclaims"))).items.map((claim: Json) => claim.metadata.name);

		test.concurrent("claims go with the set, or when it is scaled down, as its policy says", async () => {
			await using space = await target().namespace("ss-claims");
			const policy = { whenScaled: "Delete", whenDeleted: "Delete" };
			await start(space, setOf(3, { ...claims, persistentVolumeClaimRetentionPolicy: policy }, mounted));
			expect(await names(space)).toEqual(["datadir-ss-0", "datadir-ss-1", "datadir-ss-2"]);
			await space.exec("ss-0", "echo kept > /data/file");
			await target().delete(space.core("pods", "ss-0"));
			await allReady(space, 3);
			expect(await space.exec("ss-0", "cat /data/file")).toBe("kept\n");
			await scale(space, 1);
			await eventually(async () => expect(await names(space)).toEqual(["datadir-ss-0"]));
			await target().delete(space.apps("statefulsets", "ss"));
			await eventually(async () => expect(await names(space)).toEqual([]));
		}, 60_000);
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
