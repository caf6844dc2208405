import { expect, test } from "vitest";
import type { ServedWatchEvent } from "../../core/exchange.ts";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { testApi } from "../testing/test-api.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string, labels: Record<string, string> = {}) => ({
	apiVersion: "v1",
	kind: "ConfigMap",
	metadata: { name, labels },
});
const seen = (events: ServedWatchEvent[]) => events.map(({ type, object }) => `${type} ${object.metadata.name ?? ""}`);

test("without a resourceVersion a watch begins with everything there is", async () => {
	const api = await testApi({ namespaces: ["default", "other"] });
	await api.ask("POST", configMaps, configMap("a"));
	await api.ask("POST", "/api/v1/namespaces/other/configmaps", configMap("b"));
	const { events } = await api.watch(`${configMaps}?watch=true`);
	await api.ask("POST", "/api/v1/namespaces/other/configmaps", configMap("c"));
	await api.ask("POST", configMaps, configMap("d"));
	expect(seen(events)).toEqual(["ADDED a", "ADDED d"]);
});

test("objects enter and leave a selector as ADDED and DELETED", async () => {
	const api = await testApi();
	const { events } = await api.watch(`${configMaps}?watch=true&labelSelector=app%3Dweb`);
	await api.ask("POST", configMaps, configMap("a"));
	await api.ask("PUT", `${configMaps}/a`, configMap("a", { app: "web" }));
	await api.ask("PUT", `${configMaps}/a`, configMap("a", { app: "web", tier: "1" }));
	const left = await api.ask("PUT", `${configMaps}/a`, configMap("a", { app: "db" }));
	expect(seen(events)).toEqual(["ADDED a", "MODIFIED a", "DELETED a"]);
	const last = events.at(-1);
	expect(last?.object.metadata.labels).toEqual({ app: "web", tier: "1" });
	expect(last?.object.metadata.resourceVersion).toBe(left.object.metadata.resourceVersion);
	expect(JSON.parse(Buffer.from(last?.bytes ?? []).toString())).toEqual(last?.object);
});

test("a watch of one name, or of one node's pods, sees only those", async () => {
	const api = await testApi();
	await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", {
		apiVersion: "v1",
		kind: "ServiceAccount",
		metadata: { name: "default" },
	});
	const one = await api.watch(`${configMaps}?watch=true&fieldSelector=metadata.name%3Da`);
	const node = await api.watch("/api/v1/pods?watch=true&fieldSelector=spec.nodeName%3Dn1");
	for (const name of ["a", "b"]) await api.ask("POST", configMaps, configMap(name));
	for (const name of ["p", "q"]) {
		const pods = "/api/v1/namespaces/default/pods";
		await api.ask("POST", pods, { metadata: { name }, spec: { containers: [{ name: "c", image: "i" }] } });
		const target = { kind: "Node", name: name === "p" ? "n1" : "n2" };
		await api.ask("POST", `${pods}/${name}/binding`, { metadata: { name }, target });
	}
	expect(seen(one.events)).toEqual(["ADDED a"]);
	expect(seen(node.events)).toEqual(["ADDED p"]);
});

test("bookmarks tell how far a quiet watch is, once a minute", async () => {
	const clock = new VirtualClock();
	const api = await testApi({ clock });
	const quiet = await api.watch("/api/v1/secrets?watch=true&resourceVersion=1&allowWatchBookmarks=true");
	const unasked = await api.watch("/api/v1/secrets?watch=true&resourceVersion=1");
	const { object } = await api.ask("POST", configMaps, configMap("a"));
	await clock.advance(61_000);
	expect(seen(quiet.events)).toEqual(["BOOKMARK "]);
	expect(quiet.events[0]?.object).toMatchObject({
		kind: "Secret",
		metadata: { resourceVersion: object.metadata.resourceVersion },
	});
	await clock.advance(120_000);
	expect(quiet.events).toHaveLength(1);
	expect(unasked.events).toEqual([]);
});

