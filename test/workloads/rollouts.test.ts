/** Whole rollouts of the workload controllers, with what must hold at every step. */
import { afterEach, describe, expect, test } from "vitest";
import { daemonSetController } from "../../src/controllers/daemonset/controller.ts";
import { deploymentController } from "../../src/controllers/deployment/controller.ts";
import { replicaSetController } from "../../src/controllers/replicaset/controller.ts";
import { statefulSetController } from "../../src/controllers/statefulset/controller.ts";
import { volumeBinder } from "../../src/controllers/volumes/binder.ts";
import { claimProtection, volumeProtection } from "../../src/controllers/volumes/protection.ts";
import { standardStorageClass } from "../../src/controllers/volumes/standard-class.ts";
import { controllerRevisions } from "../../src/kinds/controllerrevision.ts";
import { daemonSets } from "../../src/kinds/daemonset.ts";
import { deployments } from "../../src/kinds/deployment.ts";
import type { DaemonSetSpec, DeploymentSpec, Pod, StatefulSetSpec } from "../../src/kinds/generated/types.ts";
import { nodes } from "../../src/kinds/node.ts";
import { persistentVolumes } from "../../src/kinds/persistentvolume.ts";
import { persistentVolumeClaims } from "../../src/kinds/persistentvolumeclaim.ts";
import { pods } from "../../src/kinds/pod.ts";
import { replicaSets } from "../../src/kinds/replicaset.ts";
import { statefulSets } from "../../src/kinds/statefulset.ts";
import { storageClasses } from "../../src/kinds/storageclass.ts";
import { createWorld, serving, type World } from "./harness.ts";

let world: World | undefined;

afterEach(async () => {
	await world?.close();
	world = undefined;
});

/** With faults, controllers have to cope with writes that fail and writes of which they do not learn that they succeeded. */
const trials = [
	{ seed: 1, faults: 0 },
	{ seed: 2, faults: 0 },
	{ seed: 3, faults: 0.05 },
	{ seed: 4, faults: 0.1 },
	{ seed: 5, faults: 0.2 },
];

const labels = { app: "web" };
const selector = { matchLabels: labels };
const ref = { namespace: "default", name: "web" };
const template = (image: string) => ({ metadata: { labels }, spec: { containers: [{ name: "main", image }] } });
const images = (all: readonly Pod[]) => new Set(all.map(({ spec }) => spec.containers[0]?.image));
const setImage = (image: string) =>
	({ type: "merge", patch: { spec: { template: { spec: { containers: [{ name: "main", image }] } } } } }) as const;

