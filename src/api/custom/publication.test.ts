/** What clients learn of custom resources: discovery, and the schemas that kubectl explains. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { closeAll, closers } from "../testing/clients.ts";
import { type Json, type TestApi, testApi } from "../testing/test-api.ts";
import { definition, definitionsPath, version } from "./testing/definitions.ts";

const properties = {
	spec: {
		type: "object",
		description: "What is wanted.",
		required: ["size", "maybe"],
		properties: {
			size: { type: "integer", minimum: 1, description: "How large it is." },
			maybe: { type: "string", nullable: true },
			open: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
			either: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
			inner: {
				type: "object",
				"x-kubernetes-embedded-resource": true,
				properties: { spec: { type: "object", additionalProperties: { type: "string" } } },
			},
		},
	},
};

let api: TestApi;
beforeEach(async () => {
	api = await testApi();
	closers.push(() => api.close());
	const body = definition({
		names: { plural: "widgets", kind: "Widget", listKind: "ManyWidgets", shortNames: ["wd"], categories: ["all"] },
		versions: [version("v1", { schema: { openAPIV3Schema: { type: "object", properties } as object } })],
	});
	await api.ask("POST", definitionsPath, body);
	await expect
		.poll(async () => (await api.ask("GET", "/apis/example.com/v1")).status, { interval: 2, timeout: 20_000 })
		.toBe(200);
});
afterEach(closeAll);

test("discovery lists the resource with its names, in both forms", async () => {
	const { object } = await api.ask("GET", "/apis/example.com/v1");
	expect(object.resources).toEqual([
		{
			name: "widgets",
			singularName: "widget",
			namespaced: true,
			kind: "Widget",
			shortNames: ["wd"],
			categories: ["all"],
			storageVersionHash: expect.any(String),
			verbs: ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"],
		},
	]);
	const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
	const { object: all } = await api.ask("GET", "/apis", undefined, { headers: { accept } });
	const group = all.items.find(({ metadata }: Json) => metadata.name === "example.com");
	expect(group.versions[0].resources[0]).toMatchObject({
		resource: "widgets",
		shortNames: ["wd"],
		categories: ["all"],
	});
	const { object: list } = await api.ask("GET", "/apis/example.com/v1/widgets");
	expect(list.kind).toBe("ManyWidgets");
});

const meta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

test("the newer document has the schema as it is", async () => {
	const { object } = await api.ask("GET", "/openapi/v3/apis/example.com/v1");
	const {
		"com.example.v1.Widget": widget,
		"com.example.v1.ManyWidgets": many,
		[meta]: metadata,
	} = object.components.schemas;
	expect(metadata.properties.name.type).toBe("string");
	expect(widget["x-kubernetes-group-version-kind"]).toEqual([{ group: "example.com", kind: "Widget", version: "v1" }]);
	expect(widget.properties.metadata.allOf).toEqual([{ $ref: `#/components/schemas/${meta}` }]);
	const { inner, ...others } = properties.spec.properties;
	expect(widget.properties.spec).toMatchObject({ ...properties.spec, properties: others });
	expect(widget.properties.spec.properties.inner).toMatchObject({
		...inner,
		required: ["kind", "apiVersion"],
		properties: { kind: { type: "string" }, ...inner.properties },
	});
	expect(many.properties.items.items.$ref).toBe("#/components/schemas/com.example.v1.Widget");
	const patched = object.paths["/apis/example.com/v1/namespaces/{namespace}/widgets/{name}"].patch;
	expect(Object.keys(patched.requestBody.content)).toEqual([
		"application/json-patch+json",
		"application/merge-patch+json",
		"application/apply-patch+yaml",
	]);
});

test("the older document lacks what older clients cannot read", async () => {
	const { object } = await api.ask("GET", "/openapi/v2");
	const { spec } = object.definitions["com.example.v1.Widget"].properties;
	expect(spec).toMatchObject({ type: "object", required: ["size"], description: "What is wanted." });
	expect(spec.properties).toMatchObject({
		size: properties.spec.properties.size,
		maybe: {},
		open: { "x-kubernetes-preserve-unknown-fields": true },
		either: { "x-kubernetes-int-or-string": true },
	});
	expect(spec.properties.maybe.type).toBeUndefined();
	expect(spec.properties.open.type).toBeUndefined();
	expect(spec.properties.either.anyOf).toBeUndefined();
	const accept = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
	expect((await api.ask("GET", "/openapi/v2", undefined, { headers: { accept } })).status).toBe(200);
});

test("documents follow the definitions, and those of other groups stay as they are", async () => {
	const paths = async () => (await api.ask("GET", "/openapi/v3")).object.paths;
	const before = await paths();
	expect(before["apis/example.com/v1"]).toBeDefined();
	await api.ask("DELETE", `${definitionsPath}/widgets.example.com`);
	await expect.poll(async () => (await api.ask("GET", "/apis/example.com/v1")).status).toBe(404);
	const after = await paths();
	expect(after["apis/example.com/v1"]).toBeUndefined();
	expect((await api.ask("GET", "/openapi/v3/apis/example.com/v1")).status).toBe(404);
	expect(after["apis/apps/v1"]).toEqual(before["apis/apps/v1"]);
});
