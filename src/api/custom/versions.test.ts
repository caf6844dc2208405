/** Objects of several versions: stored in one, served in others, converted by name or by a webhook. */
import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import type { InProcessWebhook } from "../server/admission-review.ts";
import { closeAll, closers, sharedCertificates } from "../testing/clients.ts";
import { type Json, type TestApi, type TestOptions, testApi } from "../testing/test-api.ts";
import { definition, definitionsPath, version } from "./testing/definitions.ts";

afterEach(closeAll);

/** Webhooks are other servers. */
const patient = { timeout: 20_000, interval: 5 };

const at = (name: string) => `/apis/example.com/${name}/namespaces/default/widgets`;
const widget = (apiVersion: string, name: string, more: object = {}) => ({
	apiVersion: `example.com/${apiVersion}`,
	kind: "Widget",
	metadata: { name },
	...more,
});

async function start(body: ReturnType<typeof definition>, options: TestOptions = {}): Promise<TestApi> {
	const api = await testApi({ onError: (what, error) => console.error(what, error), ...options });
	closers.push(() => api.close());
	const created = await api.ask("POST", definitionsPath, body);
	expect(created.status, created.object.message).toBe(201);
	await expect.poll(async () => (await api.ask("GET", at("v1"))).status, patient).toBe(200);
	return api;
}

const schema = (properties: object) => ({ openAPIV3Schema: { type: "object", properties } as object });
const integer = { type: "integer" };

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
	const api = await start(twoVersions());
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
	const api = await start(twoVersions());
	await api.ask("POST", at("v1"), widget("v1", "one", { size: 1, old: "a" }));
	const patched = await api.ask("PATCH", `${at("v2")}/one`, { size: 5 }, { type: "application/merge-patch+json" });
	expect(patched.object).toMatchObject({ apiVersion: "example.com/v2", size: 5 });
	const { object } = await api.ask("GET", `${at("v1")}/one`);
	expect(object).toMatchObject({ apiVersion: "example.com/v1", size: 5 });
	expect(object.metadata.generation).toBe(2);
});

