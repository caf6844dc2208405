import { expect, test } from "vitest";
import { createClient } from "../../client/requests.ts";
import { memoryTransport } from "../../client/transports/memory.ts";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { catalog } from "../../kinds/catalog.ts";
import { configMaps } from "../../kinds/core/configmap.ts";
import { events } from "../../kinds/core/event.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import { createRegistry } from "../../kinds/engine/registry.ts";
import { createMemoryStore } from "../../store/memory.ts";
import { createApi } from "../handle.ts";

const minuteMs = 60_000;

async function server(store = createMemoryStore(), clock = new VirtualClock()) {
	const api = await createApi({ store, clock, registry: createRegistry(catalog), serviceCidr: "10.96.0.0/16" });
	const client = createClient(memoryTransport(api.handle, { name: "admin", groups: ["system:masters"] }));
	await client.create(namespaces, { metadata: { name: "default" }, spec: {} }).catch(() => {});
	const names = async () => (await client.list(events)).items.map(({ metadata }) => metadata.name);
	const event = (name: string) =>
		client.create(events, { metadata: { name, namespace: "default" }, involvedObject: {}, reason: "Tested" });
	return { api, client, clock, store, names, event };
}

test("an Event lives for an hour after it was last written; other objects stay", async () => {
	const { api, client, clock, names, event } = await server();
	await client.create(configMaps, { metadata: { name: "stays", namespace: "default" } });
	await event("early");
	await event("repeated");
	await clock.advance(40 * minuteMs);
	await event("late");
	await client.patch(events, { namespace: "default", name: "repeated" }, { type: "merge", patch: { count: 2 } });
	await clock.advance(21 * minuteMs);
	expect(await names()).toEqual(["late", "repeated"]);
	await clock.advance(40 * minuteMs);
	expect(await names()).toEqual([]);
	await clock.advance(7 * 24 * 60 * minuteMs);
	expect((await client.list(configMaps)).items).toHaveLength(1);
	expect(clock.nextDueMs()).toBeUndefined();
	await api.close();
});

test("thousands of Events go in a few writes, and watchers are told of each", async () => {
	const { api, client, clock, store, names, event } = await server();
	const { resourceVersion } = await client.list(events);
	const gone: string[] = [];
	client.watch(
		events,
		{ resourceVersion, signal: new AbortController().signal },
		{ event: ({ type, object }) => type === "DELETED" && gone.push(object.metadata.name), end: () => {} },
	);
	for (let index = 0; index < 3000; index++) await event(`event-${index}`);
	const before = await store.revision();
	await clock.advance(61 * minuteMs);
	expect(await names()).toEqual([]);
	expect(gone).toHaveLength(3000);
	expect((await store.revision()) - before).toBeLessThan(20);
	await api.close();
});

test("Events that were there before the server go, too", async () => {
	const { api, store, clock, event } = await server();
	await event("old");
	await api.close();
	const next = await server(store, clock);
	expect(await next.names()).toEqual(["old"]);
	await clock.advance(61 * minuteMs);
	expect(await next.names()).toEqual([]);
	await next.api.close();
});
