/**
 * What a pod's generation counts, and who says which of them it has seen (KEP-5067); what becomes of pods that a node
 * refuses.
 */
import { expect, test } from "vitest";
import { condition, conformance, type Json, type Namespace } from "./harness.ts";
import { images, pauseOf, podOf, shell } from "./objects.ts";

conformance("generations of pods", "shared", (target) => {
	const observed = (space: Namespace, name: string, generation: number) =>
		space.until(
			space.core("pods", name),
			({ metadata, status }) => metadata.generation === generation && status.observedGeneration === generation,
		);

	test.concurrent("each change of the specification counts, of nothing else", async () => {
		await using space = await target().namespace("generation");
		const init = { name: "init", ...shell("exit 0") };
		await space.run(podOf("counted", { image: images.agnhost }, { initContainers: [init] }));
		const changes: [what: string, change: (pod: Json) => void, counts: boolean][] = [
			["nothing", () => {}, false],
			["a toleration", ({ spec }) => spec.tolerations.push({ key: "foo", operator: "Exists" }), true],
			["the deadline", ({ spec }) => Object.assign(spec, { activeDeadlineSeconds: 5000 }), true],
			["an image", ({ spec }) => Object.assign(spec.containers[0], { image: images.nginx }), true],
			["an init container's image", ({ spec }) => Object.assign(spec.initContainers[0], { image: images.pause }), true],
			["an annotation", ({ metadata }) => Object.assign(metadata, { annotations: { key: "value" } }), false],
			["the generation itself", ({ metadata }) => Object.assign(metadata, { generation: 1 }), false],
		];
		let generation = 1;
		for (const [what, change, counts] of changes) {
			const updated = await target().update(space.core("pods", "counted"), change);
			if (counts) generation++;
			expect(updated.metadata.generation, what).toBe(generation);
			await observed(space, "counted", generation);
		}
	});

	test.concurrent("a new pod begins with 1 whatever it says, and a deletion counts", async () => {
		await using space = await target().namespace("generation-begin");
		const pod = podOf("begins", {}, { terminationGracePeriodSeconds: 60 }, { generation: 100 });
		expect((await space.run(pod)).metadata.generation).toBe(1);
		const answer = await target().send("DELETE", `${space.core("pods", "begins")}?gracePeriodSeconds=60`);
		expect(answer.status).toBe(200);
		expect((await target().get(space.core("pods", "begins"))).metadata.generation).toBe(2);
	});

	test.concurrent("hundreds of changes are all seen in the end", async () => {
		await using space = await target().namespace("generation-many");
		await space.run(podOf("busy", {}, { activeDeadlineSeconds: 5000 }));
		for (let count = 0; count < 200; count++)
			await target().update(space.core("pods", "busy"), ({ spec }) => {
				spec.activeDeadlineSeconds--;
			});
		await observed(space, "busy", 201);
	}, 60_000);

	test.concurrent("conditions say of which generation they are", async () => {
		await using space = await target().namespace("generation-condition");
		const path = space.core("pods", "pulling");
		await target().post(space.core("pods"), podOf("pulling", { image: "localhost/some-image-that-doesnt-exist" }));
		const types = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
		const all = (generation: number) =>
			space.until(path, (pod) => types.every((type) => condition(pod, type)?.observedGeneration === generation));
		await all(1);
		await space.until(path, ({ status }) =>
			["ErrImagePull", "ImagePullBackOff"].includes(status.containerStatuses?.[0].state.waiting?.reason),
		);
		await target().update(path, ({ spec }) => {
			spec.containers[0].image = images.agnhost;
		});
		await all(2);
	});

	test.concurrent("a pod that a node has no room for says so, and stays as it was otherwise", async () => {
		await using space = await target().namespace("rejected");
		const path = space.core("pods", "out-of-cpu");
		const resources = { requests: { cpu: "1000000000000" } };
		await target().post(space.core("pods"), podOf("out-of-cpu", { image: images.pause, resources }));
		const waiting = await space.until(path, (pod) => condition(pod, "PodScheduled")?.reason === "Unschedulable");
		expect(waiting.status.conditions).toEqual([
			expect.objectContaining({ type: "PodScheduled", status: "False", observedGeneration: 1 }),
		]);
		const { name, namespace, uid } = waiting.metadata;
		const [node] = (await target().get("/api/v1/nodes")).items;
		const bound = await target().send("POST", `${path}/binding`, {
			metadata: { name, namespace, uid },
			target: { kind: "Node", name: node.metadata.name },
		});
		expect(bound.status).toBe(201);
		const rejected = await space.ended("out-of-cpu");
		expect(rejected.metadata.generation).toBe(1);
		expect(rejected.status).toMatchObject({
			phase: "Failed",
			reason: "OutOfcpu",
			observedGeneration: 1,
			qosClass: waiting.status.qosClass,
		});
	});

	test.concurrent("a pod for another system is refused by its node", async () => {
		await using space = await target().namespace("other-os");
		const [node] = (await target().get("/api/v1/nodes")).items;
		const pod = pauseOf("wrong-os");
		Object.assign(pod.spec, { os: { name: "windows" }, nodeName: node.metadata.name });
		await target().post(space.core("pods"), pod);
		expect((await space.ended("wrong-os")).status.reason).toBe("PodOSNotSupported");
	});

	test.concurrent("while a pod ends, each container that has ended is no longer ready", async () => {
		await using space = await target().namespace("ending");
		const seconds = 999_999;
		const slow = { name: "slow", image: images.agnhost, lifecycle: { preStop: { sleep: { seconds } } } };
		await space.run(podOf("ends", {}, { terminationGracePeriodSeconds: seconds, containers: [slow] }));
		await target().delete(space.core("pods", "ends"));
		const ready = ({ status }: Json) => status.containerStatuses.map((each: Json) => each.ready);
		await space.until(space.core("pods", "ends"), (pod) => ready(pod).join() === "false,true");
		// The same node ran another pod to its end in the meantime.
		const { spec } = await target().get(space.core("pods", "ends"));
		await space.output(podOf("another", { command: ["/bin/true"] }, { nodeName: spec.nodeName }));
		expect(ready(await target().get(space.core("pods", "ends")))).toEqual([false, true]);
		await target().delete(space.core("pods", "ends"), { gracePeriodSeconds: 0 });
		await space.gone(space.core("pods", "ends"));
	});

	for (const blocked of [false, true]) {
		const what = blocked ? "a container behind a failed init container never starts" : "a failed pod never succeeds";
		test.concurrent(`${what}, whenever it is deleted`, async () => {
			await using space = await target().namespace("fast-delete");
			const fails = { name: "fail", image: images.agnhost, command: ["/bin/false"] };
			const rest = { name: "blocked", image: images.agnhost, command: ["/bin/true"] };
			const spec = { restartPolicy: "Never", terminationGracePeriodSeconds: 1 };
			const containers = blocked ? { initContainers: [fails], containers: [rest] } : { containers: [fails] };
			const once = async (attempt: number) => {
				const metadata = { name: `pod-${attempt}` };
				const created = await target().post(space.core("pods"), { metadata, spec: { ...spec, ...containers } });
				const phases: string[] = [];
				const seen = target().watch(
					`${space.core("pods")}?fieldSelector=metadata.name%3D${metadata.name}`,
					created.metadata.resourceVersion,
					({ type, object }) => {
						phases.push(problem(object, phases), object.status.phase);
						return type === "DELETED";
					},
				);
				await new Promise((resolve) => setTimeout(resolve, attempt * 60));
				await target().delete(space.core("pods", metadata.name));
				const { object } = await seen;
				expect(phases.filter((text) => text.includes("!"))).toEqual([]);
				const running = object.status.containerStatuses?.filter(({ state }: Json) => state.running) ?? [];
				expect(running).toEqual([]);
				expect(["Failed", "Pending"]).toContain(object.status.phase);
			};
			await Promise.all(Array.from({ length: 15 }, (_, attempt) => once(attempt)));
		}, 60_000);
	}

	/** What is wrong with a pod's status after the phases it has had; such texts have an exclamation mark. */
	function problem({ status }: Json, phases: readonly string[]): string {
		if (phases.includes("Failed") && status.phase !== "Failed") return `${status.phase} after Failed!`;
		for (const { name, state, lastState, started } of status.containerStatuses ?? []) {
			if (name === "blocked" && (started || lastState?.terminated || !state.waiting)) return "blocked has started!";
			const { exitCode, reason } = state.terminated ?? { exitCode: 1 };
			if (exitCode !== 1 && exitCode !== 137) return `ended with ${exitCode} ${reason}!`;
		}
		return "";
	}
});
