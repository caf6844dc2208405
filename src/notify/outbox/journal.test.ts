import { expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { createMemoryStore } from "../../store/memory.ts";
import type { Commit, Store } from "../../store/store.ts";
import { withinBounds } from "../../store/testing/bounded-store.ts";
import type { Notification } from "../sinks/notification.ts";
import { Draft } from "./draft.ts";
import { Journal } from "./journal.ts";
import { loadOutbox, queueId } from "./outbox.ts";

const notification = (id: string) =>
	({ id, event: "Failed", at: "2026-01-01T00:00:00Z", message: "m".repeat(1000) }) as Notification;

/** A draft for one run and this number of sinks. */
function draftOf(run: string, sinks: number): Draft {
	const draft = new Draft();
	for (let index = 0; index < sinks; index++)
		draft.tell({ namespace: "shop", policy: "p", sink: `s-${index}` }, 0, notification(run));
	draft.runs.set(run, { seen: { ended: true }, endMs: 0, revision: 5 });
	return draft;
}

async function open(store: Store, clock = new VirtualClock()) {
	const stored = await loadOutbox(store);
	const handed: string[] = [];
	const journal = new Journal({
		store,
		clock,
		stored: { ...stored, cursor: stored.cursor ?? { revision: 0, atMs: 0 } },
		onEntry: (queue, { key }) => handed.push(`${queueId(queue)} ${key}`),
	});
	return { journal, handed, stored };
}

/** Fails some commits, by number: before or after they take effect. */
function failing(store: Store, failures: Record<number, "before" | "after">): Store {
	let count = 0;
	const commit = async (one: Commit) => {
		const failure = failures[++count];
		if (failure === "before") throw new Error("no");
		const result = await store.commit(one);
		if (failure === "after") throw new Error("the reply was lost");
		return result;
	};
	return { ...store, commit };
}

test("what one run leads to for a thousand sinks is there once, by commits that every store takes, whatever fails", async () => {
	const tooLarge: string[] = [];
	const store = withinBounds(createMemoryStore(), (what) => tooLarge.push(what));
	const { journal, handed } = await open(failing(store, { 3: "before", 6: "after", 10: "before" }));
	let attempts = 1;
	for (; ; attempts++) {
		const written = await journal.write(draftOf("run", 1000), 5).then(
			() => true,
			() => false,
		);
		if (written) break;
	}
	expect(attempts).toBe(4);
	expect(tooLarge).toEqual([]);
	const { entries, cursor, runs } = await loadOutbox(store);
	expect(entries).toHaveLength(1000);
	expect(new Set(entries.map(({ queue }) => queueId(queue))).size).toBe(1000);
	expect(handed.sort()).toEqual(entries.map(({ queue, entry }) => `${queueId(queue)} ${entry.key}`).sort());
	expect(cursor?.revision).toBe(5);
	expect(runs.size).toBe(0);
});

test("what was told of runs is known after the end of the process, and forgotten when a note covers it", async () => {
	const store = createMemoryStore();
	const first = await open(store);
	// One of many changes: others still have to be processed.
	await first.journal.write(draftOf("a", 1), undefined);
	const slow = draftOf("x", 1);
	slow.runs.set("slow", { seen: { slow: ["p"] }, endMs: Number.POSITIVE_INFINITY, revision: 6 });
	await first.journal.write(slow, undefined);

	const second = await open(store);
	expect(second.journal.run("a")).toEqual({ ended: true });
	expect(second.journal.run("slow")).toEqual({ slow: ["p"] });
	expect(second.journal.revision).toBe(0);
	await second.journal.write(draftOf("a", 0), undefined);
	await second.journal.write(draftOf("b", 1), 7);
	const third = await open(store);
	expect([third.journal.run("a"), third.journal.run("b"), third.journal.run("slow")]).toEqual([
		undefined,
		undefined,
		{ slow: ["p"] },
	]);
	expect(third.journal.revision).toBe(7);
	third.journal.keepRuns(new Set());
	await third.journal.write(draftOf("c", 1), 8);
	expect((await loadOutbox(store)).runs.size).toBe(0);
});

test("a look that tells nothing costs no commit of its own, and is noted after a while", async () => {
	const store = createMemoryStore();
	const clock = new VirtualClock();
	const { journal } = await open(store, clock);
	for (let revision = 1; revision <= 100; revision++) await journal.write(draftOf(`r-${revision}`, 0), revision);
	expect(await store.revision()).toBe(0);
	expect(journal.revision).toBe(100);
	await clock.advance(6000);
	expect(await store.revision()).toBe(1);
	expect((await loadOutbox(store)).cursor?.revision).toBe(100);
});
