import { expect, test } from "vitest";
import { VirtualClock } from "../core/time/virtual-clock.ts";
import { createFaultyStore, type Faults } from "./faulty.ts";
import { createMemoryStore } from "./memory.ts";
import type { Commit } from "./store.ts";

const put = (key: string, compare: Commit["compare"] = []): Commit => ({
	compare,
	puts: [{ key, value: new Uint8Array() }],
	deletes: [],
});

function faulty(faults: Faults, seed = 1) {
	const clock = new VirtualClock({ seed });
	const store = createMemoryStore();
	return { clock, store, faulty: createFaultyStore(store, { faults, clock }) };
}

test("a commit conflicts though its comparison holds, and nothing is written", async () => {
	const { store, faulty: broken } = faulty({ conflict: 1 });
	expect((await broken.commit(put("/a", [{ key: "/a", modRevision: 0 }]))).ok).toBe(true);
	const result = await broken.commit(put("/a", [{ key: "/a", modRevision: 1 }]));
	expect(result).toMatchObject({ ok: false, current: [{ modRevision: 1 }] });
	expect(await store.revision()).toBe(1);
	expect((await broken.commit(put("/a"))).ok).toBe(true);
});

test("a commit is made and its reply lost", async () => {
	const { store, faulty: broken } = faulty({ lostReply: 1 });
	await expect(broken.commit(put("/a"))).rejects.toMatchObject({ reason: "Timeout" });
	expect(await store.revision()).toBe(1);
});

test("a slow store answers when the clock has moved on", async () => {
	const { clock, faulty: broken } = faulty({ slow: 1, slowMs: 1000 });
	let done = false;
	const commit = broken.commit(put("/a")).then(() => {
		done = true;
	});
	await clock.advance(0);
	expect(done).toBe(false);
	await clock.advance(1000);
	await commit;
});

test("changes come late, in order, and on time again when the fault is over", async () => {
	const faults: Faults = { watchDelay: 0.5, watchDelayMs: 1000 };
	const { clock, faulty: broken } = faulty(faults, 3);
	const revisions: number[] = [];
	const changes = (found: readonly { revision: number }[]) => void revisions.push(found[0]?.revision ?? 0);
	broken.watch({ prefix: "", afterRevision: 0, signal: new AbortController().signal }, { changes, end: () => {} });
	await clock.advance(0);
	for (let index = 0; index < 50; index++) await broken.commit(put("/a"));
	expect(revisions.length).toBeLessThan(50);
	await clock.advance(1000);
	expect(revisions).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
	faults.watchDelay = 0;
	await broken.commit(put("/a"));
	expect(revisions.at(-1)).toBe(51);
});

test("the same seed makes the same faults", async () => {
	const run = async (seed: number) => {
		const { faulty: broken } = faulty({ conflict: 0.3, lostReply: 0.3 }, seed);
		const results: string[] = [];
		for (let index = 0; index < 50; index++)
			results.push(
				await broken.commit(put(`/${index}`, [{ key: `/${index}`, modRevision: 0 }])).then(
					(result) => String(result.ok),
					() => "lost",
				),
			);
		return results.join();
	};
	expect(await run(5)).toBe(await run(5));
	expect(await run(5)).not.toBe(await run(6));
});
