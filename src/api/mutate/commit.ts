/** The only code that writes objects to the store. */
import { getHeapStatistics } from "node:v8";
import { ApiError } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { type Cached, encode, parse } from "../cache/cached.ts";
import { memoryOf } from "../cache/kind-cache.ts";
import type { Companions, Server } from "../server/server.ts";

/**
 * All objects are in memory, together with much else: a server that runs out of memory crashes, and crashes again after
 * its restart.
 */
const defaultObjectLimitBytes = getHeapStatistics().heap_size_limit / 2;

/** The limit for a stored object; the default of upstream's store. */
const largestObjectBytes = 1.5 * 1024 * 1024;

export interface ObjectWrite {
	kind: Kind;
	key: string;
	/** modRevision that the key must have; 0: it must not exist. */
	expected: number;
	companions: Companions;
}

export type Outcome = { ok: true; cached: Cached } | { ok: false; taken: string[] };

/**
 * Writes an object, which belongs to the cache afterwards. Resolves when the cache has processed the write. If a
 * comparison failed, `taken` names the claims that exist already and the updated objects that have changed; it is empty
 * if the object itself has changed.
 */
export async function putObject(server: Server, object: KubeObject, write: ObjectWrite): Promise<Outcome> {
	const { store, cache, metrics } = server;
	const { key, expected, companions } = write;
	const value = encoded(object, write.kind);
	if (value.length > largestObjectBytes)
		throw new ApiError("RequestEntityTooLarge", `Request entity too large: limit is ${largestObjectBytes}`, {});
	ensureRoom(server, value.length, expected === 0);
	const pending = cache.expect(value, object);
	const others = companionWrites(server, companions);
	const writes = [{ key, modRevision: expected, value }, ...others];
	const begunMs = metrics.store.begin();
	const result = await store.commit({ compare: writes, puts: writes, deletes: companions.releases });
	metrics.store.committed(expected === 0 ? "create" : "update", key, begunMs);
	if (result.ok) {
		if (cache.revision < result.revision) await cache.reached(result.revision);
		return { ok: true, cached: pending.cached ?? parse(key, value, result.revision) };
	}
	return failure(server, result.current, others);
}

/** Drops `managedFields` from an object that would be too large with them, as upstream. */
function encoded(object: KubeObject, kind: Kind): Buffer {
	const value = encode(object, kind);
	if (value.length <= largestObjectBytes || object.metadata.managedFields === undefined) return value;
	delete object.metadata.managedFields;
	return encode(object, kind);
}

/** Updates still succeed beyond the limit for creates, because nodes must renew their heartbeats. */
const updateShare = 1.25;

/** @throws ApiError InternalError, like upstream's store when it is full */
function ensureRoom({ cache, options }: Server, jsonBytes: number, isNew: boolean): void {
	const limitBytes = options.objectLimitBytes ?? defaultObjectLimitBytes;
	const heldBytes = cache.objectBytes + memoryOf(jsonBytes);
	if (heldBytes <= limitBytes * (isNew ? 1 : updateShare)) return;
	const mebibytes = Math.round(limitBytes / 2 ** 20);
	throw new ApiError(
		"InternalError",
		`the cluster is full: its objects take the ${mebibytes} MiB of memory that are for them; delete some`,
	);
}

const none: readonly never[] = [];

/** A write that requires the key to have `modRevision`. */
interface ComparedWrite {
	key: string;
	modRevision: number;
	value: Uint8Array;
}

function companionWrites({ cache }: Server, { claims, updates = [] }: Companions): readonly ComparedWrite[] {
	if (claims.length === 0 && updates.length === 0) return none;
	const claimed = claims.map(({ key, value }): ComparedWrite => ({ key, modRevision: 0, value: Buffer.from(value) }));
	const updated = updates.map(({ key, expected, object }): ComparedWrite => {
		const value = encode(object);
		cache.expect(value, object);
		return { key, modRevision: expected, value };
	});
	return claimed.concat(updated);
}

/**
 * Removes objects of one kind, all or none. Resolves when the cache has processed it.
 * @returns the first object's last state with the revision of its removal
 */
export async function removeObjects(
	server: Server,
	[first, ...others]: readonly [Cached, ...Cached[]],
	companions: Companions,
): Promise<Outcome> {
	const { store, cache, metrics } = server;
	const begunMs = metrics.store.begin();
	const all = [first, ...others];
	const result = await store.commit({
		compare: all.map(({ key, revision }) => ({ key, modRevision: revision })),
		puts: [],
		deletes: all.map(({ key }) => key).concat(companions.releases),
	});
	metrics.store.committed("delete", first.key, begunMs);
	if (!result.ok) return failure(server, result.current, none);
	await cache.reached(result.revision);
	return { ok: true, cached: first.withRevision(result.revision) };
}

async function failure(
	{ cache }: Server,
	current: readonly ({ modRevision: number } | undefined)[],
	others: readonly { key: string; modRevision: number }[],
): Promise<Outcome> {
	// A client that retries must see the conflicting write.
	const seen = current[0]?.modRevision;
	if (seen !== undefined) await cache.reached(seen);
	else await cache.fresh();
	for (const one of current) if (one !== undefined) await cache.reached(one.modRevision);
	const taken = others.filter(({ modRevision }, index) => (current[index + 1]?.modRevision ?? 0) !== modRevision);
	return { ok: false, taken: taken.map(({ key }) => key) };
}
