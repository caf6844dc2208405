import { expect, test } from "vitest";
import { VirtualClock } from "../core/time/virtual-clock.ts";
import type { Pod } from "../kinds/generated/types.ts";
import { type PodInfo, podInfo } from "./model/pod-info.ts";
import { SchedulingQueue } from "./queue.ts";

function pod(name: string, priority = 0): PodInfo {
	const metadata = { name, namespace: "default", uid: name, resourceVersion: "1", creationTimestamp: "" };
	const whole: Pod = { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [], priority } };
	return podInfo(whole);
}

const name = (info: PodInfo | undefined) => info?.pod.metadata.name;

test("higher priority first, then first come, first served", () => {
	const queue = new SchedulingQueue(new VirtualClock(), () => {});
	for (const one of [pod("a"), pod("b", 5), pod("c"), pod("d", 5)]) queue.add(one);
	expect([1, 2, 3, 4, 5].map(() => name(queue.pop()))).toEqual(["b", "d", "a", "c", undefined]);
});

test("a refused pod waits for what it was refused for, and then for its backoff of one second to ten", () => {
	const clock = new VirtualClock();
	const queue = new SchedulingQueue(clock, () => {});
	queue.add(pod("a"));
	const delays: number[] = [];
	for (let attempt = 0; attempt < 5; attempt++) {
		expect(name(queue.pop())).toBe("a");
		queue.refused("default/a", new Set(["node"]));
		queue.wake("storage");
		expect(clock.step()).toBe(false);
		const before = clock.now();
		queue.wake("node");
		expect(queue.pop()).toBeUndefined();
		clock.step();
		delays.push(clock.now() - before);
	}
	expect(delays).toEqual([1000, 2000, 4000, 8000, 10_000]);
});

test("a pod that has waited longer than its backoff is tried at once", async () => {
	const clock = new VirtualClock();
	const queue = new SchedulingQueue(clock, () => {});
	queue.add(pod("a"));
	queue.pop();
	queue.refused("default/a", new Set(["node"]));
	await clock.advance(2000);
	queue.wake("node");
	expect(name(queue.pop())).toBe("a");
});

test("an error is tried again after the backoff, which doubles", async () => {
	const clock = new VirtualClock();
	const queue = new SchedulingQueue(clock, () => {});
	queue.add(pod("a"));
	const delays: number[] = [];
	for (let attempt = 0; attempt < 6; attempt++) {
		queue.pop();
		queue.failed("default/a");
		const before = clock.now();
		clock.step();
		delays.push(clock.now() - before);
	}
	expect(delays).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
});

test("room wakes the most important pod that fits, and no other", () => {
	const queue = new SchedulingQueue(new VirtualClock(), () => {});
	for (const one of [pod("a"), pod("b", 5), pod("big", 9)]) queue.add(one);
	for (let count = 0; count < 3; count++) queue.refused(queue.pop()?.key ?? "", new Set(["node", "podGone"]));
	const wake = () =>
		queue.wakeFirst(
			({ priority }) => priority < 9,
			() => true,
		);
	expect(name(wake())).toBe("b");
	expect([name(queue.pop()), name(queue.pop())]).toEqual(["b", undefined]);
	expect(name(wake())).toBe("a");
	expect(wake()).toBeUndefined();
});

test("what happens while a pod is being tried is not lost", () => {
	const clock = new VirtualClock();
	const queue = new SchedulingQueue(clock, () => {});
	queue.add(pod("a"));
	queue.pop();
	queue.add(pod("a", 3));
	queue.refused("default/a", new Set(["node"]));
	clock.step();
	expect(queue.pop()?.priority).toBe(3);
});
