/** A webhook converts objects between their versions. */
import { afterEach, expect, test } from "vitest";
import { closeAll } from "../testing/clients.ts";
import type { Json } from "../testing/test-api.ts";
import { bySize, type Hook, hook } from "./testing/conversion-hook.ts";
import { definition, definitionsPath } from "./testing/definitions.ts";
import { at, integer, patient, serveWidgets, widget } from "./testing/widgets.ts";

afterEach(closeAll);

test("a webhook converts what is read and what is written", async () => {
	const made = await hook();
	const api = await serveWidgets(definition(made.spec));
	const created = await api.ask("POST", at("v2"), widget("v2", "one", { width: 3 }));
	expect(created.status, created.object.message).toBe(201);
	expect(created.object).toMatchObject({ apiVersion: "example.com/v2", width: 3 });
	expect(created.object.metadata.annotations).toEqual({ converted: "yes" });
	expect((await api.ask("GET", `${at("v1")}/one`)).object).toMatchObject({ apiVersion: "example.com/v1", size: 3 });
	expect(made.reviews[0]).toMatchObject({
		kind: "ConversionReview",
		apiVersion: "apiextensions.k8s.io/v1",
		request: { desiredAPIVersion: "example.com/v1", objects: [{ apiVersion: "example.com/v2", width: 3 }] },
	});
	const before = made.reviews.length;
	await api.ask("GET", `${at("v2")}/one`);
	expect(made.reviews.length, "what is known is not asked again").toBe(before);
	for (let index = 0; index < 5; index++) await api.ask("POST", at("v1"), widget("v1", `w${index}`, { size: index }));
	const { object: list } = await api.ask("GET", at("v2"));
	expect(list.items.map(({ width }: Json) => width)).toEqual([3, 0, 1, 2, 3, 4]);
	expect(made.reviews.at(-1).request.objects).toHaveLength(5);
	const patched = await api.ask("PATCH", `${at("v2")}/one`, { width: 9 }, { type: "application/merge-patch+json" });
	expect(patched.object.width).toBe(9);
	expect((await api.ask("GET", `${at("v1")}/one`)).object.size).toBe(9);
});

test("large objects are converted in as many reviews as they need", async () => {
	const made = await hook();
	const list = { type: "array", items: integer };
	for (const { schema: own } of made.spec.versions as Json[]) Object.assign(own.openAPIV3Schema.properties, { list });
	const api = await serveWidgets(definition(made.spec));
	const more = { size: 1, list: Array(20_000).fill(1) };
	for (let index = 0; index < 6; index++) {
		const { status, object } = await api.ask("POST", at("v1"), widget("v1", `w${index}`, more));
		expect(status, object.message).toBe(201);
	}
	const { status, object } = await api.ask("GET", at("v2"));
	expect(status, object.message).toBe(200);
	expect(object.items.map(({ width, list: { length } }: Json) => [width, length])).toEqual(Array(6).fill([1, 20_000]));
	expect(made.reviews.map(({ request }) => request.objects.length)).toEqual(Array(6).fill(1));
});

test("events wait for their conversion, in their order", async () => {
	const made = await hook();
	const api = await serveWidgets(definition(made.spec));
	await api.ask("POST", at("v1"), widget("v1", "one", { size: 1 }));
	const { events } = await api.watch(
		`${at("v2")}?watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`,
	);
	for (let index = 0; index < 20; index++) await api.ask("POST", at("v1"), widget("v1", `w${index}`, { size: index }));
	await api.ask("DELETE", `${at("v1")}/one`);
	await expect.poll(() => events.length, patient).toBe(23);
	expect(events.slice(0, 3).map(({ type }) => type)).toEqual(["ADDED", "BOOKMARK", "ADDED"]);
	expect(events.slice(2, -1).map(({ object }) => (object as Json).width)).toEqual([...Array(20).keys()]);
	expect(events.at(-1)).toMatchObject({ type: "DELETED", object: { apiVersion: "example.com/v2", width: 1 } });
});

