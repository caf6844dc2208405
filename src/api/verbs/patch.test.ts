import { afterEach, beforeEach, expect, test } from "vitest";
import { type TestApi, testApi } from "../testing/test-api.ts";

let api: TestApi;
beforeEach(async () => {
	api = await testApi();
});
afterEach(() => api.close());

const type = "application/apply-patch+yaml";

test("an apply in an older version makes, changes and leaves alone what is stored in the current one", async () => {
	const path = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers/h";
	const apply = (maxReplicas: number) =>
		api.ask(
			"PATCH",
			`${path}?fieldManager=kubectl`,
			{
				apiVersion: "autoscaling/v1",
				kind: "HorizontalPodAutoscaler",
				metadata: { name: "h" },
				spec: { maxReplicas, scaleTargetRef: { kind: "Deployment", name: "web", apiVersion: "apps/v1" } },
			},
			{ type },
		);
	const created = await apply(3);
	expect(created).toMatchObject({ status: 201, object: { apiVersion: "autoscaling/v1", spec: { maxReplicas: 3 } } });
	const again = await apply(3);
	expect(again.object.metadata.resourceVersion).toBe(created.object.metadata.resourceVersion);
	expect((await apply(4)).object.spec.maxReplicas).toBe(4);
});

test("an apply owns what it says, not the zeros of required fields that it leaves out", async () => {
	const path = "/apis/batch/v1/namespaces/default/cronjobs";
	const template = { spec: { containers: [{ name: "a", image: "b" }], restartPolicy: "Never" } };
	const cronJob = { spec: { schedule: "* * * * *", jobTemplate: { spec: { template } } } };
	await api.ask("POST", path, { metadata: { name: "c" }, ...cronJob });
	const only = { apiVersion: "batch/v1", kind: "CronJob", metadata: { name: "c", annotations: { a: "b" } } };
	const answer = await api.ask("PATCH", `${path}/c?fieldManager=x`, only, { type });
	expect(answer).toMatchObject({ status: 200, object: { spec: { schedule: "* * * * *" } } });
	const entry = answer.object.metadata.managedFields.find((found: { manager: string }) => found.manager === "x");
	expect(entry.fieldsV1).toEqual({ "f:metadata": { "f:annotations": { "f:a": {} } } });
});

const configMaps = "/api/v1/namespaces/default/configmaps";
const configMap = (more: object) => ({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, ...more });
const applied = (manager: string, more: object, force = false) =>
	api.ask("PATCH", `${configMaps}/a?fieldManager=${manager}&force=${force}`, configMap(more), { type });
const managers = (object: { metadata: { managedFields?: { manager: string }[] } }) =>
	(object.metadata.managedFields ?? []).map(({ manager }) => manager);

test("a manager that applies what is there already owns it, too", async () => {
	await applied("one", { data: { k: "v" } });
	expect(managers((await applied("two", { data: { k: "v" } })).object)).toEqual(["one", "two"]);
	const before = (await applied("two", { data: { k: "v" } })).object;
	expect((await applied("one", { data: { k: "v" } })).object.metadata).toEqual(before.metadata);
	// One of two lets go: the field stays.
	const { object } = await applied("one", { data: {} });
	expect(object.data).toEqual({ k: "v" });
	expect(managers(object)).toEqual(["two"]);
});

test("an update may take the account of fields away", async () => {
	await applied("one", { data: { k: "v" } });
	const { object } = await api.ask("PUT", `${configMaps}/a`, {
		...configMap({ data: { k: "v" } }),
		metadata: { name: "a", managedFields: [{}] },
	});
	expect(object.metadata.managedFields).toBeUndefined();
	expect(object.data).toEqual({ k: "v" });
});

test.each([
	[{ metadata: { name: "b" } }, 400, "the name of the object (b) does not match the name on the URL (a)"],
	[{ apiVersion: "v2" }, 400, "Incorrect version specified in apply patch. Specified patch version: v2, expected: v1"],
	[{ apiVersion: undefined }, 400, "Specified patch version: , expected: v1"],
	[{ kind: undefined }, 400, "invalid object type: v1, Kind="],
	[
		{ dta: {} },
		400,
		"failed to create typed patch object (default/a; v1, Kind=ConfigMap): .dta: field not declared in schema",
	],
	[{ metadata: { name: "a", uid: "u" } }, 409, "the provided object specified uid u, and no existing object was found"],
])("an apply of %j is refused", async (more, code, message) => {
	const { object } = await applied("one", more);
	expect(object.code).toBe(code);
	expect(object.message).toContain(message);
});

test("an apply of nothing but a name is answered by validation", async () => {
	await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
	const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" } };
	const path = "/api/v1/namespaces/default/pods";
	const found = await api.ask("PATCH", `${path}/p?fieldManager=one`, pod, { type });
	expect(found.object).toMatchObject({ code: 422, details: { causes: [{ field: "spec.containers" }] } });
	expect((await api.ask("POST", path, pod)).object).toMatchObject({ code: 422 });
	const scaler = { apiVersion: "autoscaling/v1", kind: "HorizontalPodAutoscaler", metadata: { name: "h" } };
	const scalers = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
	expect((await api.ask("PATCH", `${scalers}/h?fieldManager=one`, scaler, { type })).object.code).toBe(422);
});

test("keys that a mapping has twice are refused, or the last one counts with a warning", async () => {
	const text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata: {k: v}\ndata:\n  b: 1st\n  b: two\n";
	const path = `${configMaps}/a?fieldManager=m`;
	const body = text;
	const complaints = ['line 7: key "data" already set in map', 'line 8: key "b" already set in map'];
	const strict = await api.ask("PATCH", `${path}&fieldValidation=Strict`, body, { type });
	expect(strict).toMatchObject({ status: 400, object: { reason: "BadRequest" } });
	expect(strict.object.message).toBe(
		`error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${complaints.join("\n  ")}`,
	);
	const warned = await api.ask("PATCH", path, body, { type });
	expect(warned).toMatchObject({ status: 201, object: { data: { b: "two" } } });
	for (const complaint of complaints) expect(warned.headers["warning"]).toContain(JSON.stringify(complaint));
	const ignored = await api.ask("PATCH", `${path}&fieldValidation=Ignore`, body, { type });
	expect(ignored.headers["warning"]).toBeUndefined();
	const put = await api.ask("PUT", `${configMaps}/a?fieldValidation=Strict`, `${text}dta: {}\n`, {
		type: "application/yaml",
	});
	expect(put.object.message).toBe(
		`ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: yaml: unmarshal errors:\n  ${complaints.join("\n  ")}, unknown field "dta"`,
	);
});
