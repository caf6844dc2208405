/**
 * Containers that start over where they are: by their own policy, by their exit code, one or all of a pod (KEP-5307,
 * KEP-5532).
 */
import { expect, test } from "vitest";
import { condition, conformance, type Json, type Namespace } from "./harness.ts";
import { images, podOf } from "./objects.ts";

const always = { restartPolicy: "Always" };
const never = { restartPolicy: "Never" };
const onExit = (action: string, code = 42) => ({
	restartPolicyRules: [{ action, exitCodes: { operator: "In", values: [code] } }],
});
const all = { ...onExit("RestartAllContainers") };
const shell = (name: string, script: string, more: Json = {}): Json => ({
	name,
	image: images.busybox,
	command: ["/bin/sh", "-c", script],
	...more,
});
const statusesOf = ({ status }: Json): Json[] => [
	...(status.initContainerStatuses ?? []),
	...(status.containerStatuses ?? []),
];
const statusOf = (pod: Json, name: string) => statusesOf(pod).find((status) => status.name === name);

conformance("restarts in place", "shared", (target) => {
	test.concurrent("a container's own restart policy and rules go before the pod's", async () => {
		await using space = await target().namespace("rules");
		const pods: [name: string, again: boolean, podPolicy: string, code: number, more: Json][] = [
			["rule-matches", true, "Never", 42, { ...never, ...onExit("Restart") }],
			["rule-is-for-another-code", false, "Never", 1, { ...never, ...onExit("Restart") }],
			["container-says-never", false, "Always", 1, never],
			["container-says-always", true, "Never", 1, always],
			["pod-says-always", true, "Always", 1, {}],
		];
		await Promise.all(
			pods.map(async ([name, again, restartPolicy, code, more]) => {
				await target().post(space.core("pods"), podOf(name, shell("main", `exit ${code}`, more), { restartPolicy }));
				const path = space.core("pods", name);
				if (again) {
					await space.until(path, (pod) => statusOf(pod, "main")?.restartCount > 0);
					return;
				}
				const pod = await space.ended(name);
				expect(pod.status.phase, name).toBe("Failed");
				expect(statusOf(pod, "main").restartCount, name).toBe(0);
			}),
		);
	});

	/** Waits until each of the containers has been started once more, and those of `run` do run. */
	const restarted = async (space: Namespace, name: string, containers: readonly string[], run: readonly string[]) =>
		space.until(
			space.core("pods", name),
			(pod: Json) =>
				containers.every((container) => {
					const status = statusOf(pod, container);
					return status?.restartCount > 0 && status.lastState.terminated !== undefined;
				}) && run.every((container) => statusOf(pod, container)?.state.running !== undefined),
		);
	const work = { volumeMounts: [{ name: "work", mountPath: "/mnt" }] };
	const volumes = [{ name: "work", emptyDir: {} }];
	const sidecar = shell("sidecar", "sleep 10000", always);
	const regular = shell("regular", "touch /mnt/regular; sleep 10000", work);
	/** Exits when these containers have started: what has not started yet is not restarted. */
	const exitAfter = (...names: string[]) => {
		const started = names.map((name) => `[ -f /mnt/${name} ]`).join(" && ");
		return `[ -f /mnt/again ] && sleep 10000; until ${started}; do sleep 0.1; done; touch /mnt/again; exit 42`;
	};

	test.concurrent("the end of a regular container restarts all, also those that are done, and keeps what the pod has", async () => {
		await using space = await target().namespace("all-regular");
		const source = shell("source", exitAfter("regular", "done"), { ...never, ...all, ...work });
		const done = shell("done", "touch /mnt/done; exit 3", work);
		const pod = podOf("pod", source, {
			initContainers: [shell("init", "exit 0"), sidecar],
			containers: [regular, done],
			volumes,
		});
		const { metadata } = await target().post(space.core("pods"), pod);
		const path = space.core("pods", "pod");
		const { podIP } = (await space.until(path, ({ status }) => status.podIP !== undefined)).status;
		const { object } = await target().watch(
			space.core("pods"),
			metadata.resourceVersion,
			(event) => condition(event.object, "AllContainersRestarting")?.status === "True",
		);
		expect(condition(object, "AllContainersRestarting").reason).toBe("RestartAllContainersStarted");
		const names = ["init", "sidecar", "source", "regular", "done"];
		const again = await restarted(space, "pod", names, ["sidecar", "source", "regular"]);
		for (const { lastState } of statusesOf(again))
			expect(lastState.terminated).toMatchObject({ exitCode: 137, reason: "RestartingAllContainers" });
		expect(statusesOf(again).map(({ restartCount }) => restartCount)).toEqual([1, 1, 1, 1, 1]);
		expect(condition(again, "AllContainersRestarting").status).toBe("False");
		expect(again.status).toMatchObject({ phase: "Running", podIP });
		expect(again.metadata.uid).toBe(metadata.uid);
	});

	test.concurrent("so does the end of a sidecar", async () => {
		await using space = await target().namespace("all-sidecar");
		const source = shell("source", exitAfter("regular"), { ...always, ...all, ...work });
		await target().post(
			space.core("pods"),
			podOf("pod", regular, { initContainers: [shell("init", "exit 0"), sidecar, source], volumes }),
		);
		await restarted(space, "pod", ["init", "sidecar", "source", "regular"], ["source", "regular"]);
	});

	test.concurrent("the end of an init container restarts those before it", async () => {
		await using space = await target().namespace("all-init");
		const script = "if [ -f /mnt/again ]; then exit 0; else touch /mnt/again; exit 42; fi";
		const source = shell("source", script, { ...never, ...all, ...work });
		await target().post(
			space.core("pods"),
			podOf("pod", regular, { initContainers: [sidecar, shell("init", "exit 0"), source], volumes }),
		);
		const pod = await restarted(space, "pod", ["init", "sidecar", "source"], ["regular"]);
		expect(statusOf(pod, "regular").restartCount).toBe(0);
	});

	test.concurrent("several may ask for it, and it happens once", async () => {
		await using space = await target().namespace("all-twice");
		const source = shell("source", exitAfter("regular"), { ...never, ...all, ...work });
		// Killed with 137, which its rule is not for.
		const other = { ...regular, ...never, ...all };
		await target().post(space.core("pods"), podOf("pod", source, { containers: [other], volumes }));
		const pod = await restarted(space, "pod", ["source", "regular"], ["source", "regular"]);
		expect(statusesOf(pod).map(({ restartCount }) => restartCount)).toEqual([1, 1]);
	});

	test.concurrent("a container that was restarted alone may ask for it later", async () => {
		await using space = await target().namespace("all-later");
		const script = `[ -f /mnt/one ] || { touch /mnt/one; exit 1; }; ${exitAfter("regular")}`;
		const source = shell("source", script, { ...always, ...all, ...work });
		await target().post(
			space.core("pods"),
			podOf("pod", source, { restartPolicy: "Always", containers: [regular], volumes }),
		);
		const pod = await restarted(space, "pod", ["source", "regular"], ["source", "regular"]);
		expect(statusOf(pod, "source").restartCount).toBe(2);
	});
});