test("watches of every version see every change, in their version", async () => {
	const api = await start(twoVersions());
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
	const api = await start(definition({ versions: [version("v1")] }));
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
	const api = await start(twoVersions());
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

type Convert = (object: Json, desired: string) => Json;

/** v1 says `size`, v2 says `width` and has an annotation. */
const bySize: Convert = (object, apiVersion) => {
	const { size, width, ...rest } = object;
	const number = size ?? width;
	const isNew = apiVersion.endsWith("v2");
	const annotations = isNew ? { converted: "yes" } : {};
	return { ...rest, apiVersion, metadata: { ...rest.metadata, annotations }, [isNew ? "width" : "size"]: number };
};

interface Hook {
	spec: ReturnType<typeof definition>["spec"];
	reviews: Json[];
	/** What it does, for a time. */
	answer: (review: Json) => object | undefined;
	convert: Convert;
}

/** @returns a definition whose objects it converts */
async function hook(): Promise<Hook> {
	const certificates = await sharedCertificates();
	const made: Hook = {
		reviews: [],
		convert: bySize,
		answer: ({ request, apiVersion }) => ({
			apiVersion,
			kind: "ConversionReview",
			response: {
				uid: request.uid,
				result: { status: "Success" },
				convertedObjects: request.objects.map((object: Json) => made.convert(object, request.desiredAPIVersion)),
			},
		}),
		spec: undefined as never,
	};
	const server = createServer(certificates.server, async (request, response) => {
		let text = "";
		for await (const part of request) text += part;
		const review = JSON.parse(text);
		made.reviews.push(review);
		const answer = made.answer(review);
		if (answer !== undefined) response.end(JSON.stringify(answer));
	});
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	closers.push(() => {
		server.closeAllConnections();
		server.close();
	});
	const { port } = server.address() as AddressInfo;
	const caBundle = Buffer.from(certificates.ca).toString("base64");
	const { spec } = definition({
		versions: [
			version("v1", { schema: schema({ size: integer }) }),
			version("v2", { storage: false, schema: schema({ width: integer }) }),
		],
		conversion: {
			strategy: "Webhook",
			webhook: {
				clientConfig: { url: `https://localhost:${port}/convert`, caBundle },
				conversionReviewVersions: ["v1"],
			},
		},
	});
	made.spec = spec;
	return made;
}

test("a webhook converts what is read and what is written", async () => {
	const made = await hook();
	const api = await start(definition(made.spec));
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

const onVersion = (name: string) => ({
	operations: ["CREATE", "UPDATE"],
	apiGroups: ["example.com"],
	apiVersions: [name],
	resources: ["widgets"],
});

test("webhooks see objects in the version that their rules name", async () => {
	const made = await hook();
	const seen: Json[] = [];
	const checked: Json[] = [];
	const webhooks: InProcessWebhook[] = [
		{
			name: "double",
			type: "mutating",
			rules: [onVersion("v2")],
			handle(request) {
				seen.push(request);
				return { patch: [{ op: "replace", path: "/width", value: (request.object as Json).width * 2 }] };
			},
		},
		{
			name: "check",
			type: "validating",
			rules: [onVersion("v1")],
			handle({ object, oldObject, kind, requestKind }) {
				const sizes = [object, oldObject].map((one) => (one as Json)?.size);
				checked.push([requestKind.version, kind.version, ...sizes]);
				return undefined;
			},
		},
		{
			name: "exact",
			type: "validating",
			rules: [onVersion("v2")],
			matchPolicy: "Exact",
			handle: ({ operation }) => ({ allowed: operation === "UPDATE" }),
		},
	];
	const api = await start(definition(made.spec), { webhooks });
	const created = await api.ask("POST", at("v1"), widget("v1", "one", { size: 3 }));
	expect(created.object).toMatchObject({ apiVersion: "example.com/v1", size: 6 });
	expect(created.object.width).toBeUndefined();
	expect(seen[0]).toMatchObject({
		kind: { version: "v2" },
		resource: { version: "v2" },
		requestKind: { version: "v1" },
		requestResource: { version: "v1" },
		object: { apiVersion: "example.com/v2", width: 3 },
		oldObject: null,
	});
	const { metadata } = created.object;
	const updated = await api.ask("PUT", `${at("v2")}/one`, widget("v2", "one", { metadata, width: 4 }));
	expect(updated.object).toMatchObject({ apiVersion: "example.com/v2", width: 8 });
	expect(seen[1]).toMatchObject({ requestKind: { version: "v2" }, object: { width: 4 }, oldObject: { width: 6 } });
	expect(checked).toEqual([
		["v1", "v1", 6, undefined],
		["v2", "v1", 8, 6],
	]);
	expect((await api.ask("GET", `${at("v1")}/one`)).object.size).toBe(8);
	made.convert = () => ({});
	const failed = await api.ask("POST", at("v1"), widget("v1", "two", { size: 3 }));
	expect([failed.status, failed.object.message]).toEqual([
		500,
		expect.stringMatching(/^Internal error occurred: conv/),
	]);
});

test("policies see objects in the version that their rules name", async () => {
	const made = await hook();
	const api = await start(definition(made.spec));
	const add = async (type: string, spec: object, binding: object) => {
		const group = "/apis/admissionregistration.k8s.io/v1";
		const matchConstraints = { resourceRules: [onVersion("v2")] };
		const policy = { metadata: { name: "p" }, spec: { matchConstraints, ...spec } };
		expect((await api.ask("POST", `${group}/${type}policies`, policy)).status).toBe(201);
		const bound = { metadata: { name: "p" }, spec: { policyName: "p", ...binding } };
		expect((await api.ask("POST", `${group}/${type}policybindings`, bound)).status).toBe(201);
	};
	const expression = "[JSONPatch{ op: 'replace', path: '/width', value: object.width + 1 }]";
	const mutations = [1, 2].map(() => ({ patchType: "JSONPatch", jsonPatch: { expression } }));
	await add("mutatingadmission", { reinvocationPolicy: "Never", mutations }, {});
	const validations = [{ expression: "object.width < 10", messageExpression: "'width is ' + string(object.width)" }];
	await add("validatingadmission", { validations }, { validationActions: ["Deny"] });
	const ask = (size: number) => api.ask("POST", at("v1"), widget("v1", `w${size}`, { size }));
	expect((await ask(3)).object).toMatchObject({ apiVersion: "example.com/v1", size: 5 });
	expect((await ask(8)).object.message).toContain("width is 10");
});

test("parameters of policies are in the version that the policy names", async () => {
	const made = await hook();
	const api = await start(definition(made.spec));
	await api.ask("POST", at("v1"), widget("v1", "limit", { size: 3 }));
	const group = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic";
	const rule = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] };
	const policy = {
		paramKind: { apiVersion: "example.com/v2", kind: "Widget" },
		matchConstraints: { resourceRules: [rule] },
		validations: [{ expression: "size(object.data) <= params.width", message: "too much" }],
	};
	const paramRef = { name: "limit", namespace: "default", parameterNotFoundAction: "Deny" };
	const binding = { policyName: "p", paramRef, validationActions: ["Deny"] };
	expect((await api.ask("POST", `${group}ies`, { metadata: { name: "p" }, spec: policy })).status).toBe(201);
	expect((await api.ask("POST", `${group}ybindings`, { metadata: { name: "p" }, spec: binding })).status).toBe(201);
	const ask = (name: string, data: object) =>
		api.ask("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name }, data });
	expect((await ask("few", { a: "", b: "", c: "" })).status).toBe(201);
	expect((await ask("many", { a: "", b: "", c: "", d: "" })).object.message).toContain("too much");
	made.convert = () => ({});
	await api.ask("PATCH", `${at("v1")}/limit`, { size: 4 }, { type: "application/merge-patch+json" });
	expect((await ask("none", {})).object.message).toContain("failed to configure binding: conversion webhook");
});

test("large objects are converted in as many reviews as they need", async () => {
	const made = await hook();
	const list = { type: "array", items: integer };
	for (const { schema: own } of made.spec.versions as Json[]) Object.assign(own.openAPIV3Schema.properties, { list });
	const api = await start(definition(made.spec));
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
	const api = await start(definition(made.spec));
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
	const api = await start(definition(made.spec));
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
	const api = await start(definition(made.spec));
	await api.ask("POST", at("v1"), widget("v1", "one", { size: 1 }));
	const { object } = await api.ask("GET", `${at("v2")}/one`);
	expect(object.metadata).toMatchObject({ generation: 1, labels: { made: "here" } });
	expect(object.metadata.finalizers).toBeUndefined();
});

test("objects that later defaults would make too large are read without them", async () => {
	const items = { type: "array", items: { type: "object", properties: { a: integer } } };
	const api = await start(definition({ versions: [{ ...version("v1"), schema: schema({ items }) }] }));
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
