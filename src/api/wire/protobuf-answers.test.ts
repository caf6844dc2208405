import { describe, expect, test } from "vitest";
import type { ApiResponse } from "../../core/exchange.ts";
import { WireReader } from "../../core/protobuf/wire-reader.ts";
import { type AskOptions, type Json, type TestApi, testApi } from "../testing/test-api.ts";
import { decodeProtobuf } from "./protobuf/decode.ts";
import { messageDecoder } from "./protobuf/message-decoder.ts";

const type = "application/vnd.kubernetes.protobuf";
const accepting = (accept: string): AskOptions => ({ headers: { accept } });
const configMaps = "/api/v1/namespaces/default/configmaps";
const metadataOnly = "as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

function bytesOf(response: ApiResponse): Buffer {
	if (response.type !== "object") throw new Error(`not an object: ${response.type}`);
	const bytes = response.bytes();
	return Buffer.concat(bytes instanceof Uint8Array ? [bytes] : bytes);
}

/** The fields of a message, by their numbers. */
function fieldsOf(bytes: Uint8Array): Map<number, Buffer[]> {
	const reader = new WireReader(bytes);
	const fields = new Map<number, Buffer[]>();
	for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
		if ((tag & 7) === 2) fields.set(tag >>> 3, [...(fields.get(tag >>> 3) ?? []), reader.bytes()]);
		else reader.skip(tag);
	}
	return fields;
}

/** What an envelope says it holds, and the bytes that it holds. */
function opened(bytes: Buffer): { apiVersion: string; kind: string; content: Buffer } {
	expect(bytes.subarray(0, 4).toString()).toBe("k8s\0");
	const outer = fieldsOf(bytes.subarray(4));
	const meta = fieldsOf(outer.get(1)?.[0] ?? Buffer.of());
	const text = (number: number) => meta.get(number)?.[0]?.toString() ?? "";
	return { apiVersion: text(1), kind: text(2), content: outer.get(2)?.[0] ?? Buffer.of() };
}

function read(message: Uint8Array, as: string): Json {
	const object = {};
	messageDecoder(as).readInto(new WireReader(message), object);
	return object;
}

/** The only field of a PartialObjectMetadata. */
const metadataIn = (message: Uint8Array): Json => read(fieldsOf(message).get(1)?.[0] ?? Buffer.of(), "ObjectMeta");

async function withConfigMaps(...names: string[]): Promise<TestApi> {
	const api = await testApi();
	for (const name of names) await api.ask("POST", configMaps, { metadata: { name }, data: { key: name } });
	return api;
}

test("an object, whose bytes are made once, and what a client writes in protobuf", async () => {
	const api = await withConfigMaps("a");
	const plain = (await api.ask("GET", `${configMaps}/a`)).object;
	const { headers, response } = await api.ask("GET", `${configMaps}/a`, undefined, accepting(type));
	expect(headers["content-type"]).toBe(type);
	expect(decodeProtobuf(bytesOf(response))).toEqual(plain);
	const sent = bytesOf(response);
	const body = await api.handle({
		method: "PUT",
		path: `${configMaps}/a`,
		query: new URLSearchParams(),
		headers: { "content-type": type, accept: type },
		user: { name: "admin", groups: ["system:masters"] },
		body: { bytes: sent },
		signal: new AbortController().signal,
	});
	expect(decodeProtobuf(bytesOf(body))).toEqual(plain);
});

test("a list has its metadata and the objects as they are alone", async () => {
	const api = await withConfigMaps("a", "b", "c");
	const { response, object } = await api.ask("GET", `${configMaps}?limit=2`, undefined, accepting(type));
	const { apiVersion, kind, content } = opened(bytesOf(response));
	expect([apiVersion, kind]).toEqual(["v1", "ConfigMapList"]);
	const fields = fieldsOf(content);
	expect(read(fields.get(1)?.[0] ?? Buffer.of(), "ListMeta")).toEqual(object.metadata);
	expect(object.metadata.remainingItemCount).toBe(1);
	const items = fields.get(2)?.map((item) => ({ apiVersion: "v1", kind: "ConfigMap", ...read(item, "ConfigMap") }));
	expect(items).toEqual(object.items.map((item: Json) => ({ ...item })));
	const alone = await api.ask("GET", `${configMaps}/b`, undefined, accepting(type));
	expect(opened(bytesOf(alone.response)).content).toEqual(fields.get(2)?.[1]);
});

