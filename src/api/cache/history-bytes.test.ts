import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createMemoryStore } from "../../store/memory.ts";
import { testApi } from "../testing/test-api.ts";

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Bytes of buffers that are reachable. */
function bufferBytes(): number {
	for (let round = 0; round < 3; round++) collectGarbage();
	return process.memoryUsage().arrayBuffers;
}

const configMaps = "/api/v1/namespaces/default/configmaps";
const mebi = 1024 * 1024;
const limited = () => testApi({ store: createMemoryStore({ historyBytes: mebi }), watchHistoryBytes: mebi });
/**
 * The store's history and the watch cache's, of the same buffers, what the cache keeps warm, and twice that for chance.
 */
const mostBytes = 8 * mebi;

test("hundreds of updates of a large object hold no more than the budget, for all who watch, too", async () => {
	const api = await limited();
	const large = (round: number) => ({ metadata: { name: "large" }, data: { text: `${round}`.padEnd(mebi / 8, ".") } });
	const { object: first } = await api.ask("POST", configMaps, large(0));
	await api.ask("POST", configMaps, { metadata: { name: "small" } });
	const page = await api.ask("GET", `${configMaps}?limit=1`);
	const before = bufferBytes();
	const { events } = await api.watch(`${configMaps}?watch=1&resourceVersion=${first.metadata.resourceVersion}`);
	for (let round = 1; round <= 200; round++) {
		await api.ask("PUT", `${configMaps}/large`, large(round));
		// As a socket does, which then is done with them.
		for (const event of events.splice(0)) expect(event.bytes.length).toBeGreaterThan(100);
	}
	expect(bufferBytes() - before).toBeLessThan(mostBytes);
	const old = await api.watch(`${configMaps}?watch=1&resourceVersion=${first.metadata.resourceVersion}`);
	expect(old.ended[0]).toMatchObject({ reason: "Expired" });
	const next = await api.ask("GET", `${configMaps}?limit=1&continue=${page.object.metadata.continue}`);
	expect(next.object).toMatchObject({ code: 410, reason: "Expired" });
	expect(next.object.metadata.continue).toBeTruthy();
});

test("several resources hold no more together than the budget, either", async () => {
	const api = await limited();
	const text = ".".repeat(50_000);
	const before = bufferBytes();
	for (const plural of ["configmaps", "secrets", "services", "serviceaccounts"]) {
		const path = `/api/v1/namespaces/default/${plural}`;
		const object = (round: number) => ({
			metadata: { name: "one", annotations: { text, round: String(round) } },
			...(plural === "services" && { spec: { ports: [{ port: 80 }] } }),
		});
		await api.ask("POST", path, object(0));
		for (let round = 1; round < 100; round++) {
			const { status } = await api.ask("PATCH", `${path}/one`, object(round), { type: "application/merge-patch+json" });
			expect(status).toBe(200);
		}
	}
	expect(bufferBytes() - before).toBeLessThan(mostBytes);
});
