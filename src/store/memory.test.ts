import { expect, test } from "vitest";
import type { ApiError } from "../core/errors.ts";
import { seededRandom } from "../core/time/clock.ts";
import { SortedKeys } from "./keys.ts";
import { createMemoryStore } from "./memory.ts";

test("history is bounded: a watch from before it ends as Expired", async () => {
	const store = createMemoryStore({ historyCommits: 10 });
	for (let index = 0; index < 100; index++)
		await store.commit({ compare: [], puts: [{ key: "/a", value: new Uint8Array() }], deletes: [] });
	const watch = (afterRevision: number) =>
		new Promise<unknown>((resolve) => {
			const sink = { changes: resolve, end: resolve };
			store.watch({ prefix: "", afterRevision, signal: new AbortController().signal }, sink);
		});
	expect(await watch(50)).toMatchObject({ reason: "Expired" });
	expect(await watch(90)).toMatchObject([{ revision: 91 }]);
});

test("sorted keys agree with a sorted list through random changes", () => {
	const random = seededRandom(7);
	const keys = new SortedKeys();
	const model = new Set<string>();
	for (let step = 0; step < 20_000; step++) {
		const key = `k${Math.floor(random() * 3000)}`;
		if (model.has(key) && random() < 0.6) {
			model.delete(key);
			keys.remove(key);
		} else if (!model.has(key)) {
			model.add(key);
			keys.add(key);
		}
	}
	const sorted = [...model].sort();
	expect(keys.slice("", undefined, Number.POSITIVE_INFINITY)).toEqual(sorted);
	const [from = "", to = ""] = [sorted[300], sorted[900]];
	expect(keys.slice(from, to, Number.POSITIVE_INFINITY)).toEqual(sorted.slice(300, 900));
	expect(keys.slice(from, to, 7)).toEqual(sorted.slice(300, 307));
	for (const key of model) keys.remove(key);
	expect(keys.slice("", undefined, 1)).toEqual([]);
});

test("history has a budget in bytes", async () => {
	const store = createMemoryStore({ historyBytes: 1_000_000 });
	const oldest = (after: number) =>
		new Promise<string>((resolve) => {
			const sink = { changes: () => resolve("there"), end: (error: Error) => resolve((error as ApiError).reason) };
			store.watch({ prefix: "", afterRevision: after, signal: new AbortController().signal }, sink);
		});
	for (let index = 0; index < 100; index++)
		await store.commit({ compare: [], puts: [{ key: "/large", value: new Uint8Array(100_000) }], deletes: [] });
	expect(await oldest(95)).toBe("there");
	expect(await oldest(88)).toBe("Expired");
});
