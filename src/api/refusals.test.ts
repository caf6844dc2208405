/** Whatever a request says, what is wrong with it is answered with a Status of the right code. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { catalog } from "../kinds/catalog.ts";
import { apiVersionOf } from "../kinds/engine/kind.ts";
import { type TestApi, testApi } from "./testing/test-api.ts";

let api: TestApi;
beforeEach(async () => {
	api = await testApi({ dialAgent: () => Promise.reject(new Error("must not be dialled")) });
});
afterEach(() => api.close());

const configMaps = "/api/v1/namespaces/default/configmaps";
const merge = { type: "application/merge-patch+json" };

describe("nodes/proxy", () => {
	test.each(["/%", "/a%2", "/%zz/b"])("an escape that is none: %s", async (rest) => {
		await api.ask("POST", "/api/v1/nodes", { metadata: { name: "node-1" } });
		const answer = await api.ask("GET", `/api/v1/nodes/node-1/proxy${rest}`);
		expect(answer).toMatchObject({ status: 400, object: { kind: "Status", reason: "BadRequest" } });
	});

	test.each(["", "/", "/metrics"])("of a node that is not there%s", async (rest) => {
		const answer = await api.ask("GET", `/api/v1/nodes/none/proxy${rest}`);
		expect(answer).toMatchObject({
			status: 404,
			object: { kind: "Status", reason: "NotFound", message: 'nodes "none" not found' },
		});
	});
});

const old = catalog.flatMap((kind) =>
	(kind.servedAs ?? []).map((served) => [apiVersionOf(served), kind.kind, kind] as const),
);

describe.each(old)("%s %s, applied in parts", (apiVersion, kindName, kind) => {
	test.each([
		{},
		{ metadata: null },
		{ metadata: {} },
		{ spec: null },
		{ spec: {}, status: {} },
		{ metadata: { annotations: null } },
	])("%j", async (parts) => {
		const place = kind.namespaced ? "/namespaces/default" : "";
		const path = `/apis/${apiVersion}${place}/${kind.plural}/a?fieldManager=m`;
		const answer = await api.ask(
			"PATCH",
			path,
			{ apiVersion, kind: kindName, ...parts },
			{ type: "application/apply-patch+yaml" },
		);
		expect(answer.status).toBeLessThan(500);
		if (answer.status >= 400) expect(answer.object.kind).toBe("Status");
	});
});

describe("a body that cannot be read", () => {
	test.each([
		['{"metadata":', "unexpected end of JSON input", '({"metadata":)'],
		['{"metadata":{"name":"a","labels":{"a":b}}}', "invalid character 'b'", '({"metadata":{"name":"a","label ...)'],
		["xyz", "invalid character 'x' looking for beginning of value", "(78797a)"],
	])("%s", async (body, why, beginning) => {
		for (const [method, path] of [["POST", configMaps] as const, ["PUT", `${configMaps}/a`] as const]) {
			const { status, object } = await api.ask(method, path, body);
			expect(status).toBe(400);
			expect(object.message).toMatch(
				/^the object provided is unrecognized \(must be of type ConfigMap\): couldn't get version/,
			);
			expect(object.message).toContain(why);
			expect(object.message).toContain(beginning);
		}
	});
});

describe("a patch whose result is of the wrong type", () => {
	beforeEach(() => api.ask("POST", configMaps, { metadata: { name: "a" }, data: { k: "v" } }));

	test.each([
		["merge-patch+json", { data: { k: 1 } }, /apiVersion.*creationTimestamp.*": json: cannot unmarshal number into/],
		["strategic-merge-patch+json", { data: { k: 1 } }, /"map\[data:map\[k:1]]": cannot convert int64 to string$/],
		["strategic-merge-patch+json", { data: "v" }, /"map\[data:v]": cannot restore map from string$/],
		[
			"json-patch+json",
			[{ op: "replace", path: "/data/k", value: 1 }],
			/apiVersion.*creationTimestamp.*": json: cannot unmarshal number into/,
		],
	])("%s of %j", async (type, body, message) => {
		const answer = await api.ask("PATCH", `${configMaps}/a`, body, { type: `application/${type}` });
		expect(answer).toMatchObject({
			status: 422,
			object: { reason: "Invalid", details: { causes: [{ reason: "FieldValueInvalid", field: "patch" }] } },
		});
		expect(answer.object.message).toMatch(/^ "" is invalid: patch: Invalid value: /);
		expect(answer.object.message).toMatch(message);
	});

	test("another kind is still another kind", async () => {
		expect((await api.ask("PATCH", `${configMaps}/a`, { kind: "Secret" }, merge)).status).toBe(400);
	});
});
