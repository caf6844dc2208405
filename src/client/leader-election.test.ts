import { expect, test } from "vitest";
import { VirtualClock } from "../core/virtual-clock.ts";
import { runAsLeader } from "./leader-election.ts";
import { createClient } from "./requests.ts";
import { ToyServer } from "./testing/toy-server.ts";
import { memoryTransport } from "./transport-memory.ts";

test("one candidate leads at a time, and another takes over when it is cut off or leaves", async () => {
	const clock = new VirtualClock();
	const server = new ToyServer(clock);
	const cut = new Set<string>();
	const leading = new Set<string>();
	const history: string[] = [];
	const aborts = new Map<string, AbortController>();
	const runs = ["a", "b", "c"].map((identity) => {
		const transport = memoryTransport(server.handle, { name: identity, groups: [] });
		const client = createClient({
			send: (request) => (cut.has(identity) ? Promise.reject(new Error("cut off")) : transport.send(request)),
			close: () => transport.close(),
		});
		const abort = new AbortController();
		aborts.set(identity, abort);
		return runAsLeader(
			{ client, clock, namespace: "kube-system", name: "boss", identity, signal: abort.signal },
			async (signal) => {
				leading.add(identity);
				history.push(identity);
				expect(leading.size).toBe(1);
				await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
				leading.delete(identity);
			},
		);
	});
	await clock.advance(60_000);
	expect(history).toHaveLength(1);
	const [first = ""] = history;
	cut.add(first);
	await clock.advance(60_000);
	expect(history).toHaveLength(2);
	const [, second = ""] = history;
	aborts.get(second)?.abort();
	await clock.advance(5000);
	expect(history).toHaveLength(3);
	expect(leading.has(second)).toBe(false);
	for (const abort of aborts.values()) abort.abort();
	await clock.advance(60_000);
	await Promise.all(runs);
});
