/** Whole rollouts, with what must hold at every step. */
import { afterEach, describe, expect, test } from "vitest";
import { deploymentController } from "../../src/controllers/deployment/controller.ts";
import { replicaSetController } from "../../src/controllers/replicaset/controller.ts";
import { deployments } from "../../src/kinds/apps/deployment.ts";
import { replicaSets } from "../../src/kinds/apps/replicaset.ts";
import type { DeploymentSpec, Pod } from "../../src/kinds/generated/types.ts";
import { pods } from "../../src/kinds/pod/pod.ts";
import { createWorld, serving, type World } from "./harness.ts";
import { images, ref, selector, setImage, template, trials } from "./web.ts";

let world: World | undefined;

afterEach(async () => {
	await world?.close();
	world = undefined;
});

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
			const { metadata, spec, status } = at.informers.of(deployments).get("default", "web") ?? {};
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
				const wanted = [...at.informers.of(replicaSets).list()].reduce(
					(sum, { spec }) => sum + (spec?.replicas ?? 0),
					0,
				);
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
			const revisions = [...at.informers.of(replicaSets).list()].map(
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
			at.informers
				.of(deployments)
				.get("default", "web")
				?.status?.conditions?.find(({ type }) => type === "Progressing");
		await at.until("the deadline is missed", () => progressing()?.reason === "ProgressDeadlineExceeded");
		expect(serving(at.pods()).length).toBe(3);
		await at.patch(deployments, ref, setImage("a:1"));
		await settled(at);
		expect(progressing()?.reason).toBe("NewReplicaSetAvailable");
		expect(at.informers.of(deployments).get("default", "web")?.metadata.annotations).toMatchObject({
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
		const before = [...at.informers.of(pods).list()].map(({ metadata }) => metadata.uid).sort();
		await at.client.delete(deployments, ref, { propagationPolicy: "Orphan" });
		// Nobody collects garbage here: let go by hand.
		await at.client
			.patch(deployments, ref, { type: "merge", patch: { metadata: { finalizers: null } } })
			.catch(() => {});
		for (const { metadata } of at.informers.of(replicaSets).list()) {
			const change = { metadata: { ownerReferences: null } };
			await at.patch(replicaSets, metadata, { type: "merge", patch: change });
		}
		await at.client.create(deployments, { metadata: ref, spec: { replicas: 2, selector, template: template("a:1") } });
		await settled(at);
		expect([...at.informers.of(pods).list()].map(({ metadata }) => metadata.uid).sort()).toEqual(before);
	});
});
