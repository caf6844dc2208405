import { expect, test } from "vitest";
import { createClient } from "../client/requests.ts";
import { ToyServer } from "../client/testing/toy-server.ts";
import { memoryTransport } from "../client/transports/memory.ts";
import { VirtualClock } from "../core/time/virtual-clock.ts";
import { configMaps } from "../kinds/core/configmap.ts";
import type { Pod } from "../kinds/generated/types.ts";
import { WatchedReferences } from "./references.ts";

function pod(uid: string): Pod {
	return {
		apiVersion: "v1",
		kind: "Pod",
		metadata: { name: uid, namespace: "default", uid, resourceVersion: "1", creationTimestamp: "2026-01-01T00:00:00Z" },
		spec: { containers: [], volumes: [{ name: "v", configMap: { name: "settings" } }] },
	};
}

test("what many pods name is watched once, tells each of them, and is let go of with the last", async () => {
	const clock = new VirtualClock();
	const server = new ToyServer(clock);
	const watches = new Set<AbortSignal>();
	const client = createClient(
		memoryTransport(
			(request) => {
				if (request.query.has("watch")) watches.add(request.signal);
				return server.handle(request);
			},
			{ name: "node", groups: [] },
		),
	);
	const open = () => [...watches].filter(({ aborted }) => !aborted).length;
	const settings = await client.create(configMaps, { metadata: { name: "settings", namespace: "default" } });
	const references = new WatchedReferences(client, clock);
	const told: string[] = [];
	for (const uid of ["a", "b"]) references.hold(pod(uid), () => told.push(uid));
	await clock.advance(1000);
	expect(open()).toBe(1);
	told.length = 0;
	await client.update(configMaps, { ...settings, data: { key: "value" } });
	await clock.advance(1000);
	expect(told).toEqual(["a", "b"]);
	references.release("a");
	expect(open()).toBe(1);
	references.release("b");
	expect(open()).toBe(0);
	references.close();
});
