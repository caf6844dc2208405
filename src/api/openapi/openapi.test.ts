import { describe, expect, test } from "vitest";
import { WireReader } from "../../core/protobuf/wire-reader.ts";
import { wireTypes } from "../../core/protobuf/wire-types.ts";
import { catalog } from "../../kinds/catalog.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { testApi } from "../testing/test-api.ts";
import { openApi } from "./openapi.ts";

const built = openApi({ all: () => catalog }, { version: "v1.36.0" });

interface Property {
	$ref?: string;
	type?: string;
	description?: string;
	default?: unknown;
	[fact: string]: unknown;
}
interface Definition {
	properties?: Record<string, Property>;
	required?: string[];
	type?: string;
	format?: string;
	"x-kubernetes-map-type"?: string;
	"x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string }[];
}
interface Operation {
	operationId: string;
	parameters: { name: string }[];
	"x-kubernetes-action": string;
	"x-kubernetes-group-version-kind": unknown;
	responses: Record<string, { schema?: unknown }>;
}
interface DocumentV2 {
	definitions: Record<string, Definition>;
	paths: Record<string, Record<string, Operation>>;
}
interface DocumentV3 {
	components: { schemas: Record<string, Definition> };
	paths: Record<string, Record<string, Operation>>;
}

const parse = <T>(bytes: Uint8Array): T => JSON.parse(Buffer.from(bytes).toString()) as T;
const v2 = async () => parse<DocumentV2>((await built.v2()).json());
const v3 = async (path: string) => {
	const document = await built.v3(path);
	if (document === undefined) throw new Error(`no document ${path}`);
	return parse<DocumentV3>(document.json());
};

test("old versions are among the kinds, so that old clients find the schema of old manifests", async () => {
	const { definitions } = await v2();
	const kinds = Object.values(definitions).flatMap((found) => found["x-kubernetes-group-version-kind"] ?? []);
	for (const kind of [
		{ group: "batch", kind: "CronJob", version: "v1beta1" },
		{ group: "extensions", kind: "Deployment", version: "v1beta1" },
		{ group: "apps", kind: "StatefulSet", version: "v1beta1" },
	])
		expect(kinds).toContainEqual(kind);
});

test("no two definitions have one kind: clients take any of them", async () => {
	const { definitions } = await v2();
	const kinds = Object.values(definitions).flatMap((found) => found["x-kubernetes-group-version-kind"] ?? []);
	const texts = kinds.map(({ group, version, kind }) => `${group}/${version}/${kind}`);
	expect(texts.filter((text, index) => texts.indexOf(text) !== index)).toEqual([]);
});

test("every reference leads somewhere", async () => {
	const references = (document: object) => [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)];
	const old = await v2();
	for (const [, path] of references(old)) expect(old.definitions).toHaveProperty([path?.split("/")[1] ?? ""]);
	for (const path of Object.keys((await built.v3Index()).paths)) {
		const document = await v3(path);
		for (const [, reference] of references(document))
			expect(document.components.schemas).toHaveProperty([reference?.split("/")[2] ?? ""]);
	}
});

test("patches name the parameters by which clients see what the server can do", async () => {
	const patch = (await v2()).paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]?.["patch"];
	const names = patch?.parameters.map(({ name }) => name);
	expect(names).toEqual(expect.arrayContaining(["dryRun", "fieldManager", "fieldValidation", "force"]));
});

test("a kind of a custom group is described by itself, one without a schema as an open object", async () => {
	const [template] = catalog;
	if (template === undefined) throw new Error("no kinds");
	const custom: Kind = {
		...template,
		group: "example.com",
		version: "v1",
		kind: "Widget",
		plural: "widgets",
		schema: "Widget",
		servedAs: [],
	};
	const document = await openApi({ all: () => [custom] }, { version: "v1", virtual: [] }).v3("apis/example.com/v1");
	const { schemas } = parse<DocumentV3>(document?.json() ?? new Uint8Array()).components;
	expect(schemas["com.example.v1.Widget"]).toMatchObject({
		type: "object",
		"x-kubernetes-preserve-unknown-fields": true,
		"x-kubernetes-group-version-kind": [{ group: "example.com", kind: "Widget", version: "v1" }],
	});
	expect(schemas).toHaveProperty(["com.example.v1.WidgetList"]);
});

test("documents are built once, and again when the kinds change", async () => {
	let kinds = catalog;
	const documents = openApi({ all: () => kinds }, { version: "v1" });
	const before = await documents.v3("apis/apps/v1");
	expect(await documents.v3("apis/apps/v1")).toBe(before);
	kinds = catalog.filter((kind) => kind.plural !== "daemonsets");
	expect((await documents.v3("apis/apps/v1"))?.hash).not.toBe(before?.hash);
	expect(await documents.v3("apis/none/v1")).toBeUndefined();
});

/** Fields of a protobuf message by number; of a repeated one the values in order. */
function decodeProtobuf(bytes: Uint8Array): Map<number, (number | Uint8Array)[]> {
	const fields = new Map<number, (number | Uint8Array)[]>();
	const reader = new WireReader(bytes);
	for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
		const value = (tag & 7) === wireTypes.bytes ? reader.bytes() : reader.integer();
		fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
	}
	return fields;
}

type Decoded = number | Uint8Array | undefined;

const message = (bytes: Decoded) => decodeProtobuf(bytes instanceof Uint8Array ? bytes : new Uint8Array());
const text = (bytes: Decoded) => Buffer.from(bytes instanceof Uint8Array ? bytes : []).toString();
/** The entries of a map. */
const named = (bytes: Decoded, entries: number) =>
	new Map(
		(message(bytes).get(entries) ?? []).map((entry) => [text(message(entry).get(1)?.[0]), message(entry).get(2)?.[0]]),
	);

