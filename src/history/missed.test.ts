import { expect, test } from "vitest";
import type { CronJob } from "../kinds/generated/types.ts";
import { account, type Schedule, skipRun, timesOf, withoutLast } from "./missed.ts";

const at = (time: string) => Date.parse(`2026-01-01T${time}Z`);
const cronJob = (spec: object = {}, status: object = {}): CronJob =>
	({
		apiVersion: "batch/v1",
		kind: "CronJob",
		metadata: { name: "hourly", namespace: "default", uid: "u", creationTimestamp: "2026-01-01T00:00:00Z" },
		spec: { schedule: "0 * * * *", concurrencyPolicy: "Allow", ...spec },
		status,
		// Only the fields that the calculation uses.
	}) as unknown as CronJob;
const dealt = (schedule: Partial<Schedule>, now: string) => {
	const { skips, accountedMs, nextMs } = account(
		{ cronJob: cronJob(), accountedMs: at("00:00:00"), started: new Set(), ...schedule },
		at(now),
	);
	const text = (ms: number | undefined) => ms && new Date(ms).toISOString().slice(11, 19);
	return { skips: skips.map((one) => `${text(one.atMs)} ${one.reason}`), until: text(accountedMs), next: text(nextMs) };
};

test.each<[string, Partial<Schedule>, string, object]>([
	[
		"what has started is no skip",
		{ started: new Set([at("01:00:00")]) },
		"01:00:05",
		{ skips: [], until: "01:00:00", next: "02:00:05" },
	],
	[
		"a suspended one is told at once",
		{ cronJob: cronJob({ suspend: true }) },
		"01:00:05",
		{ skips: ["01:00:00 Suspended"], until: "01:00:00" },
	],
	["one that may still start is waited for", {}, "01:00:05", { skips: [], until: "00:00:00", next: "01:00:35" }],
	[
		"until its deadline is over",
		{ cronJob: cronJob({ startingDeadlineSeconds: 60 }) },
		"01:01:01",
		{ skips: ["01:00:00 StartingDeadlineExceeded"] },
	],
	["or until the next is due", {}, "02:00:05", { skips: ["01:00:00 NotStarted"], until: "01:00:00" }],
	[
		"a run that goes on forbids others",
		{ cronJob: cronJob({ concurrencyPolicy: "Forbid" }, { active: [{}] }) },
		"01:00:05",
		{ skips: ["01:00:00 ConcurrencyForbidden"] },
	],
	[
		"what the cluster slept through",
		{ down: { sinceMs: at("00:30:00"), untilMs: at("02:30:00") } },
		"02:30:05",
		{ skips: ["01:00:00 ClusterDown", "02:00:00 ClusterDown"], next: "03:00:05" },
	],
	[
		"but for what was made up for",
		{ down: { sinceMs: at("00:30:00"), untilMs: at("02:30:00") }, started: new Set([at("02:00:00")]) },
		"02:30:05",
		{ skips: ["01:00:00 ClusterDown"] },
	],
	["intervals miss nothing", { cronJob: cronJob({ schedule: "@every 1h" }) }, "05:00:00", { skips: [] }],
	["nor does what cannot be read", { cronJob: cronJob({ schedule: "nonsense" }) }, "05:00:00", { skips: [] }],
])("%s", (_, schedule, now, expected) => {
	expect(dealt(schedule, now)).toMatchObject(expected);
});

test("one record counts what follows for the same reason, and lets go of what started after all", () => {
	const job = cronJob({ suspend: true });
	const first = skipRun(job, { atMs: at("01:00:00"), reason: "Suspended" }, undefined, undefined, at("01:00:05"));
	const second = skipRun(job, { atMs: at("02:00:00"), reason: "Suspended" }, first, undefined, at("02:00:05"));
	expect(second.metadata.name).toBe(first.metadata.name);
	const third = skipRun(job, { atMs: at("03:00:00"), reason: "Suspended" }, second, undefined, at("03:00:05"));
	expect(third.status.skipped).toMatchObject({ count: 3, lastScheduledTime: "2026-01-01T03:00:00Z" });
	expect(withoutLast(third, job)?.status.skipped).toEqual(second.status.skipped);
	expect(withoutLast(first, job)).toBeUndefined();
	const other = skipRun(job, { atMs: at("04:00:00"), reason: "NotStarted" }, third, undefined, at("04:00:05"));
	expect(other.metadata.name).not.toBe(third.metadata.name);
	expect(other.status.skipped?.count).toBe(1);
	expect(timesOf(job)?.next(at("00:00:00"))).toBe(at("01:00:00"));
});
