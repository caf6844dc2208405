/** Whole rollouts, with what must hold at every step. */
import { afterEach, describe, expect, test } from "vitest";
import { statefulSetController } from "../../src/controllers/statefulset/controller.ts";
import { volumeBinder } from "../../src/controllers/volumes/binder.ts";
import { claimProtection, volumeProtection } from "../../src/controllers/volumes/protection.ts";
import { standardStorageClass } from "../../src/controllers/volumes/standard-class.ts";
import { controllerRevisions } from "../../src/kinds/apps/controllerrevision.ts";
import { statefulSets } from "../../src/kinds/apps/statefulset.ts";
import type { StatefulSetSpec } from "../../src/kinds/generated/types.ts";
import { pods } from "../../src/kinds/pod/pod.ts";
import { persistentVolumes } from "../../src/kinds/storage/persistentvolume.ts";
import { persistentVolumeClaims } from "../../src/kinds/storage/persistentvolumeclaim.ts";
import { storageClasses } from "../../src/kinds/storage/storageclass.ts";
import { createWorld, serving, type World } from "./harness.ts";
import { images, ref, selector, setImage, template, trials } from "./web.ts";

let world: World | undefined;

afterEach(async () => {
	await world?.close();
	world = undefined;
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
			const { metadata, status } = at.informers.of(statefulSets).get("default", "web") ?? {};
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
			expect([...at.informers.of(controllerRevisions).list()].map(({ revision }) => revision).sort()).toEqual([1, 2]);
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
			for (const { metadata } of at.informers.of(persistentVolumeClaims).list()) {
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
			[...at.informers.of(persistentVolumeClaims).list()].filter(({ status }) => status?.phase === "Bound");
		await at.until("both claims are bound", () => bound().length === 2);
		const [volume] = at.informers.of(persistentVolumes).list();
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
		const claim = () => at.informers.of(persistentVolumeClaims).get("default", "data");
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
		const volume = () => [...at.informers.of(persistentVolumes).list()][0];
		await at.until("the volume waits for its node", () => volume()?.metadata.finalizers?.length === 1);
		expect(volume()?.metadata.finalizers).toEqual(["coxswain.io/local-volume"]);
		expect(volume()?.status?.phase).toBe("Released");
	});
});