test("sendInitialEvents ends the initial state with a marked bookmark", async () => {
	const api = await testApi();
	await api.ask("POST", configMaps, configMap("a"));
	const query = "watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
	const { events } = await api.watch(`${configMaps}?${query}`);
	expect(seen(events)).toEqual(["ADDED a", "BOOKMARK "]);
	expect(events[1]?.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
});

test("watches end with their signal, their time, and the server", async () => {
	const clock = new VirtualClock();
	const api = await testApi({ clock });
	const left = new AbortController();
	const gone = await api.watch(`${configMaps}?watch=true`, { signal: left.signal });
	const timed = await api.watch(`${configMaps}?watch=true&timeoutSeconds=10`);
	const open = await api.watch(`${configMaps}?watch=true`);
	left.abort();
	await clock.advance(11_000);
	await api.ask("POST", configMaps, configMap("a"));
	expect(gone.events).toEqual([]);
	expect(timed.ended).toEqual([undefined]);
	expect(timed.events).toEqual([]);
	expect(seen(open.events)).toEqual(["ADDED a"]);
	await api.close();
	expect(open.ended).toEqual([undefined]);
});

test("a watch can be read as a table", async () => {
	const api = await testApi();
	const accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
	const { events } = await api.watch(`${configMaps}?watch=true`, { headers: { accept } });
	await api.ask("POST", configMaps, configMap("a"));
	await api.ask("POST", configMaps, configMap("b"));
	const tables = events.map(
		({ object }) => object as unknown as { kind: string; columnDefinitions: unknown; rows: unknown[] },
	);
	expect(tables.map(({ kind, rows }) => [kind, rows.length])).toEqual([
		["Table", 1],
		["Table", 1],
	]);
	expect(tables[0]?.columnDefinitions).not.toBeNull();
	expect(tables[1]?.columnDefinitions).toBeNull();
});

test("a watch without initial events begins with what comes next", async () => {
	const api = await testApi();
	const path = "/api/v1/namespaces/default/configmaps";
	await api.ask("POST", path, { metadata: { name: "before" } });
	const query = "watch=1&sendInitialEvents=false&resourceVersionMatch=NotOlderThan";
	const watches = await Promise.all([api.watch(`${path}?${query}`), api.watch(`${path}?${query}&resourceVersion=0`)]);
	await api.ask("POST", path, { metadata: { name: "after" } });
	for (const { events } of watches) expect(events.map(({ object }) => object.metadata.name)).toEqual(["after"]);
});

test("initial events of a revision that is yet to come are refused, as lists are", async () => {
	const clock = new VirtualClock();
	const api = await testApi({ clock });
	const query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=1000";
	const answer = api.ask("GET", `/api/v1/configmaps?${query}`);
	await clock.advance(5000);
	expect((await answer).object).toMatchObject({ code: 504, reason: "Timeout" });
});

test("a watch from the beginning that takes bookmarks is told when everything there was has come", async () => {
	const api = await testApi();
	await api.ask("POST", configMaps, configMap("a"));
	for (const query of ["", "&resourceVersion=0"]) {
		const { events } = await api.watch(`${configMaps}?watch=true&allowWatchBookmarks=true${query}`);
		expect(seen(events)).toEqual(["ADDED a", "BOOKMARK "]);
		expect(events[1]?.object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
	}
	const plain = await api.watch(`${configMaps}?watch=true`);
	expect(seen(plain.events)).toEqual(["ADDED a"]);
});

test("a watch from a future revision begins there", async () => {
	const api = await testApi();
	const { object } = await api.ask("POST", configMaps, configMap("a"));
	const next = Number(object.metadata.resourceVersion) + 1;
	const { events } = await api.watch(`${configMaps}?watch=true&resourceVersion=${next}`);
	await api.ask("POST", configMaps, configMap("b"));
	await api.ask("POST", configMaps, configMap("c"));
	expect(seen(events)).toEqual(["ADDED c"]);
});

test("a watch from outside ends within an hour, one of the process does not", async () => {
	const clock = new VirtualClock();
	const api = await testApi({ clock });
	const outside = await api.watch(`${configMaps}?watch=true`, { peer: { remoteAddress: "192.0.2.1" } });
	const inside = await api.watch(`${configMaps}?watch=true`);
	await clock.advance(29 * 60_000);
	expect(outside.ended).toEqual([]);
	await clock.advance(32 * 60_000);
	expect(outside.ended).toEqual([undefined]);
	expect(inside.ended).toEqual([]);
});
