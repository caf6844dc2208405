import { expect, test } from "vitest";
import { parseTimestamp } from "../../core/time/clock.ts";
import type { ContainerState, ContainerStatus, Pod, PodStatus } from "../generated/types.ts";
import { cells } from "../testing.ts";

const nowMs = parseTimestamp("2026-01-01T01:00:00Z");
const status = (name: string, state: ContainerState, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
	name,
	state,
	image: "i",
	imageID: "",
	ready: false,
	restartCount: 0,
	...more,
});
const running = (name: string, ready = true) => status(name, { running: {} }, { ready });
const ended = (name: string, exitCode: number, reason?: string) =>
	status(name, { terminated: { exitCode, ...(reason === undefined ? {} : { reason }) } });
const waiting = (name: string, reason: string) => status(name, { waiting: { reason } });

function row(podStatus: PodStatus, more: Partial<Pod["spec"]> = {}, metadata: object = {}): string {
	const pod: Pod = {
		apiVersion: "v1",
		kind: "Pod",
		metadata: { name: "p", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z", ...metadata },
		spec: { containers: [{ name: "a" }], ...more },
		status: podStatus,
	};
	const { Ready, Status, Restarts, Age } = cells(pod, nowMs);
	return [Ready, Status, Restarts, Age].join(" ");
}

const two = { containers: [{ name: "a" }, { name: "b" }] };
const init = { initContainers: [{ name: "i" }, { name: "j" }] };
const sidecar = { initContainers: [{ name: "s", restartPolicy: "Always" }] };

test.each<[string, string, () => string]>([
	["a new pod", "0/1 Pending 0 60m", () => row({ phase: "Pending" })],
	[
		"a pod that is starting",
		"0/1 ContainerCreating 0 60m",
		() => row({ phase: "Pending", containerStatuses: [waiting("a", "ContainerCreating")] }),
	],
	["a running pod", "1/1 Running 0 60m", () => row({ phase: "Running", containerStatuses: [running("a")] })],
	[
		"one of two is ready",
		"1/2 Running 0 60m",
		() => row({ phase: "Running", containerStatuses: [running("a"), running("b", false)] }, two),
	],
	[
		"a pod that succeeded",
		"0/1 Completed 0 60m",
		() => row({ phase: "Succeeded", containerStatuses: [ended("a", 0, "Completed")] }),
	],
	["a pod that failed", "0/1 Error 0 60m", () => row({ phase: "Failed", containerStatuses: [ended("a", 1, "Error")] })],
	[
		"an exit without a reason",
		"0/1 ExitCode:3 0 60m",
		() => row({ phase: "Failed", containerStatuses: [ended("a", 3)] }),
	],
	["an evicted pod", "0/1 Evicted 0 60m", () => row({ phase: "Failed", reason: "Evicted" })],
	[
		"the second init container at work",
		"0/1 Init:1/2 0 60m",
		() =>
			row(
				{
					phase: "Pending",
					initContainerStatuses: [ended("i", 0, "Completed"), running("j", false)],
					containerStatuses: [waiting("a", "PodInitializing")],
				},
				init,
			),
	],
	[
		"an init container that fails",
		"0/1 Init:Error 0 60m",
		() => row({ phase: "Pending", initContainerStatuses: [ended("i", 1, "Error")] }, init),
	],
	[
		"an init container that keeps failing",
		"0/1 Init:CrashLoopBackOff 0 60m",
		() => row({ phase: "Pending", initContainerStatuses: [waiting("i", "CrashLoopBackOff")] }, init),
	],
	[
		"between init and main",
		"0/1 PodInitializing 0 60m",
		() =>
			row(
				{
					phase: "Pending",
					initContainerStatuses: [ended("i", 0), ended("j", 0)],
					containerStatuses: [waiting("a", "PodInitializing")],
				},
				init,
			),
	],
	[
		"a sidecar counts",
		"2/2 Running 0 60m",
		() =>
			row(
				{
					phase: "Running",
					initContainerStatuses: [{ ...running("s"), started: true }],
					containerStatuses: [running("a")],
				},
				sidecar,
			),
	],
	[
		"one done, one running and not ready",
		"1/2 NotReady 0 60m",
		() => row({ phase: "Running", containerStatuses: [ended("a", 0, "Completed"), running("b")] }, two),
	],
	[
		"a pod that is being deleted",
		"1/1 Terminating 0 60m",
		() =>
			row({ phase: "Running", containerStatuses: [running("a")] }, {}, { deletionTimestamp: "2026-01-01T00:59:00Z" }),
	],
	[
		"a lost pod that is being deleted",
		"1/1 Unknown 0 60m",
		() =>
			row(
				{ phase: "Running", reason: "NodeLost", containerStatuses: [running("a")] },
				{},
				{ deletionTimestamp: "2026-01-01T00:59:00Z" },
			),
	],
	[
		"a pod that waits at a gate",
		"0/1 SchedulingGated 0 60m",
		() => row({ phase: "Pending", conditions: [{ type: "PodScheduled", status: "False", reason: "SchedulingGated" }] }),
	],
	[
		"a pod that keeps crashing",
		"0/1 CrashLoopBackOff 4 (90s ago) 60m",
		() =>
			row({
				phase: "Running",
				containerStatuses: [
					{
						...waiting("a", "CrashLoopBackOff"),
						restartCount: 4,
						lastState: { terminated: { exitCode: 1, finishedAt: "2026-01-01T00:58:30Z" } },
					},
				],
			}),
	],
])("%s: %s", (_name, expected, actual) => {
	expect(actual()).toBe(expected);
});
