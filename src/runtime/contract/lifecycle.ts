/** The lifecycle of sandboxes and containers: for every runtime, including simulated ones. */
import { expect, it } from "vitest";
import type { Stage } from "./stage.ts";

export function lifecycleContract(node: Stage): void {
	it("lists a container as created, running and exited, with its times and exit code", async () => {
		const made = await node.sandbox({ durationMs: 30, exitCode: 3 });
		const created = await node.create(made.id, { durationMs: 30, exitCode: 3 });
		expect(await node.get(created.id)).toMatchObject({
			state: "created",
			sandboxId: made.id,
			config: { name: "main" },
		});
		await node.runtime.startContainer(created.id);
		const ended = await node.exited(created.id);
		expect(ended).toMatchObject({ exitCode: 3, reason: "Error" });
		expect(ended.startedAtMs).toBeGreaterThanOrEqual(ended.createdAtMs);
		expect(ended.finishedAtMs).toBeGreaterThanOrEqual(ended.startedAtMs ?? Number.NaN);
	});

	it("tells about one pod what lists tell", async () => {
		const [{ id, sandbox: made }] = [await node.play({ durationMs: 1000 }), await node.play({ durationMs: 1000 })];
		const pod = await node.runtime.ofPod?.(made.config.podUid);
		if (pod === undefined) return;
		expect(pod.sandboxes.map((sandbox) => sandbox.id)).toEqual([made.id]);
		expect(pod.containers).toEqual([await node.get(id)]);
		expect(await node.runtime.ofPod?.("nobody")).toEqual({ sandboxes: [], containers: [] });
	});

	it("says Completed for exit code 0", async () => {
		const { id } = await node.play({ durationMs: 10 });
		expect(await node.exited(id)).toMatchObject({ exitCode: 0, reason: "Completed" });
	});

	it("reports an exit by onChange with the UID of the pod, once the state shows it", async () => {
		const seen: string[] = [];
		node.runtime.onChange((uid) => seen.push(uid));
		const { id, sandbox: made } = await node.play({ durationMs: 20 });
		await node.until("onChange is called", async () => seen.includes(made.config.podUid));
		expect((await node.get(id)).state).toBe("exited");
	});

	it("gives the same sandbox for the same pod and attempt", async () => {
		const made = await node.sandbox();
		expect((await node.runtime.createSandbox(made.config)).id).toBe(made.id);
		expect(await node.runtime.listSandboxes()).toHaveLength(1);
	});

	it("makes sandboxes with the node's own network", async () => {
		const { id, sandbox: made } = await node.play({ durationMs: 10 }, { hostNetwork: true });
		expect(made.networkNamespace).toBeUndefined();
		expect(await node.exited(id)).toMatchObject({ exitCode: 0 });
	});

	it("stops a container, and again without error", async () => {
		const { id } = await node.play({ script: "trap 'exit 0' TERM; sleep 1000 & wait" });
		await node.runtime.stopContainer(id, 10_000);
		expect((await node.get(id)).state).toBe("exited");
		await node.runtime.stopContainer(id, 10_000);
	});

	it("stops a sandbox with everything in it, and removes it without trace", async () => {
		const { id, sandbox: made } = await node.play({});
		await node.runtime.stopSandbox(made.id);
		expect((await node.get(id)).state).toBe("exited");
		expect((await node.runtime.listSandboxes())[0]?.state).toBe("notReady");
		await node.runtime.stopSandbox(made.id);
		await node.runtime.removeSandbox(made.id);
		await node.runtime.removeSandbox(made.id);
		expect(await node.runtime.listSandboxes()).toEqual([]);
		expect(await node.runtime.listContainers()).toEqual([]);
	});

	it("removes a running container", async () => {
		const { id } = await node.play({});
		await node.runtime.removeContainer(id);
		await node.runtime.removeContainer(id);
		expect(await node.runtime.listContainers()).toEqual([]);
	});

	it("lists sandboxes and containers again after the agent restarts, and reports their exit", async () => {
		const forever = await node.play({});
		const short = await node.play({ durationMs: 300, exitCode: 5 });
		const unstarted = await node.create(forever.sandbox.id, {}, "second");
		await node.reopen();
		const seen: string[] = [];
		node.runtime.onChange((uid) => seen.push(uid));
		expect(await node.runtime.listSandboxes()).toHaveLength(2);
		expect(await node.get(forever.id)).toMatchObject({ state: "running", config: { image: "busybox" } });
		expect(await node.get(unstarted.id)).toMatchObject({ state: "created" });
		expect(await node.exited(short.id)).toMatchObject({ exitCode: 5, reason: "Error" });
		await node.until(
			"onChange is called",
			async () => !node.runsPrograms || seen.includes(short.sandbox.config.podUid),
		);
		await node.runtime.stopContainer(forever.id, 0);
		expect((await node.get(forever.id)).state).toBe("exited");
	});

	it("lists running containers in stats", async () => {
		const { id } = await node.play({});
		expect((await node.runtime.stats()).map((stats) => stats.containerId)).toEqual([id]);
	});

	it("refuses names that are no image names", async () => {
		const refused = node.runtime.resolveImage("No Image", { pullPolicy: "IfNotPresent", hasCommand: true });
		await expect(refused).rejects.toMatchObject({ name: "ImageError", reason: "InvalidImageName" });
	});
}
