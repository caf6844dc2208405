import { expect, test } from "vitest";
import { parse } from "./cached.ts";
import { History } from "./history.ts";
import { KindCache } from "./kind-cache.ts";

const value = (name: string, bytes: number) =>
	Buffer.from(
		JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { text: "x".repeat(bytes) } }),
	);
const quiet = { change: () => {}, progress: () => {}, end: () => {}, scope: { by: "all" } as const };

/** Caches with one budget, and a short way to write to them. */
function caches(limitBytes: number) {
	const history = new History(limitBytes);
	let revision = 0;
	const cache = () => new KindCache(0, 1_000_000, false, history);
	const write = (to: KindCache, name: string, bytes: number) =>
		to.apply(++revision, name, parse(name, value(name, bytes), revision));
	const oldest = (of: KindCache) => {
		for (let after = 0; ; after++) {
			try {
				of.watch(quiet, after, AbortSignal.abort());
				return after;
			} catch (error) {
				expect(error).toMatchObject({
					reason: "Expired",
					message: expect.stringContaining("too old resource version"),
				});
			}
		}
	};
	return { history, cache, write, oldest, revision: () => revision };
}

test("what is remembered stays within the budget, however large the objects are", () => {
	const { history, cache, write, oldest, revision } = caches(1_000_000);
	const large = cache();
	for (let index = 0; index < 200; index++) {
		write(large, "one", 100_000);
		expect(history.heldBytes).toBeLessThanOrEqual(1_000_000);
	}
	// Some of the past is there, the rest is answered Expired.
	expect(oldest(large)).toBeGreaterThan(revision() - 12);
	expect(oldest(large)).toBeLessThan(revision() - 5);
});

test("a resource that is written much does not cost the others their past", () => {
	const { history, cache, write, oldest } = caches(1_000_000);
	const [busy, calm] = [cache(), cache()];
	for (let index = 0; index < 50; index++) write(calm, `calm-${index % 5}`, 1000);
	for (let index = 0; index < 500; index++) write(busy, "busy", 20_000);
	expect(history.heldBytes).toBeLessThanOrEqual(1_000_000);
	expect(oldest(calm)).toBe(0);
	expect(oldest(busy)).toBeGreaterThan(400);
	for (let index = 0; index < 5000; index++) write(calm, `calm-${index % 5}`, 1000);
	expect(history.heldBytes).toBeLessThanOrEqual(1_000_000);
	expect(oldest(calm)).toBeGreaterThan(0);
});

test("what is deleted counts until it is forgotten, and a cache that is emptied holds nothing", () => {
	const { history, cache, write, revision } = caches(1_000_000);
	const one = cache();
	write(one, "gone", 50_000);
	const live = history.heldBytes;
	expect(live).toBeLessThan(2000);
	one.apply(revision() + 1, "gone", undefined);
	expect(history.heldBytes).toBeGreaterThan(50_000);
	one.forget(revision() + 1);
	expect(history.heldBytes).toBe(0);
});

test("superseded objects are kept once, as stored, but for the newest", () => {
	const { cache, write } = caches(64_000_000);
	const one = cache();
	const objects: unknown[] = [];
	for (let index = 0; index < 80; index++) {
		write(one, "one", 100_000);
		const object = one.get("one")?.object;
		objects.push(object && new WeakRef(object));
	}
	const seen: unknown[] = [];
	one.watch({ ...quiet, change: (event) => void seen.push(event.previous?.object) }, 0, new AbortController().signal);
	const kept = objects.filter((ref, index) => ref instanceof WeakRef && seen[index + 1] === ref.deref());
	// They read the same all the same.
	expect(seen).toHaveLength(80);
	expect(seen.at(40)).toMatchObject({ metadata: { name: "one", resourceVersion: "40" } });
	expect(kept.length).toBeGreaterThan(2);
	expect(kept.length).toBeLessThan(25);
});
