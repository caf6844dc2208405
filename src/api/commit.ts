/** The one place that writes to the store. */
import type { KubeObject } from "../core/object.ts";
import { type Cached, encode, parse } from "./cache/cached.ts";
import type { Server } from "./server.ts";

/** Writes that go along with an object's, or not at all: addresses taken and given back. */
export interface Companions {
	/** Keys that must not exist yet, and what they are to hold. */
	claims: { key: string; value: string }[];
	/** Keys that are to go. */
	releases: string[];
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
 * When something was not as expected: `taken` names the claims that exist already, and is empty when it was the object.
 */
export async function putObject(server: Server, object: KubeObject, write: ObjectWrite): Promise<Outcome> {
	const { store, cache } = server;
	const { key, expected, companions } = write;
	const value = encode(object);
	const pending = cache.expect(value, object);
	const claims = companions?.claims ?? [];
	const result = await store.commit({
		compare: [{ key, modRevision: expected }, ...claims.map((claim) => ({ key: claim.key, modRevision: 0 }))],
		puts: [{ key, value }, ...claims.map((claim) => ({ key: claim.key, value: Buffer.from(claim.value) }))],
		deletes: companions?.releases ?? [],
	});
	if (result.ok) {
		await cache.reached(result.revision);
		return { ok: true, cached: pending.cached ?? parse(key, value, result.revision) };
	}
	return failure(server, result.current, claims);
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
	claims: readonly { key: string }[],
): Promise<Outcome> {
	// Whoever tries again must see what stood in the way.
	const seen = current[0]?.modRevision;
	if (seen !== undefined) await cache.reached(seen);
	else await cache.fresh();
	return { ok: false, taken: claims.filter((_, index) => current[index + 1] !== undefined).map(({ key }) => key) };
}
