import { describe, expect, test } from "vitest";
import { EventCorrelator, type EventToRecord, type Series } from "./event-series.ts";

const about = { kind: "Pod", namespace: "default", name: "web", uid: "1" };
const event = (message: string, change: Partial<EventToRecord> = {}): EventToRecord => ({
	regarding: about,
	type: "Warning",
	reason: "Failed",
	message,
	component: "kubelet",
	...change,
});

function correlator() {
	return new EventCorrelator<Series>((original, nowMs) => ({
		original,
		message: original,
		count: 0,
		firstMs: nowMs,
		lastMs: nowMs,
	}));
}

describe("series of Events", () => {
	test("a repetition counts, until it comes too late", () => {
		const events = correlator();
		const first = events.add(event("no"), about, 0);
		expect(events.add(event("no"), about, 600_000)).toBe(first);
		expect(first).toMatchObject({ count: 2, firstMs: 0, lastMs: 600_000 });
		const late = events.add(event("no"), about, 1_200_001);
		expect(late).not.toBe(first);
		expect(late).toMatchObject({ count: 1, firstMs: 1_200_001 });
	});

	test("another reason, type, field, component or object is another series", () => {
		const events = correlator();
		const first = events.add(event("no"), about, 0);
		const others = [
			event("no", { reason: "BackOff" }),
			event("no", { type: "Normal" }),
			event("no", { fieldPath: "spec.containers{web}" }),
			event("no", { component: "scheduler" }),
			event("no", { host: "node-1" }),
		].map((other) => events.add(other, about, 0));
		others.push(events.add(event("no"), { ...about, uid: "2" }, 0));
		expect(new Set([first, ...others]).size).toBe(7);
	});

	test("from the tenth message on, messages of one reason are combined", () => {
		const events = correlator();
		for (let index = 1; index < 10; index++)
			expect(events.add(event(`no ${index}`), about, 0)?.message).toBe(`no ${index}`);
		const combined = events.add(event("no 10"), about, 0);
		expect(combined?.message).toBe("(combined from similar events): no 10");
		expect(events.add(event("no 1"), about, 0)).toBe(combined);
		expect(combined).toMatchObject({ count: 2, message: "(combined from similar events): no 1" });
		// After a pause, each Event is reported individually again.
		expect(events.add(event("no 11"), about, 600_001)?.message).toBe("no 11");
	});

	test("an object makes 25 Events at once, then one in five minutes", () => {
		const events = correlator();
		const make = (nowMs: number) => events.add(event("no"), about, nowMs) !== undefined;
		for (let index = 0; index < 25; index++) expect(make(0)).toBe(true);
		expect(make(0)).toBe(false);
		expect(make(299_999)).toBe(false);
		expect(make(300_000)).toBe(true);
		expect(make(300_000)).toBe(false);
	});
});
