import { Readable } from "node:stream";
import { expect, test } from "vitest";
import type { ApiResponse, ServedWatchEvent } from "../../core/exchange.ts";
import { systemClock } from "../../core/time/clock.ts";
import { Made } from "../cache/cached.ts";
import { SharedEvent } from "../cache/event.ts";
import { Answers } from "./answers.ts";
import { BodyBudget, defaultTimeouts } from "./limits.ts";
import { Presence } from "./presence.ts";
import type { Reply } from "./reply.ts";
import { serve } from "./serve.ts";

type Sink = Parameters<Extract<ApiResponse, { type: "watch" }>["start"]>[0];

/** A watcher that takes nothing until `read` is called. */
async function slowWatcher() {
	let sink: Sink | undefined;
	let drain = () => {};
	const written: Uint8Array[] = [];
	const seen = { destroyed: false, ended: false };
	let isSlow = true;
	const reply: Reply = {
		answer: () => {},
		head: () => {},
		write(bytes) {
			written.push(bytes);
			return !isSlow;
		},
		drained: () => new Promise((resolve) => (drain = resolve)),
		end() {
			seen.ended = true;
		},
		destroy() {
			seen.destroyed = true;
		},
		bufferedBytes: () => (isSlow ? written.reduce((sum, bytes) => sum + bytes.length, 0) : 0),
	};
	const watch: ApiResponse = {
		type: "watch",
		status: 200,
		headers: {},
		start(given) {
			sink = given;
		},
	};
	const incoming = {
		method: "GET",
		target: "/",
		headers: {},
		user: undefined,
		peer: {},
		client: new Presence(),
		body: Object.assign(Readable.from([]), { aborted: false }),
	};
	const clock = systemClock({ unref: true });
	await serve(async () => watch, incoming, reply, {
		clock,
		answers: new Answers(clock, defaultTimeouts),
		timeouts: defaultTimeouts,
		bodies: new BodyBudget(),
		connections: { addWatch: () => () => {}, watchCount: 1 },
	});
	if (sink === undefined) throw new Error("the watch did not start");
	return {
		sink,
		written,
		seen,
		read() {
			isSlow = false;
			drain();
		},
	};
}

const turn = () => new Promise(setImmediate);

function event(name: string, bytes: number): ServedWatchEvent {
	const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { text: "x".repeat(bytes) } };
	return new SharedEvent("ADDED", new Made(object as never), 1);
}

test("unread events of a slow watcher are shared, and arrive in order", async () => {
	const { sink, written, seen, read } = await slowWatcher();
	for (let index = 0; index < 60; index++) {
		sink.event(event(`e${index}`, 100_000));
		await turn();
	}
	expect(written).toHaveLength(1);
	read();
	for (let round = 0; round < 30; round++) await turn();
	const lines = Buffer.concat(written).toString().trimEnd().split("\n");
	expect(lines.map((line) => JSON.parse(line).object.metadata.name)).toEqual(lines.map((_, index) => `e${index}`));
	expect(lines).toHaveLength(60);
	expect(Math.max(...written.map((bytes) => bytes.length))).toBeLessThan(300_000);
	sink.end();
	expect(seen).toEqual({ destroyed: false, ended: true });
});

test("a watcher that reads nothing is cut off before it holds much", async () => {
	const { sink, seen } = await slowWatcher();
	let sent = 0;
	for (; !seen.destroyed && sent < 500; sent++) {
		sink.event(event(`e${sent}`, 100_000));
		await turn();
	}
	expect(sent).toBeLessThan(100);
});

test("one event that is larger than the patience with slow watchers reaches them", async () => {
	const { sink, seen, written } = await slowWatcher();
	sink.event(event("large", 9_000_000));
	await turn();
	expect(seen.destroyed).toBe(false);
	expect(written[0]?.length).toBeGreaterThan(9_000_000);
});
