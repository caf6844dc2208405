import { expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { createMemoryStore } from "../../store/memory.ts";
import type { Store } from "../../store/store.ts";
import { withinBounds } from "../../store/testing/bounded-store.ts";
import { encodedMessage, entryKey, loadOutbox } from "../outbox/outbox.ts";
import type { Policy, Sink } from "../policies/policy.ts";
import type { Notification } from "../sinks/notification.ts";
import { Delivery } from "./delivery.ts";

const startMs = 1_800_000_000_000;

/** @param counts `NAMESPACE/SINK` → number of pending messages */
async function outboxOf(counts: Readonly<Record<string, number>>) {
	const tooLarge: string[] = [];
	const store = withinBounds(createMemoryStore(), (what) => tooLarge.push(what));
	let sequence = 0;
	for (const [name, count] of Object.entries(counts)) {
		const [namespace = "", sink = ""] = name.split("/");
		for (let index = 0; index < count; index++) {
			// The event does not matter here.
			const notification = { id: `${name} ${index}`, event: "Failed", name: "job" } as Notification;
			const key = entryKey({ namespace, policy: "p", sink }, ++sequence);
			const value = encodedMessage({ atMs: startMs, notification });
			await store.commit({ compare: [], puts: [{ key, value }], deletes: [] });
		}
	}
	return { store, tooLarge };
}

/** How a sink responds to a message: `never` exceeds the timeout. */
type Answer = "takes" | "fails" | "never";

/** The delivery of a notifier, from the contents of the store. */
async function begin(store: Store, answer: (namespace: string) => Answer) {
	const clock = new VirtualClock({ startMs });
	const sent: string[] = [];
	const summaries: number[] = [];
	const most = { atOnce: 0 };
	let atOnce = 0;
	const delivery = new Delivery({
		store,
		clock,
		// No other fields of policies and sinks are used.
		target: ({ namespace, sink }) => ({
			policy: { namespace, name: "p", key: "p", spec: {} } as unknown as Policy,
			sink: { name: sink } as Sink,
		}),
		async deliver({ namespace }, _, { id, event, count = 0 }) {
			most.atOnce = Math.max(most.atOnce, ++atOnce);
			const said = answer(namespace);
			if (said === "never") await clock.sleep(15_000);
			atOnce--;
			if (said !== "takes") return { ok: false, error: said, isFinal: false };
			if (event === "Summary") summaries.push(count);
			else sent.push(id);
			return { ok: true };
		},
		awaitsLog: () => false,
		onOutcome() {},
		onFolded() {},
	});
	const { entries, digests } = await loadOutbox(store);
	for (const { queue, digest } of digests) delivery.addDigest(queue, digest);
	for (const { queue, entry } of entries) delivery.add(queue, entry);
	return { clock, delivery, sent, summaries, most };
}

const sinks = (namespace: string, count: number, messages: number) =>
	Object.fromEntries(Array.from({ length: count }, (_, index) => [`${namespace}/s-${index}`, messages]));

test("of ten thousand that wait each is sent, in its order, though the process is killed; sinks that never answer hold up nobody", async () => {
	const { store, tooLarge } = await outboxOf({ ...sinks("dead", 10, 480), ...sinks("shop", 10, 480), "bank/s-0": 400 });
	const answer = (namespace: string): Answer => (namespace === "dead" ? "never" : "takes");
	const first = await begin(store, answer);
	await first.clock.advance(8000);
	const { length } = first.sent;
	expect(length).toBeGreaterThan(1000);
	expect(length).toBeLessThan(5200);
	expect(first.most.atOnce).toBeLessThanOrEqual(16);

	// The first is killed: its clock stops here. Messages without an acknowledged removal are sent again.
	const second = await begin(store, answer);
	await second.clock.advance(120_000);
	const all = [...first.sent, ...second.sent];
	expect(new Set(all).size).toBe(5200);
	expect(all.length - 5200).toBeLessThan(200);
	const last = new Map<string, number>();
	for (const id of second.sent) {
		const [name = "", index] = id.split(" ");
		expect(Number(index)).toBe((last.get(name) ?? Number(index) - 1) + 1);
		last.set(name, Number(index));
	}
	expect((await loadOutbox(store)).entries).toHaveLength(4800);
	const stopping = second.delivery.stop();
	await second.clock.advance(20_000);
	await stopping;
	expect(tooLarge).toEqual([]);
});

test("what waits for a namespace is bounded whatever sinks it has, told as a number, and costs others nothing", async () => {
	const { store, tooLarge } = await outboxOf({ ...sinks("mallory", 40, 500), "shop/s-0": 900, "bank/s-0": 1200 });
	let isDead = true;
	const { clock, delivery, sent, summaries } = await begin(store, () => (isDead ? "fails" : "takes"));
	await clock.advance(60_000);
	const waiting = (await loadOutbox(store)).entries.map(({ queue }) => queue.namespace);
	const count = (namespace: string) => waiting.filter((one) => one === namespace).length;
	expect(count("mallory")).toBe(10_000);
	expect(count("shop")).toBe(900);
	expect(count("bank")).toBe(1000);
	isDead = false;
	await clock.advance(3_600_000);
	expect(sent).toHaveLength(11_900);
	expect(summaries.sort((a, b) => a - b)).toEqual([200, ...Array.from({ length: 40 }, () => 250)]);
	expect(await loadOutbox(store)).toMatchObject({ entries: [], digests: [] });
	await delivery.stop();
	expect(tooLarge).toEqual([]);
});