test("the protobuf form says what the JSON form says", async () => {
	const document = await built.v2();
	const { definitions, paths } = await v2();
	const root = decodeProtobuf(document.protobuf());
	expect(text(root.get(1)?.[0])).toBe("2.0");
	expect([...named(root.get(8)?.[0], 2).keys()]).toEqual(Object.keys(paths));
	const schemas = named(root.get(9)?.[0], 1);
	expect([...schemas.keys()]).toEqual(Object.keys(definitions));
	const spec = message(schemas.get("io.k8s.api.core.v1.PodSpec"));
	expect(text(message(spec.get(22)?.[0]).get(1)?.[0])).toBe("object");
	expect((spec.get(19) ?? []).map(text)).toEqual(["containers"]);
	const properties = named(spec.get(25)?.[0], 1);
	expect([...properties.keys()]).toEqual(Object.keys(definitions["io.k8s.api.core.v1.PodSpec"]?.properties ?? {}));
	const containers = message(properties.get("containers"));
	expect(text(message(message(containers.get(23)?.[0]).get(1)?.[0]).get(1)?.[0])).toBe(
		"#/definitions/io.k8s.api.core.v1.Container",
	);
	const facts = (containers.get(31) ?? []).map((entry) => [
		text(message(entry).get(1)?.[0]),
		JSON.parse(text(message(message(entry).get(2)?.[0]).get(2)?.[0])),
	]);
	expect(Object.fromEntries(facts)).toEqual({
		"x-kubernetes-list-map-keys": ["name"],
		"x-kubernetes-list-type": "map",
		"x-kubernetes-patch-merge-key": "name",
		"x-kubernetes-patch-strategy": "merge",
	});
});

test("so does that of OpenAPI v3", async () => {
	const document = await built.v3("api/v1");
	const { components, paths } = await v3("api/v1");
	const root = decodeProtobuf(document?.protobuf() ?? new Uint8Array());
	expect(text(root.get(1)?.[0])).toBe("3.0.0");
	const served = named(root.get(4)?.[0], 1);
	expect([...served.keys()]).toEqual(Object.keys(paths));
	const post = message(message(served.get("/api/v1/namespaces")).get(6)?.[0]);
	const body = message(message(post.get(7)?.[0]).get(1)?.[0]);
	expect([...named(body.get(2)?.[0], 1).keys()]).toEqual(["*/*"]);
	const schemas = named(message(root.get(5)?.[0]).get(1)?.[0], 1);
	expect([...schemas.keys()]).toEqual(Object.keys(components.schemas));
	const schema = (bytes: Decoded) => message(message(bytes).get(1)?.[0]);
	const spec = schema(schemas.get("io.k8s.api.core.v1.PodSpec"));
	expect((spec.get(23) ?? []).map(text)).toEqual(["containers"]);
	const properties = named(spec.get(31)?.[0], 1);
	const item = message(message(schema(properties.get("containers")).get(30)?.[0]).get(1)?.[0]);
	const [first] = schema(properties.get("affinity")).get(26) ?? [];
	const names = [item, message(first)].map((one) => text(message(one.get(2)?.[0] ?? one.get(1)?.[0]).get(1)?.[0]));
	expect(names[1]).toBe("#/components/schemas/io.k8s.api.core.v1.Affinity");
	expect(JSON.stringify([...item.keys()])).not.toBe("[]");
});

describe("served", () => {
	test("v2 as JSON or protobuf, as asked, and not again to who has it", async () => {
		await using api = await disposable();
		const json = await api.ask("GET", "/openapi/v2");
		expect(json.headers["content-type"]).toBe("application/json");
		const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
		const protobuf = await api.ask("GET", "/openapi/v2", undefined, { headers: { accept } });
		expect(protobuf.headers["content-type"]).toContain("proto-openapi.spec.v2");
		const etag = json.headers["etag"] ?? "";
		const again = await api.ask("GET", "/openapi/v2", undefined, { headers: { "if-none-match": etag } });
		expect(again.status).toBe(304);
		expect(again.text()).toBe("");
	});

	test("what nobody has is refused", async () => {
		await using api = await disposable();
		const accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
		const ask = (path: string, accept: string) => api.ask("GET", path, undefined, { headers: { accept } });
		expect((await ask("/openapi/v3/apis/apps/v1", accept)).status).toBe(406);
		const either = await ask("/openapi/v3/apis/apps/v1", `${accept}, application/*;q=0.1`);
		expect(either.headers["content-type"]).toBe("application/json");
	});

	test("v3 at the addresses of its index, which last; outdated ones lead to the new", async () => {
		await using api = await disposable();
		const index = (await api.ask("GET", "/openapi/v3")).object as {
			paths: Record<string, { serverRelativeURL: string }>;
		};
		const url = index.paths["apis/apps/v1"]?.serverRelativeURL ?? "";
		const found = await api.ask("GET", url);
		expect(found.headers["cache-control"]).toContain("immutable");
		expect(found.sent().components.schemas).toHaveProperty(["io.k8s.api.apps.v1.Deployment"]);
		const outdated = await api.ask("GET", "/openapi/v3/apis/apps/v1?hash=OLD");
		expect(outdated.status).toBe(301);
		expect(outdated.headers["location"]).toBe(url);
		expect((await api.ask("GET", "/openapi/v3/apis/none/v1")).status).toBe(404);
	});

	async function disposable() {
		const api = await testApi();
		return { ...api, [Symbol.asyncDispose]: () => api.close() };
	}
});
