import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { builtinSchemas } from "../../kinds/builtin-schemas.ts";
import { catalog } from "../../kinds/catalog.ts";
import { ApiError } from "../errors.ts";
import type { ManagedFieldsEntry } from "../object.ts";
import { trackUpdate } from "./managed-fields.ts";
import type { JsonObject } from "./schema.ts";
import { serverSideApply } from "./server-side-apply.ts";

const time = "2026-01-01T00:00:00Z";
const deployment = { apiVersion: "apps/v1", typeName: "Deployment", schemas: builtinSchemas, resetFields: ["status"] };

function apply(
	live: JsonObject | undefined,
	config: string,
	manager: string,
	more: { force?: boolean; time?: string } = {},
): JsonObject {
	return serverSideApply({ live, config: parse(config), manager, force: false, time, ...deployment, ...more });
}

function update(
	live: JsonObject | undefined,
	changed: JsonObject,
	manager: string,
	more: { subresource?: string } = {},
): JsonObject {
	const resetFields = more.subresource === "status" ? ["spec"] : ["status"];
	const managedFields = trackUpdate(live, changed, { manager, time, ...deployment, ...more, resetFields });
	return { ...changed, metadata: { ...(changed["metadata"] as JsonObject), managedFields } };
}

function fields(object: JsonObject, manager: string): unknown {
	const entries = (object["metadata"] as { managedFields: ManagedFieldsEntry[] }).managedFields;
	return entries.find((entry) => entry.manager === manager)?.fieldsV1;
}

function managers(object: JsonObject): (string | undefined)[] {
	return (object["metadata"] as { managedFields: ManagedFieldsEntry[] }).managedFields.map((entry) => entry.manager);
}

function withoutManagedFields(object: JsonObject): JsonObject {
	const { managedFields: _, ...metadata } = object["metadata"] as JsonObject;
	return { ...object, metadata };
}

function conflict(attempt: () => unknown): ApiError {
	try {
		attempt();
	} catch (error) {
		if (error instanceof ApiError) return error;
		throw error;
	}
	throw new Error("there was no conflict");
}

const head = "apiVersion: apps/v1, kind: Deployment, metadata: {name: web}";
const web = apply(
	undefined,
	`{${head}, spec: {replicas: 3, template: {spec: {containers: [{name: web, image: nginx, ports: [{containerPort: 80}]}]}}}}`,
	"alice",
);
const spec = (object: JsonObject) => object["spec"] as JsonObject;

