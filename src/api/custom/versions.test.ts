/** Objects of several versions: stored in one, served in others. */
import { afterEach, expect, test } from "vitest";
import { closeAll } from "../testing/clients.ts";
import type { Json } from "../testing/test-api.ts";
import { definition, definitionsPath, version } from "./testing/definitions.ts";
import { at, integer, schema, serveWidgets, widget } from "./testing/widgets.ts";

afterEach(closeAll);

const twoVersions = () =>
	definition({
		versions: [
			version("v1", { schema: schema({ size: integer, old: { type: "string" } }), deprecated: true }),
			version("v2", {
				storage: false,
				schema: schema({ size: integer, extra: { type: "string", default: "none" } }),
				subresources: { status: {} },
				selectableFields: [{ jsonPath: ".extra" }],
				additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".size" }],
			}),
		],
	});

test("each version has its own schema, columns, subresources and selectable fields", async () => {
	const api = await serveWidgets(twoVersions());
	const one = await api.ask("POST", at("v1"), widget("v1", "one", { size: 1, old: "a", extra: "b" }));
	expect(one.object).toMatchObject({ apiVersion: "example.com/v1", size: 1, old: "a" });
	expect(one.object.extra).toBeUndefined();
	expect(one.headers["warning"]).toContain("example.com/v1 Widget is deprecated; use example.com/v2 Widget");
	const two = await api.ask("POST", at("v2"), widget("v2", "two", { size: 2 }));
	expect(two.object).toMatchObject({ apiVersion: "example.com/v2", size: 2 });
	// It is stored in a version that has no such field.
	expect(two.object.extra).toBeUndefined();
	expect(two.headers["warning"]).toBeUndefined();
	const { object: list } = await api.ask("GET", at("v2"));
	expect(list.apiVersion).toBe("example.com/v2");
	// A default of the version that is asked for does not come into what was stored in another.
	expect(list.items.map(({ apiVersion, size, old, extra }: Json) => [apiVersion, size, old, extra])).toEqual([
		["example.com/v2", 1, undefined, undefined],
		["example.com/v2", 2, undefined, undefined],
	]);
	expect((await api.ask("GET", `${at("v1")}/two/status`)).status).toBe(404);
	expect((await api.ask("GET", `${at("v2")}/two/status`)).status).toBe(200);
	const selector = "?fieldSelector=extra%3Dnone";
	expect((await api.ask("GET", `${at("v1")}${selector}`)).status).toBe(400);
	expect((await api.ask("GET", `${at("v2")}${selector}`)).object.items).toEqual([]);
	const table = await api.ask("GET", at("v2"), undefined, {
		headers: { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" },
	});
	expect(table.object.rows.map(({ cells }: Json) => cells)).toEqual([
		["one", 1],
		["two", 2],
	]);
	const resources = (await api.ask("GET", "/apis/example.com/v1")).object.resources;
	expect(resources.map(({ name }: Json) => name)).toEqual(["widgets"]);
	const group = (await api.ask("GET", "/apis/example.com")).object;
	expect(group.preferredVersion.version).toBe("v2");
});

test("a write keeps what only the stored version has as far as the client's version knows of it", async () => {
	const api = await serveWidgets(twoVersions());
	await api.ask("POST", at("v1"), widget("v1", "one", { size: 1, old: "a" }));
	const patched = await api.ask("PATCH", `${at("v2")}/one`, { size: 5 }, { type: "application/merge-patch+json" });
	expect(patched.object).toMatchObject({ apiVersion: "example.com/v2", size: 5 });
	const { object } = await api.ask("GET", `${at("v1")}/one`);
	expect(object).toMatchObject({ apiVersion: "example.com/v1", size: 5 });
	expect(object.metadata.generation).toBe(2);
});

test("watches of every version see every change, in their version", async () => {
	const api = await serveWidgets(twoVersions());
	await api.ask("POST", at("v1"), widget("v1", "one", { size: 1 }));
	const v1 = await api.watch(`${at("v1")}?watch=true`);
	const v2 = await api.watch(`${at("v2")}?watch=true`);
	await api.ask("POST", at("v2"), widget("v2", "two", { size: 2 }));
	await api.ask("DELETE", `${at("v2")}/one`);
	const seen = ({ events }: typeof v1) =>
		events.map(({ type, object }) => [type, object.apiVersion, object.metadata.name]);
	const expected = (name: string) => [
		["ADDED", `example.com/${name}`, "one"],
		["ADDED", `example.com/${name}`, "two"],
		["DELETED", `example.com/${name}`, "one"],
	];
	expect(seen(v1)).toEqual(expected("v1"));
	expect(seen(v2)).toEqual(expected("v2"));
});

test("objects that were stored before the schema changed are as the schema says now", async () => {
	const api = await serveWidgets(definition({ versions: [version("v1")] }));
	await api.ask("POST", at("v1"), widget("v1", "one", { size: 1, extra: "b" }));
	const served = (await api.ask("GET", `${definitionsPath}/widgets.example.com`)).sent();
	served.spec.versions[0].schema = schema({ size: integer, color: { type: "string", default: "red" } });
	expect((await api.ask("PUT", `${definitionsPath}/widgets.example.com`, served)).status).toBe(200);
	const { object, sent } = await api.ask("GET", `${at("v1")}/one`);
	expect(object).toMatchObject({ size: 1, color: "red" });
	expect(object.extra).toBeUndefined();
	expect(sent()).toEqual(object);
	// What changes nothing else is written nevertheless: it is stored as it is now.
	const again = await api.ask("PUT", `${at("v1")}/one`, object);
	expect(again.object.metadata.resourceVersion).not.toBe(object.metadata.resourceVersion);
	const third = await api.ask("PUT", `${at("v1")}/one`, again.object);
	expect(third.object.metadata.resourceVersion).toBe(again.object.metadata.resourceVersion);
});

test("an object stays in the version in which it was stored until it is written again", async () => {
	const api = await serveWidgets(twoVersions());
	await api.ask("POST", at("v1"), widget("v1", "one", { size: 1 }));
	const served = (await api.ask("GET", `${definitionsPath}/widgets.example.com`)).sent();
	for (const one of served.spec.versions) one.storage = one.name === "v2";
	const changed = await api.ask("PUT", `${definitionsPath}/widgets.example.com`, served);
	expect(changed.object.status.storedVersions).toEqual(["v1", "v2"]);
	const { object } = await api.ask("GET", `${at("v2")}/one`);
	const written = await api.ask("PUT", `${at("v2")}/one`, object);
	expect(written.object.metadata.resourceVersion).not.toBe(object.metadata.resourceVersion);
	const migrated = { ...changed.object, status: { ...changed.object.status, storedVersions: ["v2"] } };
	const status = await api.ask("PUT", `${definitionsPath}/widgets.example.com/status`, migrated);
	expect(status.object.status.storedVersions).toEqual(["v2"]);
	served.metadata.resourceVersion = status.object.metadata.resourceVersion;
	served.spec.versions = served.spec.versions.filter(({ name }: Json) => name === "v2");
	expect((await api.ask("PUT", `${definitionsPath}/widgets.example.com`, served)).status).toBe(200);
	expect((await api.ask("GET", at("v1"))).status).toBe(404);
	expect((await api.ask("GET", `${at("v2")}/one`)).object).toMatchObject({ size: 1 });
});

test("objects that later defaults would make too large are read without them", async () => {
	const items = { type: "array", items: { type: "object", properties: { a: integer } } };
	const api = await serveWidgets(definition({ versions: [{ ...version("v1"), schema: schema({ items }) }] }));
	const sent = { ...widget("v1", "one", {}), items: Array.from({ length: 2_000 }, () => ({})) };
	expect((await api.ask("POST", at("v1"), sent)).status).toBe(201);
	const served = (await api.ask("GET", `${definitionsPath}/widgets.example.com`)).sent();
	const large = { type: "array", items: integer, default: Array(2_000).fill(1) };
	const grown = { ...items, items: { type: "object", properties: { a: integer, large } } };
	served.spec.versions[0].schema = schema({ items: grown });
	expect((await api.ask("PUT", `${definitionsPath}/widgets.example.com`, served)).status).toBe(200);
	expect((await api.ask("GET", at("v1"))).object.items[0].items).toEqual(sent.items);
	const again = await api.ask("POST", at("v1"), { ...sent, metadata: { name: "two" } });
	expect([again.status, again.object.message]).toEqual([413, "Request entity too large: limit is 100000 values"]);
	expect((await api.ask("DELETE", `${at("v1")}/one`)).status).toBe(200);
});