describe("deployment", () => {
	const start = async (spec: Partial<DeploymentSpec>, options: Parameters<typeof createWorld>[1] = {}) => {
		world = await createWorld([deploymentController, replicaSetController], options);
		await world.client.create(deployments, {
			metadata: ref,
			spec: { replicas: 10, selector, template: template("a:1"), ...spec },
		});
		await settled(world);
		return world;
	};
	const settled = (at: World) =>
		at.until("the rollout is complete", () => {
			const { metadata, spec, status } = at.mirror.of(deployments).get("default", "web") ?? {};
			const wanted = spec?.replicas;
			return (
				status?.observedGeneration === metadata?.generation &&
				status?.updatedReplicas === wanted &&
				status?.availableReplicas === wanted &&
				status?.replicas === wanted
			);
		});

	for (const { seed, faults } of trials) {
		test(`a rolling update keeps its bounds at every step (seed ${seed}, faults ${faults})`, async () => {
			const at = await start(
				{ strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } } },
				{ seed, faults },
			);
			at.onPods((all) => {
				const active = all.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
				const wanted = [...at.mirror.of(replicaSets).list()].reduce((sum, { spec }) => sum + (spec?.replicas ?? 0), 0);
				expect(wanted, "replicas with the surge").toBeLessThanOrEqual(13);
				// A deletion that fails leaves a pod longer than the replicas say.
				if (faults === 0) expect(active.length, "pods with the surge").toBeLessThanOrEqual(13);
				expect(serving(all).length, "pods that serve").toBeGreaterThanOrEqual(8);
			});
			await at.patch(deployments, ref, setImage("a:2"));
			// A second change in the middle of the first.
			await at.clock.advance(300);
			await at.patch(deployments, ref, setImage("a:3"));
			await settled(at);
			await at.until("old pods are gone", () => at.pods().length === 10);
			expect([...images(at.pods())]).toEqual(["a:3"]);
			const revisions = [...at.mirror.of(replicaSets).list()].map(
				({ metadata }) => metadata.annotations?.["deployment.kubernetes.io/revision"],
			);
			expect(revisions.sort()).toEqual(["1", "2", "3"]);
		});
	}

	test("Recreate never has pods of two templates", async () => {
		const at = await start({ replicas: 4, strategy: { type: "Recreate" } });
		at.onPods((all) => expect(images(all).size).toBeLessThanOrEqual(1));
		await at.patch(deployments, ref, setImage("a:2"));
		await settled(at);
		expect([...images(at.pods())]).toEqual(["a:2"]);
	});

	test("a rollout that does not come forward is reported after its deadline, and rolling back mends it", async () => {
		const broken = (pod: Pod) => (pod.spec.containers[0]?.image === "bad" ? undefined : 100);
		const at = await start({ replicas: 3, progressDeadlineSeconds: 60 }, { behaviour: { readyMs: broken } });
		await at.patch(deployments, ref, setImage("bad"));
		const progressing = () =>
			at.mirror
				.of(deployments)
				.get("default", "web")
				?.status?.conditions?.find(({ type }) => type === "Progressing");
		await at.until("the deadline is missed", () => progressing()?.reason === "ProgressDeadlineExceeded");
		expect(serving(at.pods()).length).toBe(3);
		await at.patch(deployments, ref, setImage("a:1"));
		await settled(at);
		expect(progressing()?.reason).toBe("NewReplicaSetAvailable");
		expect(at.mirror.of(deployments).get("default", "web")?.metadata.annotations).toMatchObject({
			"deployment.kubernetes.io/revision": "3",
		});
	});

	test("a paused deployment waits, and scales all the same", async () => {
		const at = await start({ replicas: 2 });
		await at.patch(deployments, ref, { type: "merge", patch: { spec: { paused: true } } });
		await at.patch(deployments, ref, setImage("a:2"));
		await at.patch(deployments, ref, { type: "merge", patch: { spec: { replicas: 5 } } });
		await at.until("it has scaled", () => serving(at.pods()).length === 5);
		expect([...images(at.pods())]).toEqual(["a:1"]);
		await at.patch(deployments, ref, { type: "merge", patch: { spec: { paused: false } } });
		await settled(at);
		await at.until("old pods are gone", () => at.pods().length === 5);
		expect([...images(at.pods())]).toEqual(["a:2"]);
	});

	test("an orphaned set is adopted by a new deployment of the same template", async () => {
		const at = await start({ replicas: 2 });
		const before = [...at.mirror.of(pods).list()].map(({ metadata }) => metadata.uid).sort();
		await at.client.delete(deployments, ref, { propagationPolicy: "Orphan" });
		// Nobody collects garbage here: let go by hand.
		await at.client
			.patch(deployments, ref, { type: "merge", patch: { metadata: { finalizers: null } } })
			.catch(() => {});
		for (const { metadata } of at.mirror.of(replicaSets).list()) {
			const change = { metadata: { ownerReferences: null } };
			await at.patch(replicaSets, metadata, { type: "merge", patch: change });
		}
		await at.client.create(deployments, { metadata: ref, spec: { replicas: 2, selector, template: template("a:1") } });
		await settled(at);
		expect([...at.mirror.of(pods).list()].map(({ metadata }) => metadata.uid).sort()).toEqual(before);
	});
});

