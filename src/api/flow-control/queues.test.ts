import { expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { Demand } from "./demand.ts";
import { handOf } from "./hand.ts";
import { divided, limitsOf } from "./limits.ts";
import { type Queue, Queues, type Refusal } from "./queues.ts";
import { RetryAfter } from "./retry-after.ts";
import { mostSeatsOf, seatsOf } from "./seats.ts";

interface Run {
	flow: string;
	seats: number;
	place: Queue | undefined;
}

/** A level whose requests run until they are told to end. */
function level(config: { queues: number; handSize: number; queueLengthLimit: number }, limit: number) {
	const clock = new VirtualClock({ startMs: 0 });
	const queues = new Queues(clock);
	queues.configure(config, limit);
	const running: Run[] = [];
	const refused: [string, Refusal][] = [];
	return {
		clock,
		queues,
		running,
		refused,
		ask(flow: string, seats = 1, signal = new AbortController().signal) {
			if (queues.take(seats)) {
				running.push({ flow, seats, place: undefined });
				return;
			}
			queues.wait({
				queued() {},
				stays() {},
				seats,
				flow,
				nowMs: clock.monotonicMs(),
				patienceMs: 1000,
				signal,
				start: (place) => running.push({ flow, seats, place }),
				refuse: (why) => refused.push([flow, why]),
			});
		},
		/** Ends the oldest that runs. */
		end(tookMs = 3): string {
			const run = running.shift();
			if (run === undefined) throw new Error("nothing runs");
			queues.leave(run.seats, run.place, tookMs);
			return run.flow;
		},
	};
}

const queued = { queues: 64, handSize: 6, queueLengthLimit: 50 };

test("a flow of many requests and one of few get their turns in the same measure", () => {
	const { ask, end, running } = level(queued, 2);
	for (let count = 0; count < 40; count++) ask("elephant");
	for (let count = 0; count < 5; count++) ask("mouse");
	const ended = Array.from({ length: 14 }, () => end());
	expect(ended.filter((flow) => flow === "mouse").length).toBeGreaterThanOrEqual(5);
	expect(running).toHaveLength(2);
});

test("flows with longer requests have fewer turns", () => {
	const { ask, end, running } = level({ ...queued, queueLengthLimit: 200 }, 1);
	ask("first");
	for (let count = 0; count < 100; count++) for (const flow of ["slow", "fast"]) ask(flow);
	end();
	const turns = { slow: 0, fast: 0 };
	for (let round = 0; round < 66; round++) {
		const flow = running[0]?.flow === "slow" ? "slow" : "fast";
		turns[flow]++;
		end(flow === "slow" ? 20 : 2);
	}
	expect(turns.slow).toBeGreaterThanOrEqual(4);
	expect(turns.slow).toBeLessThanOrEqual(9);
});

test("a full queue, too long a wait, and a client that is gone", async () => {
	const { ask, refused, clock, queues, end, running } = level({ queues: 1, handSize: 1, queueLengthLimit: 2 }, 1);
	const client = new AbortController();
	ask("runs");
	ask("gone", 1, client.signal);
	ask("waits");
	ask("full");
	expect(refused).toEqual([["full", "queue-full"]]);
	client.abort();
	expect(refused.at(-1)).toEqual(["gone", "cancelled"]);
	await clock.advance(1000);
	expect(refused.at(-1)).toEqual(["waits", "time-out"]);
	expect([queues.waiting, queues.seatsWaiting, queues.running]).toEqual([0, 0, 1]);
	end();
	ask("later");
	expect(running.map(({ flow }) => flow)).toEqual(["later"]);
});

test("without queues what finds no seat is refused; what is wider than all seats runs alone", () => {
	const { ask, refused, end, running } = level({ queues: 0, handSize: 0, queueLengthLimit: 0 }, 3);
	ask("a", 2);
	ask("b", 2);
	expect(refused).toEqual([["b", "concurrency-limit"]]);
	end();
	ask("wide", 9);
	ask("c");
	expect(running.map(({ flow }) => flow)).toEqual(["wide"]);
	expect(refused.at(-1)).toEqual(["c", "concurrency-limit"]);
});

test("queues take memory only while something waits in them", () => {
	const { ask, end, queues, running } = level({ queues: 10_000_000, handSize: 2, queueLengthLimit: 5 }, 1);
	expect(queues.queues).toHaveLength(0);
	for (const flow of ["a", "b", "c", "d"]) ask(flow);
	expect(queues.queues).toHaveLength(3);
	while (running.length > 0) end();
	expect([queues.queues.length, queues.waiting, queues.seatsRunning]).toEqual([0, 0, 0]);
});

test("more seats let those run that wait", () => {
	const { ask, running, queues } = level(queued, 1);
	for (const flow of ["a", "b", "c", "d"]) ask(flow);
	expect(running).toHaveLength(1);
	queues.setLimit(3);
	expect(running).toHaveLength(3);
	queues.configure({ queues: 2, handSize: 1, queueLengthLimit: 1 }, 10);
	expect(running).toHaveLength(4);
});

test("a flow has different queues, always the same ones, and flows hardly ever all of them together", () => {
	const hands = Array.from({ length: 200 }, (_, index) => handOf(`flow-${index}`, 64, 6));
	for (const hand of hands) {
		expect(new Set(hand).size).toBe(6);
		expect(hand.every((card) => card >= 0 && card < 64)).toBe(true);
	}
	expect(handOf("flow-1", 64, 6)).toEqual(hands[1]);
	expect(new Set(hands.map((hand) => hand.toSorted((one, other) => one - other).join())).size).toBeGreaterThan(195);
	expect(handOf("x", 3, 3).toSorted()).toEqual([0, 1, 2]);
});

test("seats by shares, with what is lent and borrowed", () => {
	const limited = (shares: number, lendablePercent?: number, borrowingLimitPercent?: number) => ({
		type: "Limited",
		limited: { nominalConcurrencyShares: shares, lendablePercent, borrowingLimitPercent },
	});
	// The fields may be missing.
	const specs = [limited(30, 33), limited(10, 0, 50), { type: "Exempt", exempt: {} }] as Parameters<typeof limitsOf>[0];
	expect(limitsOf(specs, 600)).toEqual([
		{ nominal: 450, least: 301, most: 600 },
		{ nominal: 150, least: 150, most: 225 },
		{ nominal: 0, least: 0, most: 600 },
	]);
	expect(
		divided(
			[
				{ least: 10, most: 100, target: 90 },
				{ least: 10, most: 100, target: 10 },
			],
			100,
		),
	).toEqual([90, 10]);
	expect(
		divided(
			[
				{ least: 30, most: 100, target: 30 },
				{ least: 10, most: 40, target: 400 },
			],
			100,
		),
	).toEqual([60, 40]);
	expect(
		divided(
			[
				{ least: 60, most: 100, target: 60 },
				{ least: 50, most: 100, target: 50 },
			],
			100,
		),
	).toEqual([60, 50]);
	expect(
		divided(
			[
				{ least: 0, most: 10, target: 0 },
				{ least: 0, most: 10, target: 0 },
			],
			100,
		),
	).toEqual([10, 10]);
});

test("the need of a period: the most, the mean, and less of it later", () => {
	const demand = new Demand(0);
	demand.set(10, 0);
	demand.set(0, 5000);
	expect(demand.endPeriod(10_000)).toBe(true);
	expect([demand.high, demand.average, demand.deviation, demand.smoothed]).toEqual([10, 5, 5, 10]);
	demand.set(1, 11_000);
	expect(demand.endPeriod(20_000)).toBe(true);
	expect(demand.smoothed).toBeGreaterThan(9);
	demand.set(0, 20_000);
	demand.endPeriod(30_000);
	expect(demand.endPeriod(40_000)).toBe(false);
	expect(demand.smoothed).toBe(0);
});

test("a list takes seats by what it has to write, up to a part of its level", () => {
	const info = {
		verb: "list",
		method: "get",
		path: "",
		resource: { group: "", version: "v1", plural: "pods", rest: "" },
	} as const;
	const stored = { size: 1000, heldBytes: 500_000 };
	const seats = (query: string, verb: "list" | "watch" | "get" = "list", most = 10) =>
		seatsOf({ ...info, verb }, new URLSearchParams(query), stored, most);
	expect(seats("")).toBe(5);
	expect(seats("limit=200")).toBe(1);
	expect(seats("", "list", 2)).toBe(2);
	// What looks small, and is not.
	expect(seats("limit=1&resourceVersion=0")).toBe(5);
	expect(seats("limit=-1")).toBe(5);
	expect(seats("fieldSelector=metadata.namespace!%3Dmetadata.name%3D")).toBe(5);
	expect(seats("fieldSelector=metadata.name%3Da")).toBe(1);
	expect(seats("resourceVersion=5", "watch")).toBe(1);
	expect(seats("resourceVersion=5&sendInitialEvents=true", "watch")).toBe(5);
	expect(seats("", "get")).toBe(1);
	expect([mostSeatsOf(245, 6), mostSeatsOf(20, 6), mostSeatsOf(1, 8)]).toEqual([10, 3, 1]);
});

test("refused clients are sent away for longer the more of them come", () => {
	const retry = new RetryAfter();
	const seconds: number[] = [];
	for (let second = 1; second <= 20; second++)
		for (let count = 0; count < 200; count++) {
			const answer = retry.refused(second * 1000);
			if (count === 0) seconds.push(answer);
		}
	expect(seconds[0]).toBe(1);
	expect(Math.max(...seconds)).toBe(16);
	expect(retry.refused(1_000_000)).toBeLessThan(16);
});
