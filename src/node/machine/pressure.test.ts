/** Conditions of a node by its machine's figures. */
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { readKubeletConfiguration } from "../context/kubelet-configuration.ts";
import { pressureOf, usualThresholds, watchPressure } from "./pressure.ts";

const mebi = 1024 ** 2;
const healthy = {
	availableMemoryBytes: 200 * mebi,
	totalMemoryBytes: 1000 * mebi,
	fs: { capacityBytes: 1000, availableBytes: 200, usedBytes: 800, inodes: 1000, freeInodes: 500 },
};
const fs = (changes: Partial<typeof healthy.fs>) => ({ ...healthy, fs: { ...healthy.fs, ...changes } });

it.each([
	["nothing", healthy, []],
	["little memory", { ...healthy, availableMemoryBytes: 99 * mebi }, ["MemoryPressure"]],
	["little disk", fs({ availableBytes: 99 }), ["DiskPressure"]],
	["few inodes", fs({ freeInodes: 49 }), ["DiskPressure"]],
	["no inodes to count", fs({ inodes: 0, freeInodes: 0 }), []],
])("%s", (_, usage, expected) => {
	expect([...pressureOf(usage, usualThresholds)]).toEqual(expected);
});

it("goes by the thresholds of a configuration, and by none that it leaves out", () => {
	const { evictionHard } = readKubeletConfiguration({ evictionHard: { "nodefs.available": "500" } });
	expect([...pressureOf({ ...healthy, availableMemoryBytes: 0 }, evictionHard)]).toEqual(["DiskPressure"]);
	const read = (thresholds: unknown) => () => readKubeletConfiguration({ evictionHard: thresholds });
	expect(read({ "imagefs.available": "5%" })).toThrow("evictionHard");
	expect(read({ "memory.available": "much" })).toThrow("evictionHard.memory.available");
	expect(read([])).toThrow("evictionHard: must be a mapping");
});

it("says so at once, and takes it back when all has been well for five minutes", async () => {
	const clock = new VirtualClock();
	let available = 200;
	const seen: string[] = [];
	const watch = watchPressure({
		clock,
		read: async () => ({
			...fs({ availableBytes: available }),
			bootedAtMs: 0,
			cores: 1,
			memoryBytes: 0,
			rssBytes: 0,
			cpuNanoseconds: 0,
		}),
		thresholds: usualThresholds,
		changed: () => seen.push(`${clock.monotonicMs() / 1000} s: ${[...watch.now].join()}`),
	});
	const until = async (seconds: number) => {
		await setImmediate();
		while (clock.monotonicMs() < seconds * 1000) {
			clock.step();
			await setImmediate();
		}
	};
	const startMs = clock.monotonicMs();
	await until(startMs / 1000 + 20);
	expect(seen).toEqual([]);
	available = 50;
	await until(startMs / 1000 + 30);
	available = 200;
	await until(startMs / 1000 + 600);
	watch.stop();
	expect(seen).toEqual([`${startMs / 1000 + 30} s: DiskPressure`, `${startMs / 1000 + 330} s: `]);
});
