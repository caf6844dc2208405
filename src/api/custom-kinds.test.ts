/** Kinds made of definitions at run time go the same ways as the built-in ones. */
import { beforeEach, describe, expect, test } from "vitest";
import { catalog } from "../kinds/catalog.ts";
import { customKind } from "../kinds/custom/kind.ts";
import { createRegistry } from "../kinds/engine/registry.ts";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../kinds/generated/types.ts";
import { type TestApi, testApi } from "./testing/test-api.ts";

const schema = {
	type: "object",
	properties: {
		spec: {
			type: "object",
			required: ["size"],
			properties: {
				size: { type: "integer", minimum: 1 },
				color: { type: "string", default: "red", enum: ["red", "blue"] },
				tags: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set" },
				ports: {
					type: "array",
					"x-kubernetes-list-type": "map",
					"x-kubernetes-list-map-keys": ["name"],
					items: {
						type: "object",
						required: ["name"],
						properties: { name: { type: "string" }, port: { type: "integer" } },
					},
				},
				limits: { type: "object", additionalProperties: { type: "array", items: { type: "string" } } },
				anything: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
			},
		},
		status: { type: "object", properties: { ready: { type: "boolean" }, replicas: { type: "integer" } } },
	},
};

function boats(more: Partial<CustomResourceDefinitionVersion> = {}): CustomResourceDefinition {
	return {
		apiVersion: "apiextensions.k8s.io/v1",
		kind: "CustomResourceDefinition",
		metadata: { name: "boats.example.com", uid: "", resourceVersion: "", creationTimestamp: "" },
		spec: {
			group: "example.com",
			names: { plural: "boats", singular: "boat", kind: "Boat", listKind: "BoatList", shortNames: ["bt"] },
			scope: "Namespaced",
			versions: [
				{
					name: "v1",
					served: true,
					storage: true,
					schema: { openAPIV3Schema: schema },
					subresources: {
						status: {},
						scale: { specReplicasPath: ".spec.size", statusReplicasPath: ".status.replicas" },
					},
					selectableFields: [{ jsonPath: ".spec.color" }],
					additionalPrinterColumns: [
						{ name: "Size", type: "integer", jsonPath: ".spec.size" },
						{ name: "Ready", type: "boolean", jsonPath: ".status.ready", priority: 1 },
					],
					...more,
				},
			],
		},
	};
}

let api: TestApi;
const path = "/apis/example.com/v1/namespaces/default/boats";
const boat = (spec: object, more: object = {}) => ({
	apiVersion: "example.com/v1",
	kind: "Boat",
	metadata: { name: "b" },
	spec,
	...more,
});

async function serve(definition = boats()): Promise<void> {
	const registry = createRegistry(catalog);
	registry.add(customKind(definition, "v1"));
	api = await testApi({ registry });
}

beforeEach(() => serve());

test("an object gets its defaults, and loses its status and what its schema lacks", async () => {
	const { status, object, headers } = await api.ask(
		"POST",
		path,
		boat({ size: 1, sails: 2 }, { status: { ready: true } }),
	);
	expect(status).toBe(201);
	expect(object.spec).toEqual({ size: 1, color: "red" });
	expect(object.status).toBeUndefined();
	expect(object.metadata.generation).toBe(1);
	expect(headers["warning"]).toContain('unknown field \\"spec.sails\\"');
});

test("strict validation refuses unknown fields", async () => {
	const sent = boat({ size: 1, sails: 2 }, { extra: 1 });
	const { status, object } = await api.ask("POST", `${path}?fieldValidation=Strict`, sent);
	expect(status).toBe(400);
	expect(object.message).toBe(
		'Boat in version "v1" cannot be handled as a Boat: strict decoding error: unknown field "extra", unknown field "spec.sails"',
	);
});

test("a schema is validated, with a cause for each mistake", async () => {
	const { status, object } = await api.ask("POST", path, boat({ size: 0, color: "green", tags: ["a", "a"] }));
	expect(status).toBe(422);
	expect(object.details.causes).toEqual([
		{
			reason: "FieldValueInvalid",
			field: "spec.size",
			message: "Invalid value: 0: spec.size in body should be greater than or equal to 1",
		},
		{
			reason: "FieldValueNotSupported",
			field: "spec.color",
			message: 'Unsupported value: "green": supported values: "red", "blue"',
		},
		{ reason: "FieldValueDuplicate", field: "spec.tags[1]", message: 'Duplicate value: "a"' },
	]);
});

test("status is written apart, and counts no generation", async () => {
	await api.ask("POST", path, boat({ size: 1 }));
	const put = await api.ask("PUT", `${path}/b/status`, boat({ size: 5 }, { status: { ready: true } }));
	expect(put.object).toMatchObject({ spec: { size: 1 }, status: { ready: true }, metadata: { generation: 1 } });
	const main = await api.ask("PUT", `${path}/b`, boat({ size: 2 }, { status: { ready: false } }));
	expect(main.object).toMatchObject({ spec: { size: 2 }, status: { ready: true }, metadata: { generation: 2 } });
	const wrong = await api.ask("PUT", `${path}/b/status`, boat({ size: 2 }, { status: { ready: "yes" } }));
	expect(wrong.object.message).toContain(
		'status.ready: Invalid value: "string": ready in body must be of type boolean: "string"',
	);
});

