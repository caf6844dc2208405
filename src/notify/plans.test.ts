/** The pure parts: when messages are sent, which durations are usual, which templates and policies are valid. */
import { expect, test } from "vitest";
import type { Run } from "../kinds/history/types.ts";
import { notificationPolicies } from "../kinds/notify/notificationpolicy.ts";
import type { NotificationPolicy } from "../kinds/notify/types.ts";
import { decode } from "../kinds/schema.ts";
import { render, templateProblem } from "./delivery/template.ts";
import { usualDurationMs } from "./events/run-events.ts";
import { type Entry, mostEntries, nextStep, retryDelayMs } from "./outbox/queue.ts";
import { quietUntilMs } from "./policies/quiet.ts";

const at = (text: string) => Date.parse(text);
const iso = (ms: number | undefined) => ms && new Date(ms).toISOString();
const hour = 3_600_000;

test("quiet hours end on the next morning, also on days that clocks change, and begin on the days that are named", () => {
	const night = { from: "22:00", to: "07:00", timeZone: "Europe/Berlin" };
	expect(iso(quietUntilMs(night, at("2026-01-10T21:30:00Z")))).toBe("2026-01-11T06:00:00.000Z");
	expect(iso(quietUntilMs(night, at("2026-01-11T05:59:00Z")))).toBe("2026-01-11T06:00:00.000Z");
	expect(quietUntilMs(night, at("2026-01-11T06:00:00Z"))).toBeUndefined();
	expect(iso(quietUntilMs(night, at("2026-03-29T00:30:00Z")))).toBe("2026-03-29T05:00:00.000Z");
	const weekend = { from: "00:00", to: "23:59", days: ["Sat", "Sun"] };
	expect(iso(quietUntilMs(weekend, at("2026-01-10T12:00:00Z")))).toBe("2026-01-10T23:59:00.000Z");
	expect(quietUntilMs(weekend, at("2026-01-12T12:00:00Z"))).toBeUndefined();
	const friday = { from: "20:00", to: "08:00", days: ["Fri"] };
	expect(iso(quietUntilMs(friday, at("2026-01-10T03:00:00Z")))).toBe("2026-01-10T08:00:00.000Z");
	expect(quietUntilMs(friday, at("2026-01-09T03:00:00Z"))).toBeUndefined();
});

const entry = (number: number, atMs = 0): Entry => ({ key: String(number), atMs, event: "Failed" });
const none = { sentAtMs: [], retryAtMs: 0 };
const now = (ms: number) => ({ epochMs: ms, monotonicMs: ms });

test("a queue sends its first, waits, gives up after a day, and folds what is too much", () => {
	const entries = [entry(1), entry(2)];
	expect(nextStep({ ...none, entries: [] }, { spec: {} }, now(0))).toEqual({ do: "nothing" });
	expect(nextStep({ ...none, entries }, { spec: {} }, now(0))).toEqual({ do: "send", entry: entries[0] });
	expect(nextStep({ ...none, entries, retryAtMs: 9 }, { spec: {} }, now(5))).toEqual({ do: "wait", forMs: 4 });
	const failed = { ...none, entries, retryAtMs: 30 * hour, failedAtMs: 25 * hour };
	expect(nextStep(failed, { spec: {} }, now(25 * hour))).toMatchObject({ do: "giveUp" });
	const many = Array.from({ length: mostEntries + 3 }, (_, index) => entry(index));
	expect(nextStep({ ...none, entries: many }, { spec: {} }, now(0))).toEqual({ do: "fold", count: 3 });
	expect(nextStep({ ...none, entries }, { spec: {} }, now(0), 1)).toEqual({ do: "fold", count: 1 });
	const rated = { spec: { atMost: { count: 2, per: "1h" } } };
	expect(nextStep({ ...none, entries, sentAtMs: [hour / 2, hour] }, rated, now(hour))).toEqual({
		do: "fold",
		count: 2,
	});
	const digest = { sinceMs: 0, count: 2, events: { Failed: 2 } };
	const full = { ...none, entries: [], digest, sentAtMs: [hour / 2, hour] };
	expect(nextStep(full, rated, now(hour))).toEqual({ do: "wait", forMs: hour / 2 });
	expect(nextStep(full, rated, now(1.5 * hour))).toEqual({ do: "summarize", digest });
});

test("a clock that jumps by a day gives nothing up that was not tried since, and holds nothing back", () => {
	const entries = [entry(1, 100 * hour)];
	const at = (epochMs: number, state: object = {}) =>
		nextStep({ ...none, entries, ...state }, { spec: {} }, { epochMs, monotonicMs: 10 });
	const send = { do: "send", entry: entries[0] };
	// The machine slept over a weekend: the attempt failed on Friday, and is repeated on Monday before the message is
	// dropped.
	expect(at(160 * hour)).toEqual(send);
	expect(at(160 * hour, { failedAtMs: 101 * hour })).toEqual(send);
	expect(at(160 * hour, { failedAtMs: 160 * hour })).toMatchObject({ do: "giveUp" });
	expect(at(70 * hour)).toEqual(send);
	expect(at(70 * hour, { failedAtMs: 101 * hour, retryAtMs: 15 })).toEqual({ do: "wait", forMs: 5 });
	const rated = { spec: { atMost: { count: 1, per: "1h" } } };
	expect(
		nextStep({ ...none, entries: [], digest: { sinceMs: 0, count: 1, events: {} }, sentAtMs: [0] }, rated, {
			epochMs: 70 * hour,
			monotonicMs: hour,
		}),
	).toMatchObject({ do: "summarize" });
});