test("metadata alone, of any kind; tables are in JSON", async () => {
	const api = await withConfigMaps("a");
	const partial = await api.ask("GET", configMaps, undefined, accepting(`${type};${metadataOnly},application/json`));
	const { apiVersion, kind, content } = opened(bytesOf(partial.response));
	expect([apiVersion, kind]).toEqual(["meta.k8s.io/v1", "PartialObjectMetadataList"]);
	const item = fieldsOf(content).get(2)?.[0] ?? Buffer.of();
	expect(metadataIn(item)).toEqual((await api.ask("GET", `${configMaps}/a`)).object.metadata);
	const table = "as=Table;g=meta.k8s.io;v=v1";
	const tables = await api.ask("GET", configMaps, undefined, accepting(`${type};${table},application/json;${table}`));
	expect(tables.headers["content-type"]).toBe("application/json");
	expect(tables.sent().kind).toBe("Table");
	expect((await api.ask("GET", configMaps, undefined, accepting(`${type};${table}`))).status).toBe(406);
});

test("the events of a watch are frames that all watchers share", async () => {
	const api = await withConfigMaps("a");
	const watch = async (query: string, accept: string) => {
		const response = await api.handle({
			method: "GET",
			path: configMaps,
			query: new URLSearchParams(query),
			headers: { accept },
			user: { name: "admin", groups: ["system:masters"] },
			signal: new AbortController().signal,
		});
		if (response.type !== "watch") throw new Error("not a watch");
		const frames: Buffer[] = [];
		response.start({ event: (event) => frames.push(response.frames?.event(event) ?? Buffer.of()), end() {} });
		return { frames, response };
	};
	const initial = "watch=true&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
	const one = await watch(initial, type);
	const other = await watch("watch=true", `${type};stream=watch`);
	const partial = await watch("watch=true", `${type};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`);
	expect(one.response.headers["content-type"]).toBe(`${type};stream=watch`);
	await api.ask("PUT", `${configMaps}/a`, { metadata: { name: "a" }, data: { key: "new" } });
	const event = (frame: Buffer | undefined) => {
		if (frame === undefined) throw new Error("no frame");
		expect(frame.readUInt32BE()).toBe(frame.length - 4);
		const fields = fieldsOf(frame.subarray(4));
		const raw = fieldsOf(fields.get(2)?.[0] ?? Buffer.of()).get(1)?.[0] ?? Buffer.of();
		return { name: fields.get(1)?.[0]?.toString(), ...opened(raw) };
	};
	expect(one.frames.map((frame) => event(frame).name)).toEqual(["ADDED", "BOOKMARK", "MODIFIED"]);
	expect(read(event(one.frames[1]).content, "ConfigMap").metadata.annotations).toEqual({
		"k8s.io/initial-events-end": "true",
	});
	expect(read(event(one.frames[2]).content, "ConfigMap").data).toEqual({ key: "new" });
	expect(one.frames[2]).toBe(other.frames[1]);
	const last = event(partial.frames[1]);
	expect(last).toMatchObject({ name: "MODIFIED", kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1" });
	expect(metadataIn(last.content).name).toBe("a");
	const error = one.response.frames?.error({
		kind: "Status",
		apiVersion: "v1",
		metadata: {},
		status: "Failure",
		code: 410,
	});
	expect(read(event(error).content, "Status")).toMatchObject({ status: "Failure", code: 410 });
});

test("failures, actions and discovery are in protobuf, too", async () => {
	const api = await withConfigMaps("a");
	const asked = async (path: string, method: "GET" | "DELETE" = "GET", accept = type) => {
		const { response, headers } = await api.ask(method, path, undefined, accepting(accept));
		return { contentType: headers["content-type"], ...opened(bytesOf(response)) };
	};
	const missing = await asked(`${configMaps}/none`);
	expect(missing).toMatchObject({ kind: "Status", contentType: type });
	expect(read(missing.content, "Status")).toMatchObject({ reason: "NotFound", code: 404, details: { name: "none" } });
	expect(read((await asked(`${configMaps}/a`, "DELETE")).content, "Status").status).toBe("Success");
	const groups = fieldsOf((await asked("/apis")).content)
		.get(1)
		?.map((group) => read(group, "APIGroup").name);
	expect(groups).toContain("apps");
	const resources = fieldsOf((await asked("/apis/apps/v1")).content).get(2) ?? [];
	const verbs = fieldsOf(fieldsOf(resources[0] ?? Buffer.of()).get(4)?.[0] ?? Buffer.of()).get(1) ?? [];
	expect(verbs.map(String)).toContain("watch");
	const aggregated = "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
	const all = await asked("/apis", "GET", `${type};${aggregated},application/json;q=0.9`);
	expect(all).toMatchObject({ kind: "APIGroupDiscoveryList", contentType: `${type};${aggregated}` });
	const parts = await asked("/api/v1/componentstatuses");
	expect(parts.kind).toBe("ComponentStatusList");
});

describe("Accept", () => {
	const chosen = async (accept: string, path = configMaps) => {
		const api = await withConfigMaps();
		const { headers, object, status } = await api.ask("GET", path, undefined, accepting(accept));
		return status === 406 ? object.message : headers["content-type"];
	};
	const refusal = `only the following media types are accepted: application/json, application/yaml, ${type}`;

	test.each([
		["*/*", "application/json"],
		["application/*", "application/json"],
		[`${type},*/*`, type],
		[`application/json,${type}`, "application/json"],
		[`application/json;q=0.5,${type};q=0.8`, type],
		[`*/*,application/yaml`, "application/yaml"],
		["text/html,application/xhtml+xml,*/*;q=0.8", "application/json"],
		["text/html", refusal],
		[`${type};stream=other`, refusal],
		[`${type};g=meta.k8s.io`, refusal],
	])("%s", async (accept, expected) => {
		expect(await chosen(accept)).toBe(expected);
	});

	test("a watch is in what has frames", async () => {
		const types = `application/json;stream=watch, ${type};stream=watch`;
		expect(await chosen("application/yaml", `${configMaps}?watch=true`)).toBe(
			`only the following media types are accepted: ${types}`,
		);
	});

	test("nothing is written for a client that cannot read the answer", async () => {
		const api = await withConfigMaps();
		const body = { metadata: { name: "a" } };
		expect((await api.ask("POST", configMaps, body, accepting("text/html"))).status).toBe(406);
		expect((await api.ask("GET", `${configMaps}/a`)).status).toBe(404);
		expect((await api.ask("GET", `${configMaps}/a`, undefined, accepting("text/html"))).status).toBe(406);
	});
});

test("kinds of others have metadata in protobuf, and the rest in JSON", async () => {
	const api = await testApi();
	const names = { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" };
	const schema = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
	const made = await api.ask("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
		metadata: { name: "widgets.example.com" },
		spec: {
			group: "example.com",
			names,
			scope: "Namespaced",
			versions: [{ name: "v1", served: true, storage: true, schema }],
		},
	});
	expect(made.status).toBe(201);
	const widgets = "/apis/example.com/v1/namespaces/default/widgets";
	await expect
		.poll(
			async () =>
				(await api.ask("POST", widgets, { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w" } }))
					.status,
		)
		.not.toBe(404);
	expect((await api.ask("GET", widgets, undefined, accepting(type))).status).toBe(406);
	const both = await api.ask("GET", `${widgets}/w`, undefined, accepting(`${type},application/json`));
	expect(both.headers["content-type"]).toBe("application/json");
	const partial = await api.ask("GET", `${widgets}/w`, undefined, accepting(`${type};${metadataOnly}`));
	expect(metadataIn(opened(bytesOf(partial.response)).content).name).toBe("w");
	const missing = await api.ask("GET", `${widgets}/none`, undefined, accepting(`${type},application/json`));
	expect(opened(bytesOf(missing.response)).kind).toBe("Status");
});