test("without the subresource, status is a field like the others", async () => {
	const { subresources: _, ...version } = boats().spec.versions[0] ?? { name: "", served: true, storage: true };
	const definition = boats();
	definition.spec.versions = [version];
	await serve(definition);
	const created = await api.ask("POST", path, boat({ size: 1 }, { status: { ready: true } }));
	expect(created.object.status).toEqual({ ready: true });
	const changed = await api.ask("PUT", `${path}/b`, boat({ size: 1 }, { status: { ready: false } }));
	expect(changed.object).toMatchObject({ status: { ready: false }, metadata: { generation: 2 } });
});

test("unchanged invalid values are kept, and new ones are refused", async () => {
	const lax = structuredClone(boats());
	Object.assign(lax.spec.versions[0] ?? {}, {
		schema: {
			openAPIV3Schema: {
				type: "object",
				properties: { spec: { type: "object", properties: { size: { type: "integer" }, color: { type: "string" } } } },
			},
		},
	});
	const registry = createRegistry(catalog);
	registry.add(customKind(lax, "v1"));
	api = await testApi({ registry });
	await api.ask("POST", path, boat({ size: 0, color: "green" }));
	registry.add(customKind(boats(), "v1"));
	const unchanged = await api.ask("PUT", `${path}/b`, boat({ size: 3, color: "green" }));
	expect(unchanged.status).toBe(200);
	const changed = await api.ask("PUT", `${path}/b`, boat({ size: 3, color: "black" }));
	expect(changed.status).toBe(422);
});

describe("patches", () => {
	const apply = (manager: string, spec: object, query = "") =>
		api.ask("PATCH", `${path}/b?fieldManager=${manager}${query}`, boat(spec), { type: "application/apply-patch+yaml" });

	test("of the strategic type are refused", async () => {
		await api.ask("POST", path, boat({ size: 1 }));
		const { status, object } = await api.ask(
			"PATCH",
			`${path}/b`,
			{},
			{ type: "application/strategic-merge-patch+json" },
		);
		expect(status).toBe(415);
		expect(object.message).toContain(
			"application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml",
		);
	});

	test("a null of a merge patch brings the default back", async () => {
		await api.ask("POST", path, boat({ size: 1, color: "blue" }));
		const patched = await api.ask(
			"PATCH",
			`${path}/b`,
			{ spec: { color: null } },
			{ type: "application/merge-patch+json" },
		);
		expect(patched.object.spec).toEqual({ size: 1, color: "red" });
	});

	test("appliers own items of keyed lists, values of sets, and keys of maps", async () => {
		await apply("one", { size: 1, ports: [{ name: "a", port: 1 }], tags: ["x"], limits: { cpu: ["1", "2"] } });
		const { object } = await apply("two", { ports: [{ name: "b", port: 2 }], tags: ["y"], limits: { memory: ["3"] } });
		expect(object.spec).toEqual({
			size: 1,
			color: "red",
			ports: [
				{ name: "a", port: 1 },
				{ name: "b", port: 2 },
			],
			tags: ["x", "y"],
			limits: { cpu: ["1", "2"], memory: ["3"] },
		});
		const [, two] = object.metadata.managedFields;
		expect(two.fieldsV1).toEqual({
			"f:spec": {
				"f:ports": { 'k:{"name":"b"}': { ".": {}, "f:name": {}, "f:port": {} } },
				"f:tags": { 'v:"y"': {} },
				"f:limits": { "f:memory": {} },
			},
		});
		const conflict = await apply("two", { ports: [{ name: "a", port: 3 }] });
		expect(conflict.object.message).toBe(
			'Apply failed with 1 conflict: conflict with "one": .spec.ports[name="a"].port',
		);
	});

	test("an applier must not set what the schema lacks", async () => {
		const { status, object } = await apply("one", { size: 1, sails: 2 });
		expect(status).toBe(400);
		expect(object.message).toContain(".spec.sails: field not declared in schema");
	});

	test("unknown fields that are preserved are applied key by key", async () => {
		await apply("one", { size: 1, anything: { a: { b: 1 }, list: [1] } });
		const { object } = await apply("two", { anything: { a: { c: 2 } } });
		expect(object.spec.anything).toEqual({ a: { b: 1, c: 2 }, list: [1] });
	});
});

test("tables have the columns of the definition", async () => {
	await api.ask("POST", path, boat({ size: 3 }));
	const { object } = await api.ask("GET", path, undefined, {
		headers: { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" },
	});
	expect(
		object.columnDefinitions.map(({ name, priority }: { name: string; priority: number }) => [name, priority]),
	).toEqual([
		["Name", 0],
		["Size", 0],
		["Ready", 1],
	]);
	expect(object.rows[0].cells).toEqual(["b", 3, null]);
});

test("fields that are selectable select", async () => {
	await api.ask("POST", path, boat({ size: 3 }));
	const found = await api.ask("GET", `${path}?fieldSelector=spec.color=red`);
	expect(found.object.items).toHaveLength(1);
	const other = await api.ask("GET", `${path}?fieldSelector=spec.color=blue`);
	expect(other.object.items).toHaveLength(0);
	const unknown = await api.ask("GET", `${path}?fieldSelector=spec.size=3`);
	expect(unknown.status).toBe(400);
});

test("the scale subresource sets the field of the definition", async () => {
	await api.ask("POST", path, boat({ size: 3 }));
	const scaled = await api.ask(
		"PATCH",
		`${path}/b/scale`,
		{ spec: { replicas: 7 } },
		{ type: "application/merge-patch+json" },
	);
	expect(scaled.object.spec).toEqual({ replicas: 7 });
	expect((await api.ask("GET", `${path}/b`)).object.spec.size).toBe(7);
});
