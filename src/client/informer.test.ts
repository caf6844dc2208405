import { expect, test } from "vitest";
import type { User } from "../core/exchange.ts";
import { VirtualClock } from "../core/time/virtual-clock.ts";
import { configMaps } from "../kinds/core/configmap.ts";
import { secrets } from "../kinds/core/secret.ts";
import { createInformerCache } from "./informer.ts";
import type { InformerCache } from "./informer-cache.ts";
import { createClient } from "./requests.ts";
import { ToyServer } from "./testing/toy-server.ts";
import { memoryTransport } from "./transports/memory.ts";

const user: User = { name: "test", groups: [] };

function setUp() {
	const clock = new VirtualClock();
	const server = new ToyServer(clock);
	const client = createClient(memoryTransport(server.handle, user));
	return { clock, server, client, informers: createInformerCache(client, { clock }) };
}

function map(name: string, owner?: string) {
	const ownerReferences =
		owner === undefined ? {} : { ownerReferences: [{ apiVersion: "v1", kind: "Secret", name: "s", uid: owner }] };
	return { metadata: { name, namespace: "default", ...ownerReferences } };
}

test("an informer cache lists what exists, follows changes and keeps its indexes", async () => {
	const { client, informers, clock } = setUp();
	await client.create(configMaps, map("a", "owner-1"));
	const informer = informers.of(configMaps);
	informer.addIndex("name", (object) => [object.metadata.name]);
	await informers.synced();
	expect(informer.get("default", "a")?.metadata.name).toBe("a");
	await client.create(configMaps, map("b", "owner-1"));
	await clock.advance(0);
	expect([...informer.ownedBy("owner-1")].map((one) => one.metadata.name)).toEqual(["a", "b"]);
	expect([...informer.controlledBy("owner-1")]).toEqual([]);
	expect([...informer.byIndex("name", "b")]).toHaveLength(1);
	await client.delete(configMaps, { namespace: "default", name: "a" });
	await clock.advance(0);
	expect([...informer.list("default")].map((one) => one.metadata.name)).toEqual(["b"]);
	expect([...informer.ownedBy("owner-1")]).toHaveLength(1);
	informers.close();
});

test("an informer cache without managedFields holds the rest of its objects", async () => {
	const { client, clock } = setUp();
	const managedFields = [{ manager: "test", operation: "Update" }];
	await client.create(configMaps, { metadata: { name: "a", namespace: "default", managedFields }, data: { a: "b" } });
	const informers = createInformerCache(client, { clock, withoutManagedFields: true });
	const held = informers.of(configMaps);
	await informers.synced();
	const sent = await client.get(configMaps, { namespace: "default", name: "a" });
	expect(sent.metadata.managedFields).toEqual(managedFields);
	const { managedFields: _, ...metadata } = sent.metadata;
	expect(held.get("default", "a")).toEqual({ ...sent, metadata });
	informers.close();
});

/** Each change as `OLD>NEW`, by name. */
function changesSeen(informers: InformerCache): string[] {
	const seen: string[] = [];
	informers
		.of(configMaps)
		.onChange((current, old) => seen.push(`${old?.metadata.name ?? ""}>${current?.metadata.name ?? ""}`));
	return seen;
}

test("an informer cache resumes a broken watch without missing or repeating a change", async () => {
	const { client, informers, clock, server } = setUp();
	const seen = changesSeen(informers);
	await informers.synced();
	await client.create(configMaps, map("a"));
	server.breakWatches();
	await client.create(configMaps, map("b"));
	await client.delete(configMaps, { namespace: "default", name: "a" });
	await clock.advance(60_000);
	expect(seen).toEqual([">a", ">b", "a>"]);
	informers.close();
});

test("an informer cache whose revision was compacted lists again and tells the difference", async () => {
	const { client, informers, clock, server } = setUp();
	const seen = changesSeen(informers);
	await informers.synced();
	await client.create(configMaps, map("a"));
	server.breakWatches();
	await client.create(configMaps, map("b"));
	await client.delete(configMaps, { namespace: "default", name: "a" });
	server.compact();
	await clock.advance(60_000);
	expect(seen).toEqual([">a", "a>", ">b"]);
	informers.close();
});

test("an informer cache reaches a revision that only other kinds were written at", async () => {
	const { client, informers, clock } = setUp();
	const informer = informers.of(configMaps);
	await informers.synced();
	await client.create(secrets, { metadata: { name: "s", namespace: "default" } });
	const newest = await client.revision();
	let reached = false;
	const waiting = informer.reached(newest).then(() => {
		reached = true;
	});
	await clock.advance(1000);
	await waiting;
	expect(reached).toBe(true);
	informers.close();
});

test("waiting for a revision ends with its signal and with the informer cache", async () => {
	const { informers } = setUp();
	const informer = informers.of(configMaps);
	await informers.synced();
	const abort = new AbortController();
	const aborted = informer.reached(10, abort.signal);
	abort.abort(new Error("enough"));
	await expect(aborted).rejects.toThrow("enough");
	const closed = informer.reached(10);
	informers.close();
	await expect(closed).rejects.toThrow("closed");
});

test("an object recreated between two looks is told of as gone and as new", async () => {
	const { client, informers, clock, server } = setUp();
	const seen = changesSeen(informers);
	await informers.synced();
	await client.create(configMaps, map("a"));
	server.breakWatches();
	await client.delete(configMaps, { namespace: "default", name: "a" });
	await client.create(configMaps, map("a"));
	server.compact();
	await clock.advance(60_000);
	expect(seen).toEqual([">a", "a>", ">a"]);
	informers.close();
});
