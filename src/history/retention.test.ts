import { expect, test } from "vitest";
import { type RunEntry, RunIndex } from "./retention.ts";
import { historySettings } from "./settings.ts";

const dayMs = 86_400_000;
const nowMs = 100 * dayMs;
const entry = (name: string, ageDays: number, more: Partial<RunEntry> = {}): RunEntry => ({
	key: name,
	namespace: "default",
	name,
	group: "default/cronjob/nightly",
	atMs: nowMs - ageDays * dayMs,
	ended: true,
	logBytes: 0,
	...more,
});
const indexOf = (...entries: RunEntry[]) => {
	const index = new RunIndex();
	for (const one of entries) index.set(one);
	return index;
};
const names = (entries: readonly RunEntry[]) => entries.map(({ name }) => name);

test("of too many runs of one name the oldest go, and those that still run stay", () => {
	const index = indexOf(
		entry("c", 1),
		entry("a", 3, { ended: false }),
		entry("b", 2),
		entry("other", 9, { group: "x" }),
	);
	expect(names(index.excess(historySettings({ runs: 2 }), nowMs, ["default/cronjob/nightly"]))).toEqual(["b"]);
	index.remove("b");
	expect(index.size).toBe(3);
	expect(names(index.all())).toEqual(["other", "a", "c"]);
});

test("runs go when they are too old, and the oldest when there are too many in all", () => {
	const index = indexOf(entry("old", 31), entry("older", 40), entry("new", 1), entry("newer", 0));
	expect(names(index.excess(historySettings(), nowMs, []))).toEqual(["older", "old"]);
	expect(names(index.excess(historySettings({ days: 365, allRuns: 3 }), nowMs, []))).toEqual(["older"]);
});

test("a run that would go at once is not written again", () => {
	const index = indexOf(entry("a", 1), entry("b", 2));
	const settings = historySettings({ runs: 2 });
	expect(index.isTooOld(entry("c", 3), settings, nowMs)).toBe(true);
	expect(index.isTooOld(entry("c", 0), settings, nowMs)).toBe(false);
	expect(index.isTooOld(entry("c", 31), historySettings(), nowMs)).toBe(true);
});

test("logs go from the oldest run on until the others have room, also after a run was written again", () => {
	const megabyte = 1024 * 1024;
	const index = indexOf(
		entry("a", 3, { logBytes: megabyte }),
		entry("b", 2, { logBytes: megabyte }),
		entry("c", 1, { logBytes: megabyte / 2 }),
	);
	expect(names(index.excessLogs(historySettings({ logMegabytes: 2 })))).toEqual(["a"]);
	index.set(entry("a", 3));
	expect(index.logBytes).toBe(1.5 * megabyte);
	expect(index.excessLogs(historySettings({ logMegabytes: 2 }))).toEqual([]);
});
