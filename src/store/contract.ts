/** The behavior of every store: one suite, run on each implementation. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ApiError } from "../core/errors.ts";
import { type Change, prefixEnd, type Store } from "./store.ts";
import { bytes, commit, put, remove, text, watch } from "./testing/watched.ts";

export interface StoreUnderTest {
	store: Store;
	/** Closes the store and reopens its data; undefined for a store that is not persistent. */
	reopen?(): Promise<Store>;
	remove(): Promise<void>;
}

/** @param make creates an empty store */
export function storeContract(name: string, make: () => Promise<StoreUnderTest>): void {
	describe(name, () => {
		let under: StoreUnderTest;
		let store: Store;
		beforeEach(async () => {
			under = await make();
			store = under.store;
		});
		afterEach(async () => {
			await store.close();
			await under.remove();
		});

		test("an empty store is at revision 0 and has nothing", async () => {
			expect(await store.revision()).toBe(0);
			expect(await store.get("/a")).toBeUndefined();
			expect(await store.range({ from: "" })).toEqual({ entries: [], revision: 0, more: false });
		});

		test("revisions count commits that change something, from 1", async () => {
			expect(await commit(store, put("/a"))).toBe(1);
			expect(await commit(store, put("/a"))).toBe(2);
			expect(await commit(store, remove("/none"))).toBe(2);
			expect(await commit(store, remove("/a"))).toBe(3);
			expect(await store.revision()).toBe(3);
		});

		test("an entry knows when it was created and changed, and starts over after a delete", async () => {
			await commit(store, put("/a", "one"));
			await commit(store, put("/a", "two"));
			expect(await store.get("/a")).toMatchObject({ key: "/a", createRevision: 1, modRevision: 2 });
			await commit(store, remove("/a"));
			expect(await store.get("/a")).toBeUndefined();
			await commit(store, put("/a", "three"));
			const entry = await store.get("/a");
			expect(entry).toMatchObject({ createRevision: 4, modRevision: 4 });
			expect(text(entry?.value ?? new Uint8Array())).toBe("three");
		});

		test("a commit is all or nothing", async () => {
			await commit(store, put("/a"));
			const result = await store.commit({
				compare: [
					{ key: "/a", modRevision: 1 },
					{ key: "/b", modRevision: 1 },
				],
				puts: [{ key: "/c", value: bytes("c") }],
				deletes: ["/a"],
			});
			expect(result).toMatchObject({ ok: false, current: [{ key: "/a", modRevision: 1 }, undefined] });
			expect(await store.get("/a")).toBeDefined();
			expect(await store.get("/c")).toBeUndefined();
			expect(await store.revision()).toBe(1);
		});

		test("all changes of a commit have one revision", async () => {
			await commit(store, put("/gone"));
			const seen = watch(store, "/", 0);
			const revision = await commit(store, {
				compare: [{ key: "/a", modRevision: 0 }],
				puts: [
					{ key: "/a", value: bytes("1") },
					{ key: "/b", value: bytes("2") },
				],
				deletes: ["/gone"],
			});
			await seen.until(revision);
			expect(seen.calls.map((changes) => changes.length)).toEqual([1, 3]);
			expect((await store.get("/a"))?.modRevision).toBe(revision);
			expect((await store.get("/b"))?.modRevision).toBe(revision);
			seen.stop();
		});

		test("a key written twice by one commit is a broken invariant", async () => {
			await expect(store.commit({ ...put("/a"), deletes: ["/a"] })).rejects.toThrow("twice");
		});

		test("of many writers that compare the same revision one wins", async () => {
			const results = await Promise.all(
				Array.from({ length: 50 }, (_, index) =>
					store.commit({ ...put("/a", String(index)), compare: [{ key: "/a", modRevision: 0 }] }),
				),
			);
			const won = results.flatMap((result, index) => (result.ok ? [index] : []));
			expect(won).toHaveLength(1);
			expect(text((await store.get("/a"))?.value ?? new Uint8Array())).toBe(String(won[0]));
			for (const result of results) if (!result.ok) expect(result.current[0]?.modRevision).toBe(1);
		});

		test("a counter that many writers raise counts every one", async () => {
			const raise = async (): Promise<void> => {
				const entry = await store.get("/n");
				const next = String(Number(entry === undefined ? "0" : text(entry.value)) + 1);
				const compare = [{ key: "/n", modRevision: entry?.modRevision ?? 0 }];
				if (!(await store.commit({ ...put("/n", next), compare })).ok) await raise();
			};
			await Promise.all(Array.from({ length: 20 }, raise));
			expect(text((await store.get("/n"))?.value ?? new Uint8Array())).toBe("20");
			expect(await store.revision()).toBe(20);
		});

		test("ranges are in key order, bounded, and say whether there is more", async () => {
			for (const key of ["/b/2", "/a", "/b/10", "/b/1", "/c"]) await commit(store, put(key));
			const range = async (options: Parameters<Store["range"]>[0]) => {
				const { entries, more } = await store.range(options);
				return [entries.map((entry) => entry.key), more];
			};
			const to = prefixEnd("/b/");
			expect(await range({ from: "" })).toEqual([["/a", "/b/1", "/b/10", "/b/2", "/c"], false]);
			expect(await range({ from: "/b/", to })).toEqual([["/b/1", "/b/10", "/b/2"], false]);
			expect(await range({ from: "/b/", to, limit: 2 })).toEqual([["/b/1", "/b/10"], true]);
			expect(await range({ from: "/b/", to, limit: 3 })).toEqual([["/b/1", "/b/10", "/b/2"], false]);
			expect(await range({ from: "/b/10\0", to, limit: 2 })).toEqual([["/b/2"], false]);
			expect(await range({ from: "/x" })).toEqual([[], false]);
		});

		test("a thousand keys stay in order through puts and deletes", async () => {
			const keys = Array.from({ length: 1000 }, (_, index) => `/k/${(index * 7919) % 1000}`);
			await Promise.all(keys.map((key) => commit(store, put(key))));
			await Promise.all(keys.filter((_, index) => index % 3 === 0).map((key) => commit(store, remove(key))));
			const { entries, revision } = await store.range({ from: "/k/", to: "/k0" });
			const left = keys.filter((_, index) => index % 3 !== 0).sort();
			expect(entries.map((entry) => entry.key)).toEqual(left);
			expect(revision).toBe(1334);
		});

		test("keys and values may be any text and any bytes", async () => {
			const value = Uint8Array.from({ length: 256 }, (_, index) => index);
			await commit(store, { compare: [], puts: [{ key: "/ü/名/🙂", value }], deletes: [] });
			await commit(store, { compare: [], puts: [{ key: "/empty", value: new Uint8Array() }], deletes: [] });
			expect([...((await store.get("/ü/名/🙂"))?.value ?? [])]).toEqual([...value]);
			expect((await store.get("/empty"))?.value.length).toBe(0);
			expect((await store.range({ from: "/ü/", to: prefixEnd("/ü/") })).entries).toHaveLength(1);
		});

		test("a watch delivers its prefix from its revision on, once and in order", async () => {
			await commit(store, put("/a/1"));
			await commit(store, put("/b/1"));
			await commit(store, put("/a/2"));
			const seen = watch(store, "/a/", 1);
			await commit(store, remove("/a/1"));
			await commit(store, put("/b/2"));
			const last = await commit(store, put("/a/3"));
			await seen.until(last);
			expect(seen.keys()).toEqual(["+/a/2", "-/a/1", "+/a/3"]);
			expect(seen.revisions()).toEqual([3, 4, 6]);
			seen.stop();
		});

		test("a change carries what was there before", async () => {
			const seen = watch(store, "/", 0);
			await commit(store, put("/a", "one"));
			await commit(store, put("/a", "two"));
			await seen.until(await commit(store, remove("/a")));
			const before = seen.calls.flat().map(({ previous }) => previous && text(previous.value));
			expect(before).toEqual([undefined, "one", "two"]);
			const again = watch(store, "/", 0);
			await again.until(3);
			expect(again.calls.flat().map(({ previous }) => previous && text(previous.value))).toEqual(before);
			seen.stop();
			again.stop();
		});

		test("a watch that catches up while others write misses nothing", async () => {
			for (let index = 0; index < 600; index++) void commit(store, put(`/a/${index}`));
			await commit(store, put("/a/x"));
			const seen = watch(store, "/a/", 0);
			const writing = Promise.all(Array.from({ length: 300 }, (_, index) => commit(store, put(`/a/${index}`))));
			const last = Math.max(...(await writing));
			await seen.until(last);
			expect(seen.revisions()).toEqual(Array.from({ length: 901 }, (_, index) => index + 1));
			seen.stop();
		});

		test("a commit has reached the watches before its writer hears of it", async () => {
			const seen = watch(store, "/", 0);
			await commit(store, put("/warm-up"));
			await seen.until(1);
			const revision = await commit(store, put("/a"));
			expect(seen.revisions().at(-1)).toBe(revision);
			seen.stop();
		});

		test("a watch that writes does not see its own write before the change it answers", async () => {
			const order: string[] = [];
			const abort = new AbortController();
			let answered: Promise<number> | undefined;
			const sink = (name: string) => ({
				changes(changes: readonly Change[]) {
					for (const change of changes) order.push(`${name}${change.key}`);
					if (name === "1" && changes[0]?.key === "/a") answered = commit(store, put("/answer"));
				},
				end: () => {},
			});
			store.watch({ prefix: "/", afterRevision: 0, signal: abort.signal }, sink("1"));
			store.watch({ prefix: "/", afterRevision: 0, signal: abort.signal }, sink("2"));
			await commit(store, put("/a"));
			const last = watch(store, "/", 0);
			await last.until((await answered) ?? 0);
			expect(order.filter((event) => event.startsWith("2"))).toEqual(["2/a", "2/answer"]);
			abort.abort();
			last.stop();
		});

		test("a stopped watch hears nothing more, not even an end", async () => {
			const seen = watch(store, "/", 0);
			await seen.until(await commit(store, put("/a")));
			seen.stop();
			await commit(store, put("/b"));
			await store.close();
			expect(seen.keys()).toEqual(["+/a"]);
			expect(seen.error).toBeUndefined();
		});

		test("a watch ends when the store closes", async () => {
			const seen = watch(store, "/", 0);
			await seen.until(await commit(store, put("/a")));
			await store.close();
			expect(seen.error).toBeInstanceOf(Error);
		});

		test("compaction forgets history, not entries", async () => {
			await commit(store, put("/a", "old"));
			await commit(store, put("/b"));
			await commit(store, put("/a", "new"));
			await commit(store, remove("/b"));
			await store.compact(3);
			expect(text((await store.get("/a"))?.value ?? new Uint8Array())).toBe("new");
			const expired = watch(store, "/", 2);
			await expired.until(1);
			expect(expired.error).toBeInstanceOf(ApiError);
			expect((expired.error as ApiError).reason).toBe("Expired");
			const seen = watch(store, "/", 3);
			await seen.until(4);
			expect(seen.keys()).toEqual(["-/b"]);
			await store.compact(4);
			await store.compact(2);
			expect((await store.range({ from: "" })).entries.map((entry) => entry.key)).toEqual(["/a"]);
			expect(await commit(store, put("/b"))).toBe(5);
			await seen.until(5);
			seen.stop();
		});

		test("what was committed is there when the store is opened again", async (context) => {
			if (under.reopen === undefined) context.skip("this store keeps nothing");
			await commit(store, put("/a", "1"));
			await commit(store, put("/b", "2"));
			await commit(store, remove("/a"));
			store = (await under.reopen?.()) ?? store;
			expect(await store.revision()).toBe(3);
			expect(await store.get("/a")).toBeUndefined();
			expect(await store.get("/b")).toMatchObject({ modRevision: 2, createRevision: 2 });
			const seen = watch(store, "/", 1);
			await seen.until(await commit(store, put("/c")));
			expect(seen.keys()).toEqual(["+/b", "-/a", "+/c"]);
			expect(seen.revisions()).toEqual([2, 3, 4]);
			await store.compact(3);
			seen.stop();
			store = (await under.reopen?.()) ?? store;
			const expired = watch(store, "/", 1);
			await expired.until(1);
			expect((expired.error as ApiError).reason).toBe("Expired");
		});
	});
}
