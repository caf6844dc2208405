import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { containerConfig, nodeServer, runtimeContract, sandboxConfig } from "../contract/contract.ts";
import { type Runtime, runsToCompletionAnnotation } from "../runtime.ts";
import { createSimulatedRuntime, simulatedState } from "./runtime.ts";

runtimeContract("simulated", {
	noPrograms: "simulated containers run no programs",
	server: nodeServer,
	async open() {
		const clock = new VirtualClock();
		const state = simulatedState();
		return {
			runtime: createSimulatedRuntime({ clock, state }),
			reopen: async () => createSimulatedRuntime({ clock, state }),
			pass: () => clock.advance(10),
			directory: "/nowhere",
			dispose: async () => {},
		};
	},
});

describe("simulated runtime", () => {
	async function start(
		runtime: Runtime,
		uid: string,
		annotations: Record<string, string>,
		attempt = 0,
	): Promise<string> {
		const sandbox = await runtime.createSandbox(sandboxConfig(uid, { annotations }));
		const config = containerConfig("/nowhere", "main", { attempt });
		const container = await runtime.createContainer(sandbox.id, config);
		await runtime.startContainer(container.id);
		return container.id;
	}
	const state = async (runtime: Runtime, id: string) => {
		return (await runtime.listContainers()).find((container) => container.id === id);
	};

	it("sets no timer for a pod that runs for ever", async () => {
		const clock = new VirtualClock();
		const runtime = createSimulatedRuntime({ clock });
		for (let pod = 0; pod < 100; pod++) await start(runtime, `pod-${pod}`, {});
		expect(clock.nextDueMs()).toBeUndefined();
		expect((await runtime.listContainers()).filter((container) => container.state === "running")).toHaveLength(100);
	});

	it("ends a container that is meant to end after a second", async () => {
		const clock = new VirtualClock();
		const runtime = createSimulatedRuntime({ clock });
		const sandbox = await runtime.createSandbox(sandboxConfig("pod"));
		const annotations = { [runsToCompletionAnnotation]: "true" };
		const { id } = await runtime.createContainer(sandbox.id, containerConfig("/nowhere", "main", { annotations }));
		await runtime.startContainer(id);
		await clock.advance(999);
		expect((await state(runtime, id))?.state).toBe("running");
		await clock.advance(1);
		expect(await state(runtime, id)).toMatchObject({ state: "exited", exitCode: 0, reason: "Completed" });
		expect(runtime.logText(id)).toContain("main ended with exit code 0");
	});

	it("ends after the annotated duration with the exit code of the attempt", async () => {
		const clock = new VirtualClock();
		const runtime = createSimulatedRuntime({ clock });
		const annotations = { "simulate.coxswain.io/duration": "1m30s", "simulate.coxswain.io/exit-code": "1,0" };
		const first = await start(runtime, "pod", annotations);
		await clock.advance(89_999);
		expect((await state(runtime, first))?.state).toBe("running");
		await clock.advance(1);
		expect(await state(runtime, first)).toMatchObject({ state: "exited", exitCode: 1, reason: "Error" });
		const second = await start(runtime, "pod", annotations, 1);
		await clock.advance(90_000);
		expect(await state(runtime, second)).toMatchObject({ exitCode: 0, reason: "Completed" });
	});

	it("takes the ready delay to start, and an annotation for one container over that of the pod", async () => {
		const clock = new VirtualClock();
		const runtime = createSimulatedRuntime({ clock });
		const annotations = {
			"simulate.coxswain.io/ready-delay": "5s",
			"simulate.coxswain.io/duration": "1h",
			"duration.simulate.coxswain.io/main": "2",
		};
		const starting = start(runtime, "pod", annotations);
		await clock.advance(4_999);
		expect((await runtime.listContainers())[0]?.state).toBe("created");
		await clock.advance(1);
		const id = await starting;
		expect((await state(runtime, id))?.state).toBe("running");
		await clock.advance(2_000);
		expect((await state(runtime, id))?.state).toBe("exited");
	});

	it("fails the given share of runs, the same ones for the same seed", async () => {
		const run = async (seed: number) => {
			const clock = new VirtualClock({ seed });
			const runtime = createSimulatedRuntime({ clock });
			const annotations = { "simulate.coxswain.io/duration": "1s", "simulate.coxswain.io/failure-rate": "0.25" };
			for (let pod = 0; pod < 200; pod++) await start(runtime, `pod-${pod}`, annotations);
			await clock.advance(1_000);
			return (await runtime.listContainers()).map((container) => container.exitCode);
		};
		const codes = await run(7);
		expect(codes.filter((code) => code === 1).length).toBeGreaterThan(30);
		expect(codes.filter((code) => code === 1).length).toBeLessThan(70);
		expect(await run(7)).toEqual(codes);
	});

	it("cannot pull from a registry whose name is reserved for being wrong", async () => {
		const runtime = createSimulatedRuntime({ clock: new VirtualClock() });
		const pull = runtime.resolveImage("registry.invalid/app:1", { pullPolicy: "Always", hasCommand: false });
		await expect(pull).rejects.toMatchObject({ reason: "ErrImagePull" });
	});
});