describe("an apply", () => {
	test("owns what the configuration says, list items by their keys with defaults filled in", () => {
		expect(fields(web, "alice")).toEqual({
			"f:spec": {
				"f:replicas": {},
				"f:template": {
					"f:spec": {
						"f:containers": {
							'k:{"name":"web"}': {
								".": {},
								"f:image": {},
								"f:name": {},
								"f:ports": {
									'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} },
								},
							},
						},
					},
				},
			},
		});
		const [entry] = (web["metadata"] as { managedFields: ManagedFieldsEntry[] }).managedFields;
		expect(entry).toMatchObject({
			manager: "alice",
			operation: "Apply",
			apiVersion: "apps/v1",
			time,
			fieldsType: "FieldsV1",
		});
	});

	test("repeated changes nothing, not even the time", () => {
		const again = apply(web, `{${head}, spec: ${JSON.stringify(spec(web))}}`, "alice", {
			time: "2027-01-01T00:00:00Z",
		});
		expect(JSON.stringify(again)).toBe(JSON.stringify(web));
	});

	test("of other fields leaves those of another manager alone", () => {
		const both = apply(web, `{${head}, spec: {paused: true}}`, "bob");
		expect(spec(both)).toMatchObject({ replicas: 3, paused: true });
		expect(fields(both, "bob")).toEqual({ "f:spec": { "f:paused": {} } });
		expect(fields(both, "alice")).toEqual(fields(web, "alice"));
	});

	test("of an equal value shares the field", () => {
		const both = apply(web, `{${head}, spec: {replicas: 3}}`, "bob");
		expect(managers(both)).toEqual(["alice", "bob"]);
	});

	test("removes what it no longer says", () => {
		const after = apply(web, `{${head}, spec: {template: {spec: {containers: [{name: web, image: nginx}]}}}}`, "alice");
		expect(withoutManagedFields(after)).toEqual({
			apiVersion: "apps/v1",
			kind: "Deployment",
			metadata: { name: "web" },
			spec: { template: { spec: { containers: [{ name: "web", image: "nginx" }] } } },
		});
	});

	test("removes a whole list item, but not what another manager has put in it", () => {
		const bob = apply(web, `{${head}, spec: {template: {spec: {containers: [{name: web, tty: true}]}}}}`, "bob");
		const after = apply(bob, `{${head}, spec: {replicas: 3}}`, "alice");
		expect(spec(after)).toEqual({ replicas: 3, template: { spec: { containers: [{ name: "web", tty: true }] } } });
		const gone = apply(after, `{${head}}`, "bob");
		expect(spec(gone)).toEqual({ replicas: 3 });
	});

	test("keeps a field that another manager owns too", () => {
		const both = apply(web, `{${head}, spec: {replicas: 3}}`, "bob");
		const after = apply(both, `{${head}}`, "alice");
		expect(spec(after)).toEqual({ replicas: 3 });
		expect(managers(after)).toEqual(["bob"]);
	});

	test("keeps the fields nobody owns beside those it removes", () => {
		const defaulted = { ...web, spec: { ...spec(web), revisionHistoryLimit: 10 } };
		const after = apply(defaulted, `{${head}, spec: {paused: true}}`, "alice");
		expect(spec(after)).toEqual({ revisionHistoryLimit: 10, paused: true });
	});

	test("puts new list items where the configuration has them", () => {
		const sidecar = update(
			web,
			{ ...web, spec: { template: { spec: { containers: [{ name: "first" }, { name: "web", image: "nginx" }] } } } },
			"injector",
		);
		const after = apply(
			sidecar,
			`{${head}, spec: {template: {spec: {containers: [{name: web, image: nginx}, {name: last}]}}}}`,
			"alice",
		);
		const { containers } = (spec(after)["template"] as { spec: { containers: { name: string }[] } }).spec;
		expect(containers.map(({ name }) => name)).toEqual(["first", "web", "last"]);
	});

	test("does not own what it may not write", () => {
		const after = apply(undefined, `{${head}, status: {replicas: 3}}`, "alice");
		expect(after["status"]).toBeUndefined();
		expect(managers(after)).toEqual([]);
	});

	test("of labels owns each label, of a selector all of it", () => {
		const after = apply(
			undefined,
			"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a, labels: {x: '1'}}, spec: {selector: {matchLabels: {x: '1'}}}}",
			"alice",
		);
		expect(fields(after, "alice")).toEqual({
			"f:metadata": { "f:labels": { "f:x": {} } },
			"f:spec": { "f:selector": {} },
		});
	});

	test("with an item named twice is a bad request", () => {
		const config = `{${head}, spec: {template: {spec: {containers: [{name: web}, {name: web}]}}}}`;
		expect(conflict(() => apply(undefined, config, "alice"))).toMatchObject({
			reason: "BadRequest",
			message: '.spec.template.spec.containers: duplicate entries for key {"name":"web"}',
		});
	});

	test("of managedFields is a bad request", () => {
		const config = "{metadata: {name: a, managedFields: [{manager: x}]}}";
		expect(conflict(() => apply(undefined, config, "alice")).message).toBe("metadata.managedFields must be nil");
	});
});

