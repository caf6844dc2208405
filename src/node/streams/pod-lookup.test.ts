import { describe, expect, test } from "vitest";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Container } from "../../runtime/runtime.ts";
import { findLogged, findPod, logOptions } from "./pod-lookup.ts";

const pod = (waiting?: { reason: string }, uid = "u1"): Pod => ({
	apiVersion: "v1",
	kind: "Pod",
	metadata: { name: "web", namespace: "default", uid, resourceVersion: "1", creationTimestamp: "" },
	spec: { containers: [{ name: "c" }] },
	status: {
		containerStatuses: [
			{
				name: "c",
				image: "",
				imageID: "",
				ready: false,
				restartCount: 0,
				state: waiting === undefined ? { running: {} } : { waiting },
			},
		],
	},
});
// The lookup reads no other fields of a container.
const instance = (attempt: number, state: Container["state"]) =>
	({ id: `c-${attempt}`, state, config: { name: "c", attempt } }) as unknown as Container;
const runtime = (...containers: Container[]) => ({ sandboxes: [], containers });

describe("looking for a log", () => {
	test.each([
		[{ reason: "ContainerCreating" }, 'container "c" in pod "web" is waiting to start: ContainerCreating'],
		[{ reason: "PodInitializing" }, 'container "c" in pod "web" is waiting to start: PodInitializing'],
		[
			{ reason: "ImagePullBackOff" },
			'container "c" in pod "web" is waiting to start: trying and failing to pull image',
		],
	])("says what a container waits for: %j", (waiting, message) => {
		expect(() => findLogged(pod(waiting), "c", runtime(), false)).toThrow(message);
	});
	test("refuses a container that the pod does not have", () => {
		expect(() => findLogged(pod(), "x", runtime(), false)).toThrow("container x is not valid for pod web");
	});
	test("finds the instance before the one that runs", () => {
		const containers = runtime(instance(0, "exited"), instance(1, "running"));
		expect(findLogged(pod(), "c", containers, false).id).toBe("c-1");
		expect(findLogged(pod(), "c", containers, true).id).toBe("c-0");
		expect(() => findLogged(pod(), "c", runtime(instance(0, "running")), true)).toThrow(
			'previous terminated container "c" in pod "web" not found',
		);
	});
	test("takes the one that ended last as the previous one while a restart is held back", () => {
		const containers = runtime(instance(0, "exited"), instance(1, "exited"));
		expect(findLogged(pod({ reason: "CrashLoopBackOff" }), "c", containers, true).id).toBe("c-1");
	});
});

test("of two pods with one name, the one with the wanted UID is found", () => {
	expect(findPod([pod(undefined, "a"), pod(undefined, "b")], "default", "web", "b").metadata.uid).toBe("b");
	expect(() => findPod([pod()], "default", "other", null)).toThrow('pod "other" not found');
});

test("log options are read as the API writes them", () => {
	const query = new URLSearchParams("tailLines=5&sinceSeconds=10&timestamps=true&follow=1&limitBytes=100");
	expect(logOptions(query, 60_000)).toEqual({
		tailLines: 5,
		sinceMs: 50_000,
		limitBytes: 100,
		timestamps: true,
		follow: true,
		previous: false,
	});
	expect(() => logOptions(new URLSearchParams("tailLines=-1"), 0)).toThrow("tailLines");
});
