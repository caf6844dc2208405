import { expect, test } from "vitest";
import { type RunEntry, RunIndex } from "./retention.ts";
import { historySettings } from "./settings.ts";

const dayMs = 86_400_000;
const nowMs = 100 * dayMs;
const entry = (name: string, ageDays: number, more: Partial<RunEntry> = {}): RunEntry => ({
	key: name,
	namespace: "default",
	name,
	workload: "nightly",
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

test("a namespace that takes most gives way, and in it the workload that takes most; the others lose nothing", () => {
	const of = (namespace: string, workload: string, count: number, ageDays: number, more: Partial<RunEntry> = {}) =>
		Array.from({ length: count }, (_, index) => {
			const name = `${namespace}/${workload}-${index}`;
			// The first is the oldest.
			return entry(name, ageDays - index / 1000, { namespace, workload, group: `${namespace}/${workload}`, ...more });
		});
	const shop = of("shop", "nightly", 5, 20);
	const bank = [...of("bank", "hourly", 4, 10), ...of("bank", "", 20, 1)];
	const index = indexOf(...shop, ...bank);
	expect(names(index.excess(historySettings({ allRuns: 15 }), nowMs, []))).toEqual(
		bank.slice(4, 18).map(({ name }) => name),
	);
	// Down to the same share of each.
	const left = new Map(index.all().map((one) => [one.name, one]));
	for (const { name } of index.excess(historySettings({ allRuns: 6 }), nowMs, [])) left.delete(name);
	expect([...left.values()].map(({ namespace, workload }) => `${namespace}/${workload}`).sort()).toEqual(
		["bank/", "bank/", "bank/hourly", "shop/nightly", "shop/nightly", "shop/nightly"].sort(),
	);
	// Jobs that never end use no space of finished runs.
	const stuck = indexOf(...shop, ...of("bank", "", 50, 1, { ended: false }));
	expect(stuck.excess(historySettings({ allRuns: 5 }), nowMs, [])).toEqual([]);

	const megabyte = 1024 * 1024;
	const logs = indexOf(
		...of("shop", "nightly", 2, 20, { logBytes: megabyte }),
		...of("bank", "", 1, 15, { logBytes: megabyte, ended: false }),
		...of("bank", "hourly", 2, 1, { logBytes: megabyte }),
	);
	expect(names(logs.excessLogs(historySettings({ logMegabytes: 3 })))).toEqual(["bank/hourly-0", "shop/nightly-0"]);
});