describe("conflicts", () => {
	const scaled = update(web, { ...web, spec: { ...spec(web), replicas: 5 } }, "kubectl-edit");

	test("an update takes a changed field over without asking", () => {
		expect(fields(scaled, "kubectl-edit")).toEqual({ "f:spec": { "f:replicas": {} } });
		expect(fields(scaled, "alice")).not.toHaveProperty(["f:spec", "f:replicas"]);
	});

	test("an apply of another value is refused and says who owns the field", () => {
		const error = conflict(() => apply(scaled, `{${head}, spec: {replicas: 3}}`, "alice"));
		expect(error.reason).toBe("Conflict");
		expect(error.message).toBe(
			'Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1: .spec.replicas',
		);
		expect(error.details?.causes).toEqual([
			{
				reason: "FieldManagerConflict",
				message: 'conflict with "kubectl-edit" using apps/v1',
				field: ".spec.replicas",
			},
		]);
	});

	test("several are listed by manager", () => {
		const config = `{${head}, spec: {replicas: 4, template: {spec: {containers: [{name: web, image: other, ports: [{containerPort: 80, name: x}]}]}}}}`;
		const bob = apply(scaled, `{${head}, spec: {template: {spec: {containers: [{name: web, image: nginx}]}}}}`, "bob");
		expect(conflict(() => apply(bob, config, "carol")).message).toBe(
			[
				'Apply failed with 3 conflicts: conflicts with "alice":',
				'- .spec.template.spec.containers[name="web"].image',
				'conflicts with "bob":',
				'- .spec.template.spec.containers[name="web"].image',
				'conflicts with "kubectl-edit" using apps/v1:',
				"- .spec.replicas",
			].join("\n"),
		);
	});

	test("force takes the fields over", () => {
		const after = apply(scaled, `{${head}, spec: {replicas: 3}}`, "alice", { force: true });
		expect(spec(after)["replicas"]).toBe(3);
		expect(managers(after)).toEqual(["alice"]);
	});

	test("an object whose fields were never tracked conflicts with its writer", () => {
		const error = conflict(() => apply(withoutManagedFields(web), `{${head}, spec: {replicas: 4}}`, "alice"));
		expect(error.message).toContain('conflict with "before-first-apply" using apps/v1: .spec.replicas');
	});

	test("kubectl takes over what it had applied on the client's side", () => {
		const config = { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, spec: { replicas: 3 } };
		const annotations = { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(config) };
		const created = update(
			undefined,
			{ ...config, metadata: { name: "web", annotations } },
			"kubectl-client-side-apply",
		);
		expect(spec(apply(created, `{${head}, spec: {replicas: 4}}`, "kubectl"))["replicas"]).toBe(4);
		expect(() => apply(created, `{${head}, spec: {replicas: 4}}`, "other")).toThrow(ApiError);
		const scaled = update(created, { ...created, spec: { replicas: 9 } }, "hpa");
		expect(() => apply(scaled, `{${head}, spec: {replicas: 4}}`, "kubectl")).toThrow(ApiError);
	});

	test("kubectl's annotation keeps saying what it has applied", () => {
		const annotation = "kubectl.kubernetes.io/last-applied-configuration";
		const created = update(undefined, { metadata: { name: "web", annotations: { [annotation]: "{}" } } }, "other");
		const metadata = apply(created, `{${head}, spec: {replicas: 4}}`, "kubectl")["metadata"] as JsonObject;
		expect(JSON.parse(String((metadata["annotations"] as JsonObject)[annotation]))).toEqual(
			parse(`{${head}, spec: {replicas: 4}}`),
		);
	});
});