const what = "conversion webhook for example.com/v1, Kind=Widget";

test.each<[string, Partial<Hook>, string]>([
	[
		"changes a name",
		{ convert: (object, v) => ({ ...bySize(object, v), metadata: { ...object.metadata, name: "x" } }) },
		`${what} returned invalid object: must have the same name: one != x`,
	],
	[
		"answers in another version",
		{ convert: (object) => object },
		`${what} returned invalid object at index 0: invalid groupVersion (expected example.com/v2, received example.com/v1)`,
	],
	[
		"answers with a kind of its own",
		{ convert: (object, v) => ({ ...bySize(object, v), kind: "X" }) },
		`${what} returned invalid object at index 0: invalid kind (expected Widget, received X)`,
	],
	[
		"answers with bad labels",
		{ convert: (object, v) => ({ ...bySize(object, v), metadata: { ...object.metadata, labels: { a: "!" } } }) },
		`${what} returned invalid metadata: metadata.labels: Invalid value: "!": a valid label must`,
	],
	[
		"loses metadata",
		{ convert: (object, v) => ({ ...bySize(object, v), metadata: undefined }) },
		`${what} returned invalid metadata: missing metadata in converted object`,
	],
	[
		"refuses",
		{
			answer: ({ apiVersion, request }) => ({
				apiVersion,
				kind: "ConversionReview",
				response: { uid: request.uid, result: { status: "Failed", message: "no way" } },
			}),
		},
		`${what} failed: no way`,
	],
	[
		"says nothing",
		{ answer: ({ apiVersion }) => ({ apiVersion, kind: "ConversionReview" }) },
		`${what} failed: no response provided`,
	],
	[
		"answers something else",
		{ answer: ({ apiVersion }) => ({ apiVersion, kind: "ConversionReview", response: { uid: "x" } }) },
		`${what} failed: expected response.uid=`,
	],
	[
		"answers with too little",
		{
			answer: ({ apiVersion, request }) => ({
				apiVersion,
				kind: "ConversionReview",
				response: { uid: request.uid, result: { status: "Success" }, convertedObjects: [] },
			}),
		},
		`${what} returned 0 objects, expected 1`,
	],
])("a webhook that %s", async (_, behaviour, message) => {
	const made = await hook();
	const api = await serveWidgets(definition(made.spec));
	await api.ask("POST", at("v1"), widget("v1", "one", { size: 1 }));
	Object.assign(made, behaviour);
	const { status, object } = await api.ask("GET", `${at("v2")}/one`);
	expect(status).toBe(500);
	expect(object.message).toContain(message);
	expect((await api.ask("GET", `${at("v1")}/one`)).status).toBe(200);
	const { ended } = await api.watch(`${at("v2")}?watch=true`);
	await expect.poll(() => ended.map((error) => error?.message), patient).toEqual([expect.stringContaining(message)]);
	// The way out: the definition goes, whatever the webhook does.
	await api.ask("DELETE", `${definitionsPath}/widgets.example.com`);
	await expect
		.poll(async () => (await api.ask("GET", `${definitionsPath}/widgets.example.com`)).status, patient)
		.toBe(404);
});

test("metadata that only the server writes comes back as it was", async () => {
	const made = await hook();
	made.convert = (object, v) => ({
		...bySize(object, v),
		metadata: {
			...object.metadata,
			finalizers: ["a/b"],
			ownerReferences: [],
			generation: 99,
			labels: { made: "here" },
		},
	});
	const api = await serveWidgets(definition(made.spec));
	await api.ask("POST", at("v1"), widget("v1", "one", { size: 1 }));
	const { object } = await api.ask("GET", `${at("v2")}/one`);
	expect(object.metadata).toMatchObject({ generation: 1, labels: { made: "here" } });
	expect(object.metadata.finalizers).toBeUndefined();
});