test("retries wait longer and longer, up to a quarter of an hour, never all at the same time", () => {
	expect([1, 2, 3, 30].map((failures) => retryDelayMs(failures, 0.5))).toEqual([5000, 10_000, 20_000, 900_000]);
	expect(retryDelayMs(1, 0)).toBe(2500);
});

test("usual is the median of what succeeded", () => {
	const run = (seconds: number, result = "Succeeded") =>
		({
			status: {
				result,
				startTime: "2026-01-01T00:00:00Z",
				endTime: new Date(at("2026-01-01T00:00:00Z") + seconds * 1000).toISOString(),
			},
		}) as unknown as Run;
	expect(usualDurationMs([run(1), run(2)])).toBeUndefined();
	expect(usualDurationMs([run(10), run(1), run(900, "Failed"), run(3)])).toBe(3000);
	expect(usualDurationMs([run(10), run(1), run(3), run(5)])).toBe(4000);
});

test("templates know conditions and a few filters, and nothing by which they could grow, loop or read", async () => {
	expect(await render("{% if code != 0 %}{{ name | upcase }}{% endif %}", { code: 1, name: "a" })).toBe("A");
	expect(await templateProblem("{{ name }} {{ exitCode | default: 'none' }} {{ log }}")).toBeUndefined();
	for (const template of [
		"{% for i in (1..1000000) %}x{% endfor %}",
		"{% assign a = name %}",
		"{% capture a %}x{% endcapture %}",
		"{% include '/etc/passwd' %}",
		"{% render '/etc/passwd' %}",
		"{% layout '/etc/passwd' %}",
		"{{ log | append: log }}",
		"{{ log | replace: 'a', log }}",
		"{{ constructor }}",
		"{{ name.constructor }}",
		"{% if name %}",
	])
		expect(await templateProblem(template), template).toBeTypeOf("string");
});

test("what is wrong with a policy is said with its field", () => {
	const causes = (spec: object) => {
		const { object } = decode(
			{ apiVersion: "notify.coxswain.io/v1", kind: "NotificationPolicy", metadata: { name: "a" }, spec },
			"NotificationPolicy",
		);
		const policy = object as NotificationPolicy;
		notificationPolicies.setDefaults?.(policy);
		return (notificationPolicies.validate?.(policy) ?? []).map(({ field, message }) => `${field}: ${message}`);
	};
	const url = { urlFrom: { secretKeyRef: { name: "hooks", key: "url" } } };
	const sinks = [{ name: "a", webhook: url }];
	expect(causes({ events: ["Failed"], sinks })).toEqual([]);
	expect(causes({})).toEqual(["spec.events: Required value", "spec.sinks: Required value"]);
	expect(causes({ events: ["Failed", "Broken", "Failed"], sinks })).toEqual([
		expect.stringMatching(/^spec.events\[1\]: Unsupported value: "Broken": supported values: "Back", "Failed"/),
		'spec.events[2]: Duplicate value: "Failed"',
	]);
	const kinds = ["CronJob", "Job"];
	expect(causes({ events: ["Failed", "Stuck", "constructor"], workloads: { kinds }, sinks })).toEqual([
		expect.stringMatching(/^spec.events\[2\]: Unsupported value/),
		'spec.events[1]: Invalid value: "Stuck": never happens to the selected kinds (CronJob, Job), only to ' +
			"StatefulSet, DaemonSet, Deployment",
	]);
	expect(causes({ events: ["Missed", "Back"], workloads: { kinds: ["CronJob", "DaemonSet"] }, sinks })).toEqual([]);
	expect(
		causes({
			events: ["Slow"],
			slow: { longerThan: "soon", timesUsual: 1 },
			atMost: { count: 0, per: "1h" },
			quietHours: { from: "25:00", to: "07:00", timeZone: "Mars/Base" },
			logLines: 51,
			stuckFor: "-1m",
			sinks: [
				{ name: "A" },
				{ name: "b", slack: url, teams: url },
				{ name: "b", slack: { urlFrom: { secretKeyRef: { name: "hooks" } } } },
				{ name: "m", email: { serverFrom: url.urlFrom, from: "a@b.c\nBcc: x@y.z", to: [] } },
			],
		}).map((text) => text.split(":")[0]),
	).toEqual([
		"spec.slow.longerThan",
		"spec.slow.timesUsual",
		"spec.stuckFor",
		"spec.atMost.count",
		"spec.quietHours.from",
		"spec.quietHours.timeZone",
		"spec.logLines",
		"spec.sinks[0].name",
		"spec.sinks[0]",
		"spec.sinks[1].teams",
		"spec.sinks[2].name",
		"spec.sinks[2].slack.urlFrom.secretKeyRef.key",
		"spec.sinks[3].email.from",
		"spec.sinks[3].email.to",
	]);
});