describe("statefulset", () => {
	const start = async (spec: Partial<StatefulSetSpec>, options: Parameters<typeof createWorld>[1] = {}) => {
		const controllers = [statefulSetController, volumeBinder, claimProtection, volumeProtection];
		world = await createWorld(controllers, options);
		const at = world;
		at.onPods((all) => {
			const names = all.map(({ metadata }) => metadata.name);
			expect(new Set(names).size, "pods of one identity").toBe(names.length);
		});
		await at.client.create(storageClasses, standardStorageClass);
		await at.client.create(statefulSets, {
			metadata: ref,
			spec: { replicas: 3, serviceName: "web", selector, template: template("a:1"), ...spec },
		});
		return at;
	};
	const settled = (at: World, count: number) =>
		at.until("the set is complete", () => {
			const { metadata, status } = at.mirror.of(statefulSets).get("default", "web") ?? {};
			return (
				status?.observedGeneration === metadata?.generation &&
				status?.readyReplicas === count &&
				status?.replicas === count &&
				status?.updatedReplicas === count &&
				status?.currentRevision === status?.updateRevision
			);
		});

	for (const { seed, faults } of trials) {
		test(`an ordered set comes, is updated and goes one pod at a time (seed ${seed}, faults ${faults})`, async () => {
			const at = await start({}, { seed, faults });
			let least = 0;
			at.onPods((all) => {
				const ordinals = all.map(({ metadata }) => Number(metadata.name.slice("web-".length)));
				const ready = serving(all).map(({ metadata }) => Number(metadata.name.slice("web-".length)));
				const young = all.filter((pod) => pod.status?.phase === "Pending");
				expect(young.length, "pods that start at the same time").toBeLessThanOrEqual(1);
				expect(ready.length, "pods that serve").toBeGreaterThanOrEqual(least);
				if (least > 0) return;
				for (const ordinal of ordinals) for (let lower = 0; lower < ordinal; lower++) expect(ready).toContain(lower);
			});
			await settled(at, 3);
			least = 2;
			await at.patch(statefulSets, ref, setImage("a:2"));
			await settled(at, 3);
			expect([...images(at.pods())]).toEqual(["a:2"]);
			least = 0;
			await at.patch(statefulSets, ref, { type: "merge", patch: { spec: { replicas: 1 } } });
			await at.until("two pods are gone", () => at.pods().length === 1);
			await settled(at, 1);
			expect([...at.mirror.of(controllerRevisions).list()].map(({ revision }) => revision).sort()).toEqual([1, 2]);
			if (faults === 0) expect(at.errors).toEqual([]);
		});
	}

	test("a parallel set updates no more pods at a time than it may", async () => {
		const strategy = { type: "RollingUpdate", rollingUpdate: { partition: 0, maxUnavailable: 2 } };
		const at = await start({ replicas: 6, podManagementPolicy: "Parallel", updateStrategy: strategy });
		await settled(at, 6);
		at.onPods((all) => expect(serving(all).length).toBeGreaterThanOrEqual(4));
		await at.patch(statefulSets, ref, setImage("a:2"));
		await settled(at, 6);
		expect([...images(at.pods())]).toEqual(["a:2"]);
	});

	test("a partition is moved down step by step", async () => {
		const strategy = (partition: number) => ({ type: "RollingUpdate", rollingUpdate: { partition } });
		const at = await start({ updateStrategy: strategy(3) });
		await settled(at, 3);
		await at.patch(statefulSets, ref, setImage("a:2"));
		for (const partition of [2, 1, 0]) {
			await at.patch(statefulSets, ref, {
				type: "merge",
				patch: { spec: { updateStrategy: strategy(partition) } },
			});
			await at.until(`pods from ${partition} on are updated`, () => {
				const updated = serving(at.pods()).filter(({ spec }) => spec.containers[0]?.image === "a:2");
				return updated.length === 3 - partition && serving(at.pods()).length === 3;
			});
		}
		await settled(at, 3);
	});

	test("a pod that is deleted comes back under its name and with its claim", async () => {
		const storage = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
		// A template's own kind and version are not looked at.
		const claim = { metadata: { name: "data" }, spec: storage } as never;
		const at = await start({ replicas: 2, volumeClaimTemplates: [claim] });
		const choose = async () => {
			for (const { metadata } of at.mirror.of(persistentVolumeClaims).list()) {
				const annotations = { "volume.kubernetes.io/selected-node": "node-1" };
				await at.patch(persistentVolumeClaims, metadata, {
					type: "merge",
					patch: { metadata: { annotations } },
				});
			}
		};
		await settled(at, 2);
		await choose();
		const bound = () =>
			[...at.mirror.of(persistentVolumeClaims).list()].filter(({ status }) => status?.phase === "Bound");
		await at.until("both claims are bound", () => bound().length === 2);
		const [volume] = at.mirror.of(persistentVolumes).list();
		expect(volume?.status?.phase).toBe("Bound");
		expect(volume?.spec.local?.path).toBe(`/var/lib/coxswain/volumes/${volume?.metadata.name}`);
		const uids = bound()
			.map(({ metadata }) => metadata.uid)
			.sort();
		const before = at.pods().find(({ metadata }) => metadata.name === "web-0");
		await at.client.delete(pods, { namespace: "default", name: "web-0" });
		await at.until("another web-0 is ready", () =>
			serving(at.pods()).some(({ metadata }) => metadata.name === "web-0" && metadata.uid !== before?.metadata.uid),
		);
		expect(
			bound()
				.map(({ metadata }) => metadata.uid)
				.sort(),
		).toEqual(uids);
	});

	test("a claim in use is deleted once its pod is gone, its volume after that", async () => {
		const at = await start({ replicas: 0 });
		const storage = { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
		const name = { namespace: "default", name: "data" };
		const annotations = { "volume.kubernetes.io/selected-node": "node-0" };
		await at.client.create(persistentVolumeClaims, { metadata: { ...name, annotations }, spec: storage });
		const claim = () => at.mirror.of(persistentVolumeClaims).get("default", "data");
		await at.until("the claim is bound", () => claim()?.status?.phase === "Bound");
		const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
		const user = { namespace: "default", name: "user" };
		await at.client.create(pods, { metadata: user, spec: { ...template("a:1").spec, volumes } });
		await at.until("the pod runs", () => serving(at.pods()).length === 1);
		await at.client.delete(persistentVolumeClaims, name);
		await at.clock.advance(5000);
		expect(claim()?.metadata.deletionTimestamp).toBeDefined();
		await at.client.delete(pods, user);
		await at.until("the claim is gone", () => claim() === undefined);
		const volume = () => [...at.mirror.of(persistentVolumes).list()][0];
		await at.until("the volume waits for its node", () => volume()?.metadata.finalizers?.length === 1);
		expect(volume()?.metadata.finalizers).toEqual(["coxswain.io/local-volume"]);
		expect(volume()?.status?.phase).toBe("Released");
	});
});

describe("daemonset", () => {
	const start = async (spec: Partial<DaemonSetSpec>, nodeCount: number) => {
		world = await createWorld([daemonSetController], { nodeCount });
		await world.client.create(daemonSets, { metadata: ref, spec: { selector, template: template("a:1"), ...spec } });
		await settled(world, nodeCount);
		return world;
	};
	const settled = (at: World, count: number) =>
		at.until("every node has an updated pod", () => {
			const { metadata, status } = at.mirror.of(daemonSets).get("default", "web") ?? {};
			return (
				status?.observedGeneration === metadata?.generation &&
				status?.desiredNumberScheduled === count &&
				(status?.numberAvailable ?? 0) === count &&
				(status?.updatedNumberScheduled ?? 0) === count
			);
		});

	test("a rolling update leaves no more nodes without a pod than it may, and never two pods on a node", async () => {
		const rollingUpdate = { maxUnavailable: 2, maxSurge: 0 };
		const at = await start({ updateStrategy: { type: "RollingUpdate", rollingUpdate } }, 8);
		at.onPods((all) => {
			expect(serving(all).length).toBeGreaterThanOrEqual(6);
			expect(all.length).toBeLessThanOrEqual(8);
		});
		await at.patch(daemonSets, ref, setImage("a:2"));
		await settled(at, 8);
		expect([...images(at.pods())]).toEqual(["a:2"]);
	});

	test("a rolling update with surge keeps every node served", async () => {
		const rollingUpdate = { maxUnavailable: 0, maxSurge: 3 };
		const at = await start({ updateStrategy: { type: "RollingUpdate", rollingUpdate } }, 8);
		at.onPods((all) => {
			const served = new Set(serving(all).map(({ spec }) => spec.nodeName));
			expect(served.size).toBe(8);
			expect(all.filter(({ metadata }) => metadata.deletionTimestamp === undefined).length).toBeLessThanOrEqual(11);
		});
		await at.patch(daemonSets, ref, setImage("a:2"));
		await settled(at, 8);
		await at.until("old pods are gone", () => at.pods().length === 8);
	});

	test("revisions made and removed by hand are left as they are, and the next template gets the next number", async () => {
		const at = await start({}, 2);
		const revisions = () =>
			[...at.mirror.of(controllerRevisions).list()].sort((left, right) => left.revision - right.revision);
		const before = at.pods().map(({ metadata }) => metadata.uid);
		const [first] = revisions();
		if (first === undefined) throw new Error("a daemonset has a revision");
		const { namespace, annotations, ownerReferences } = first.metadata;
		const byHand = { ...labels, "controller-revision-hash": "mine" };
		await at.client.create(controllerRevisions, {
			metadata: { namespace, name: "web-mine", labels: byHand, annotations, ownerReferences },
			data: first.data,
			revision: 2,
		});
		await at.clock.advance(10_000);
		expect(revisions().map(({ revision }) => revision)).toEqual([1, 2]);
		await at.client.delete(controllerRevisions, first.metadata);
		await at.clock.advance(10_000);
		expect(revisions().map(({ metadata }) => metadata.name)).toEqual(["web-mine"]);
		expect(at.pods().map(({ metadata }) => metadata.uid)).toEqual(before);
		await at.patch(daemonSets, ref, setImage("a:2"));
		await settled(at, 2);
		expect(revisions().map(({ revision }) => revision)).toEqual([2, 3]);
		await at.client.delete(controllerRevisions, { namespace: "default", name: "web-mine" });
		await at.clock.advance(10_000);
		expect(revisions().map(({ revision }) => revision)).toEqual([3]);
	});

	test("a failed pod is replaced, more slowly each time", async () => {
		const at = await start({}, 1);
		const fail = async () => {
			const pod = serving(at.pods())[0];
			if (pod === undefined) throw new Error("nothing serves");
			const failedAtMs = at.clock.now();
			const failed = { metadata: { uid: pod.metadata.uid }, status: { phase: "Failed", conditions: null } };
			await at.patch(pods, pod.metadata, { type: "merge", patch: failed }, "status");
			await at.until("another pod serves", () =>
				serving(at.pods()).some(({ metadata }) => metadata.uid !== pod.metadata.uid),
			);
			return at.clock.now() - failedAtMs;
		};
		const waits = [await fail(), await fail(), await fail(), await fail(), await fail()];
		expect(waits[0]).toBeLessThan(1000);
		expect(waits[4]).toBeGreaterThan(4000);
	});

	test("nodes come and go, are tainted and labelled", async () => {
		const at = await start({}, 2);
		await at.client.create(nodes, { metadata: { name: "node-new" }, spec: {} });
		await settled(at, 3);
		const taints = [{ key: "broken", effect: "NoExecute" }];
		await at.patch(nodes, { name: "node-0" }, { type: "merge", patch: { spec: { taints } } });
		await settled(at, 2);
		await at.until("its pod is gone", () => at.pods().every(({ spec }) => spec.nodeName !== "node-0"));
		await at.patch(nodes, { name: "node-0" }, { type: "merge", patch: { spec: { taints: null } } });
		await settled(at, 3);
		const nodeSelector = { disk: "ssd" };
		await at.patch(daemonSets, ref, {
			type: "merge",
			patch: { spec: { template: { spec: { nodeSelector } } } },
		});
		await settled(at, 0);
		await at.until("no pod is left", () => at.pods().length === 0);
		await at.patch(nodes, { name: "node-1" }, { type: "merge", patch: { metadata: { labels: nodeSelector } } });
		await settled(at, 1);
	});
});
