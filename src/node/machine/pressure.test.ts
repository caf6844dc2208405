/** Conditions of a node, and what calls for evictions, by its machine's figures. */
import { expect, it } from "vitest";
import { readKubeletConfiguration, usualKubeletConfiguration } from "../context/kubelet-configuration.ts";
import { PressureState } from "./pressure.ts";
import { observe } from "./signals.ts";

const mebi = 1024 ** 2;
const disk = { capacityBytes: 1000, availableBytes: 200, usedBytes: 800, inodes: 1000, freeInodes: 500 };
const healthy = {
	availableMemoryBytes: 200 * mebi,
	totalMemoryBytes: 1000 * mebi,
	fs: disk,
	pids: { available: 1000, capacity: 4000 },
};
const fs = (changes: Partial<typeof disk>) => ({ ...healthy, fs: { ...disk, ...changes } });
const pressureOf = (usage: Parameters<typeof observe>[0], rules = usualKubeletConfiguration) => [
	...new PressureState(rules).look(observe(usage), 0).pressure,
];

it.each([
	["nothing", healthy, []],
	["little memory", { ...healthy, availableMemoryBytes: 99 * mebi }, ["MemoryPressure"]],
	["little disk", fs({ availableBytes: 99 }), ["DiskPressure"]],
	["few inodes", fs({ freeInodes: 49 }), ["DiskPressure"]],
	["no inodes to count", fs({ inodes: 0, freeInodes: 0 }), []],
	["little disk for images", { ...healthy, imageFs: { ...disk, availableBytes: 149 } }, ["DiskPressure"]],
	["few processes, which have no threshold by default", { ...healthy, pids: { available: 1, capacity: 4000 } }, []],
])("%s", (_, usage, expected) => {
	expect(pressureOf(usage)).toEqual(expected);
});

it("goes by the thresholds of a configuration, and by none that it leaves out", () => {
	const rules = readKubeletConfiguration({ evictionHard: { "nodefs.available": "500", "pid.available": "50%" } });
	expect(pressureOf({ ...healthy, availableMemoryBytes: 0 }, rules)).toEqual(["DiskPressure", "PIDPressure"]);
	const read = (document: unknown) => () => readKubeletConfiguration(document);
	expect(read({ evictionHard: { "cpu.available": "5%" } })).toThrow("evictionHard.cpu.available: is not supported");
	expect(read({ evictionHard: { "memory.available": "much" } })).toThrow("evictionHard.memory.available");
	expect(read({ evictionHard: [] })).toThrow("evictionHard: must be a mapping");
	expect(read({ evictionSoft: { "memory.available": "1Gi" } })).toThrow(
		"evictionSoftGracePeriod.memory.available: Required value: every soft threshold needs a grace period",
	);
});

it("says so at once, and takes it back when all has been well for five minutes", () => {
	const state = new PressureState(usualKubeletConfiguration);
	const look = (availableBytes: number, seconds: number) => [
		...state.look(observe(fs({ availableBytes })), seconds * 1000).pressure,
	];
	expect(look(200, 0)).toEqual([]);
	expect(look(50, 10)).toEqual(["DiskPressure"]);
	expect(look(200, 309)).toEqual(["DiskPressure"]);
	expect(look(200, 310)).toEqual([]);
});

it("waits for the grace period of soft thresholds, and reclaims beyond a threshold what a configuration says", () => {
	const rules = readKubeletConfiguration({
		evictionHard: { "memory.available": "10Mi" },
		evictionSoft: { "memory.available": "100Mi" },
		evictionSoftGracePeriod: { "memory.available": "1m30s" },
		evictionMinimumReclaim: { "memory.available": "50Mi" },
	});
	const state = new PressureState(rules);
	const due = (mebibytes: number, seconds: number) =>
		state
			.look(observe({ ...healthy, availableMemoryBytes: mebibytes * mebi }), seconds * 1000)
			.due.map(({ isHard }) => (isHard ? "hard" : "soft"));
	expect(due(90, 0)).toEqual([]);
	expect(due(90, 89)).toEqual([]);
	expect(due(90, 90)).toEqual(["soft"]);
	expect(due(149, 100)).toEqual(["soft"]);
	expect(due(150, 110)).toEqual([]);
	expect(due(149, 120)).toEqual([]);
	expect(due(9, 130)).toEqual(["hard"]);
});
