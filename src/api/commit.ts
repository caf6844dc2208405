/** The one place that writes to the store. */
import type { KubeObject } from "../core/object.ts";
import { type Cached, encode, parse } from "./cache/cached.ts";
import type { Server } from "./server.ts";

/** Writes that go along with an object's, or not at all: addresses taken and given back, quotas charged. */
export interface Companions {
	/** Keys that must not exist yet, and what they are to hold. */
	claims: { key: string; value: string }[];
	/** Keys that are to go. */
	releases: string[];
	/** Other objects that change, and the modRevision that each must have. They belong to the cache afterwards. */
	updates?: { key: string; expected: number; object: KubeObject }[];
}

export interface ObjectWrite {
	key: string;
	/** modRevision the key must have; 0: it must not exist. */
	expected: number;
	companions?: Companions | undefined;
}

export type Outcome = { ok: true; cached: Cached } | { ok: false; taken: string[] };

/**
 * Writes an object. Resolves when the cache has seen the write. The object belongs to the cache afterwards.
 * When something was not as expected: `taken` names the claims that exist already and the updated objects that are not as
 * they were, and is empty when it was the object.
 */
export async function putObject(server: Server, object: KubeObject, write: ObjectWrite): Promise<Outcome> {
	const { store, cache } = server;
	const { key, expected, companions } = write;
	const value = encode(object);
	const pending = cache.expect(value, object);
	const claims = companions?.claims ?? [];
	const updates = (companions?.updates ?? []).map((update) => ({ ...update, value: encode(update.object) }));
	for (const update of updates) cache.expect(update.value, update.object);
	const others = [
		...claims.map((claim) => ({ key: claim.key, expected: 0, value: Buffer.from(claim.value) })),
		...updates,
	];
	const result = await store.commit({
		compare: [{ key, expected }, ...others].map((one) => ({ key: one.key, modRevision: one.expected })),
		puts: [{ key, value }, ...others.map((one) => ({ key: one.key, value: one.value }))],
		deletes: companions?.releases ?? [],
	});
	if (result.ok) {
		await cache.reached(result.revision);
		return { ok: true, cached: pending.cached ?? parse(key, value, result.revision) };
	}
	return failure(server, result.current, others);
}

/** Removes an object; `cached` is its last state under the revision of its removal. */
export async function removeObject(server: Server, cached: Cached, companions?: Companions): Promise<Outcome> {
	const { store, cache } = server;
	const result = await store.commit({
		compare: [{ key: cached.key, modRevision: cached.revision }],
		puts: [],
		deletes: [cached.key, ...(companions?.releases ?? [])],
	});
	if (!result.ok) return failure(server, result.current, []);
	await cache.reached(result.revision);
	return { ok: true, cached: cached.withRevision(result.revision) };
}

async function failure(
	{ cache }: Server,
	current: readonly ({ modRevision: number } | undefined)[],
	others: readonly { key: string; expected: number }[],
): Promise<Outcome> {
	// Whoever tries again must see what stood in the way.
	const seen = current[0]?.modRevision;
	if (seen !== undefined) await cache.reached(seen);
	else await cache.fresh();
	for (const one of current) if (one !== undefined) await cache.reached(one.modRevision);
	const taken = others.filter(({ expected }, index) => (current[index + 1]?.modRevision ?? 0) !== expected);
	return { ok: false, taken: taken.map(({ key }) => key) };
}