describe("an update", () => {
	test("on creation owns all there is, apart from what every object has", () => {
		const created = update(
			undefined,
			{ ...withoutManagedFields(web), metadata: { name: "web", labels: { a: "b" } } },
			"kubectl-create",
		);
		expect(fields(created, "kubectl-create")).toEqual({
			"f:metadata": { "f:labels": { ".": {}, "f:a": {} } },
			"f:spec": {
				"f:replicas": {},
				"f:template": {
					"f:spec": {
						"f:containers": {
							'k:{"name":"web"}': {
								".": {},
								"f:image": {},
								"f:name": {},
								"f:ports": {
									".": {},
									'k:{"containerPort":80,"protocol":"TCP"}': { ".": {}, "f:containerPort": {} },
								},
							},
						},
					},
				},
			},
		});
	});

	test("that changes nothing leaves the very list", () => {
		const list = (web["metadata"] as JsonObject)["managedFields"];
		expect(trackUpdate(web, { ...web }, { manager: "x", time, ...deployment })).toBe(list);
	});

	test("of the status is kept apart from one of the rest", () => {
		const after = update(web, { ...web, status: { replicas: 3 } }, "alice", { subresource: "status" });
		expect((after["metadata"] as { managedFields: object[] }).managedFields).toEqual([
			expect.objectContaining({ manager: "alice", operation: "Apply" }),
			expect.objectContaining({
				manager: "alice",
				operation: "Update",
				subresource: "status",
				fieldsV1: { "f:status": { "f:replicas": {} } },
			}),
		]);
	});

	test("that removes a field takes it from all who owned it", () => {
		const { replicas: _, ...rest } = spec(web);
		const after = update(web, { ...web, spec: rest }, "bob");
		expect(managers(after)).toEqual(["alice"]);
		expect(fields(after, "alice")).not.toHaveProperty(["f:spec", "f:replicas"]);
	});

	test("may edit the managed fields, or reset them", () => {
		const edited = [
			{
				manager: "zoe",
				operation: "Update",
				apiVersion: "apps/v1",
				fieldsType: "FieldsV1",
				fieldsV1: { "f:spec": { "f:replicas": {} } },
			},
		];
		const given = (managedFields: unknown) => ({ ...web, metadata: { name: "web", managedFields } });
		const track = (managedFields: unknown) =>
			trackUpdate(web, given(managedFields), { manager: "x", time, ...deployment });
		expect(track(edited)).toBe(edited);
		expect(track([{}])).toEqual([]);
		expect(track([])).toBe((web["metadata"] as JsonObject)["managedFields"]);
		expect(track([{ manager: "broken", operation: "Nothing" }])).toBe((web["metadata"] as JsonObject)["managedFields"]);
	});

	test("by ever new managers does not let the list grow without end", () => {
		let object = web;
		for (let index = 0; index < 30; index++)
			object = update(
				object,
				{ ...object, spec: { ...spec(object), [index % 2 ? "paused" : "replicas"]: index } },
				`m${index}`,
			);
		for (let index = 0; index < 30; index++) {
			const labels = { ...((object["metadata"] as JsonObject)["labels"] as JsonObject), [`l${index}`]: "x" };
			object = update(object, { ...object, metadata: { ...(object["metadata"] as JsonObject), labels } }, `n${index}`);
		}
		expect(managers(object).length).toBeLessThanOrEqual(11);
		expect(managers(object)).toContain("ancient-changes");
	});
});

test("custom objects without a schema are tracked as deep as they are objects", () => {
	const schemas = { type: () => undefined };
	const options = { manager: "a", time, apiVersion: "x/v1", typeName: "Custom", schemas, force: false };
	const config = {
		apiVersion: "x/v1",
		kind: "Custom",
		metadata: { name: "c" },
		spec: { list: [1, 2], deep: { a: 1 } },
	};
	const created = serverSideApply({ ...options, live: undefined, config });
	expect(fields(created, "a")).toEqual({
		"f:spec": { ".": {}, "f:deep": { ".": {}, "f:a": {} }, "f:list": {} },
	});
	const after = serverSideApply({ ...options, live: created, config: { ...config, spec: { deep: { a: 1 } } } });
	expect(after["spec"]).toEqual({ deep: { a: 1 } });
});

test("every keyed list of the built-in types has its keys among the fields of its items", () => {
	const seen = new Set<string>();
	let lists = 0;
	const visit = (name: string) => {
		if (seen.has(name)) return;
		seen.add(name);
		for (const [field, schema] of Object.entries(builtinSchemas.type(name) ?? {})) {
			for (const key of schema.listMapKeys ?? []) {
				expect(builtinSchemas.type(schema.type), `${name}.${field}`).toHaveProperty(key);
				lists++;
			}
			visit(schema.type);
		}
	};
	for (const kind of catalog) visit(kind.schema);
	expect(lists).toBeGreaterThan(30);
});

test("an object that a manager empties stays, empty", () => {
	const before = apply(
		undefined,
		`{${head}, spec: {template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}}}`,
		"m",
	);
	const after = apply(before, `{${head}, spec: {template: {metadata: {labels: {}}, spec: {containers: []}}}}`, "m");
	expect(withoutManagedFields(after)["spec"]).toEqual({
		template: { metadata: { labels: {} }, spec: { containers: [] } },
	});
});
