/** What a request costs is in proportion to its size, and bounded before the work is done. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Cause } from "../core/errors.ts";
import { problemsOf } from "./mutate/problems.ts";
import { type TestApi, testApi } from "./testing/test-api.ts";

let api: TestApi;
beforeEach(async () => {
	api = await testApi();
});
afterEach(() => api.close());

const configMaps = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string, data: object) => ({
	apiVersion: "v1",
	kind: "ConfigMap",
	metadata: { name },
	data,
});
const json = "application/json";
const yaml = "application/yaml";

describe("a small patch", () => {
	beforeEach(() => api.ask("POST", configMaps, configMap("a", { k: "some text".repeat(100) })));

	test("may not make a large object of a small one", async () => {
		const doubling = Array.from({ length: 21 }, (_, index) => ({ op: "copy", from: "/data", path: `/data/c${index}` }));
		const answer = await api.ask("PATCH", `${configMaps}/a`, doubling, { type: "application/json-patch+json" });
		expect(answer).toMatchObject({ status: 422, object: { kind: "Status", reason: "Invalid" } });
		expect((await api.ask("GET", `${configMaps}/a`)).object.data).toEqual({ k: "some text".repeat(100) });
	});

	test("may not make an object that is too large to be stored", async () => {
		const data = Object.fromEntries(["x", "y"].map((key) => [key, "v".repeat(900_000)]));
		const merge = { type: "application/merge-patch+json" };
		const object = { metadata: { annotations: { text: "v".repeat(200_000) } }, binaryData: {}, data };
		const answer = await api.ask("PATCH", `${configMaps}/a`, object, merge);
		expect(answer.status).toBeGreaterThanOrEqual(413);
		expect(answer.object.kind).toBe("Status");
	});
});

test("an object that is too large to be stored is refused", async () => {
	const containers = Array.from({ length: 1000 }, (_, index) => ({
		name: `c${index}`,
		image: "i",
		command: ["c".repeat(1600)],
	}));
	const path = "/api/v1/namespaces/default/podtemplates";
	const answer = await api.ask("POST", path, { metadata: { name: "p" }, template: { spec: { containers } } });
	expect(answer).toMatchObject({ status: 413, object: { reason: "RequestEntityTooLarge" } });
});

describe("bodies are refused before they are worked on", () => {
	const tooDeep = /exceeded max depth|nested too deeply|too deep/;
	/** Behaviour, media type, body, status, what the answer says. */
	const cases: [string, string, () => string, number, RegExp][] = [
		["lists in lists", json, () => "[".repeat(3_000_000), 400, tooDeep],
		["objects in objects", json, () => `${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`, 400, tooDeep],
		[
			"nesting in a field that is free-form",
			json,
			() => `{"metadata":{"name":"a","managedFields":[{"fieldsV1":${'{"f:a":'.repeat(5000)}{}${"}".repeat(5000)}}]}}`,
			400,
			tooDeep,
		],
		["more values than an object can have", json, () => `[${"0,".repeat(1_000_000)}0]`, 413, /too large/],
		["a YAML list of half a million", yaml, () => `a:\n${"- x\n".repeat(480_000)}`, 413, /too large/],
		["YAML nested on one line", yaml, () => `${"- ".repeat(5000)}x`, 400, tooDeep],
		["YAML keys in keys", yaml, () => `${"? ".repeat(5000)}x`, 400, tooDeep],
		["YAML keys in keys, few enough to be read", yaml, () => `${"{? ".repeat(60)}x${"}".repeat(60)}`, 400, /./],
		["YAML lists in lists", yaml, () => "[".repeat(100_000), 400, tooDeep],
		[
			"YAML aliases that multiply",
			yaml,
			() =>
				`a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghi"
					.split("")
					.map((name, index) => `${name}: &${name} [${`*${"abcdefghi"[index]},`.repeat(9)}]\n`)
					.join("")}`,
			400,
			/alias/i,
		],
		["a YAML alias of nothing", yaml, () => "a: *nothing\n", 400, /alias/i],
	];
	test.each(cases)("%s", async (_, type, body, status, why) => {
		const answer = await api.ask("POST", configMaps, body(), { headers: { "content-type": type } });
		expect(answer).toMatchObject({ status, object: { kind: "Status", status: "Failure", code: status } });
		expect(answer.object.message).toMatch(why);
		expect(answer.object.message.length).toBeLessThan(5000);
	});

	const manyKeys = Object.fromEntries(Array.from({ length: 150_000 }, (_, index) => [`k${index}`, "v"]));
	test.each([
		["apply-patch+yaml", configMap("a", manyKeys)],
		["merge-patch+json", { data: manyKeys }],
		["strategic-merge-patch+json", { data: manyKeys }],
		["json-patch+json", [{ op: "add", path: "/data", value: manyKeys }]],
	])("%s with more keys than an object can have", async (type, patch) => {
		await api.ask("POST", configMaps, configMap("a", {}));
		const answer = await api.ask("PATCH", `${configMaps}/a?fieldManager=m`, patch, { type: `application/${type}` });
		expect(answer).toMatchObject({ status: 413, object: { reason: "RequestEntityTooLarge" } });
	});

	test("of many YAML documents only the first is read", async () => {
		// So often that a parser of all of them would not be done within a test's time.
		for (let round = 0; round < 5; round++) {
			const first = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a-${round}\n`;
			const answer = await api.ask("POST", configMaps, `${first}${"---\na: [\n".repeat(300_000)}`, {
				headers: { "content-type": yaml },
			});
			expect(answer.status).toBe(201);
		}
	});

	test("JSON is read as JSON where YAML may come", async () => {
		const data = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, "v"]));
		const answer = await api.ask("PATCH", `${configMaps}/a?fieldManager=m`, configMap("a", data), {
			type: "application/apply-patch+yaml",
		});
		expect(answer.status).toBe(201);
	});
});

describe("messages are bounded", () => {
	const unknown = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`field-${index}`, 1]));

	test("unknown fields that are warned of", async () => {
		const answer = await api.ask("POST", configMaps, { ...configMap("a", {}), ...unknown }, { type: json });
		expect(answer.status).toBe(201);
		expect(answer.headers["warning"]?.length).toBeLessThan(16_384);
	});

	test("unknown fields that are refused", async () => {
		const strict = `${configMaps}?fieldValidation=Strict`;
		const answer = await api.ask("POST", strict, { ...configMap("a", {}), ...unknown }, { type: json });
		expect(answer.status).toBe(400);
		expect(answer.object.message.length).toBeLessThan(16_384);
	});

	test("problems of one object, and the values that they quote", async () => {
		const ownerReferences = Array.from({ length: 2000 }, () => ({
			apiVersion: "v1",
			kind: "Pod",
			name: "p",
			uid: "u",
			controller: true,
		}));
		const object = { ...configMap("a", {}), metadata: { name: "a", ownerReferences } };
		const answer = await api.ask("POST", configMaps, object);
		expect(answer.status).toBe(422);
		expect(answer.text().length).toBeLessThan(512 * 1024);
		const long = await api.ask("POST", configMaps, configMap("A".repeat(1_000_000), {}));
		expect(long.status).toBe(422);
		expect(long.text().length).toBeLessThan(65_536);
	});

	test("warnings are Latin-1, as headers are", async () => {
		const answer = await api.ask("POST", configMaps, { ...configMap("a", {}), "größe\u{1f600}": 1 }, { type: json });
		expect(answer.headers["warning"]).toBe('299 - "unknown field \\"größe??\\""');
	});
});

test("a quantity with a million digits is no quantity", async () => {
	const hard = { pods: "1".repeat(1_000_000) };
	const object = { metadata: { name: "q" }, spec: { hard } };
	expect((await api.ask("POST", "/api/v1/namespaces/default/resourcequotas", object)).status).toBe(400);
});

describe("the work grows with what is sent, and no faster", () => {
	const list = <T>(length: number, item: (index: number) => T) => Array.from({ length }, (_, index) => item(index));
	const pods = "/api/v1/namespaces/default/pods";

	test("many managers and many fields", async () => {
		const data = Object.fromEntries(list(4000, (index) => [`k${index}`, "v"]));
		await api.ask("PATCH", `${configMaps}/a?fieldManager=first`, configMap("a", { k: "v" }), {
			type: "application/apply-patch+yaml",
		});
		const managedFields = list(4000, (index) => ({
			manager: `m${index}`,
			operation: "Update",
			apiVersion: "v1",
			fieldsType: "FieldsV1",
			fieldsV1: { "f:data": { [`f:k${index}`]: {} } },
		}));
		const object = { ...configMap("a", data), metadata: { name: "a", managedFields } };
		const answer = await api.ask("PUT", `${configMaps}/a`, object);
		expect(answer.status).toBe(200);
		expect(answer.object.metadata.managedFields.length).toBeLessThan(15);
		const again = await api.ask("PATCH", `${configMaps}/a?fieldManager=second&force=true`, configMap("a", data), {
			type: "application/apply-patch+yaml",
		});
		expect(again.status).toBe(200);
	});

	test("what kubectl is said to have applied, nested deeply", async () => {
		const text = `{"apiVersion":"v1","a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
		const annotations = { "kubectl.kubernetes.io/last-applied-configuration": text };
		await api.ask("PATCH", `${configMaps}/a?fieldManager=first`, configMap("a", { k: "1" }), {
			type: "application/apply-patch+yaml",
		});
		await api.ask("PATCH", `${configMaps}/a`, { metadata: { annotations } }, { type: "application/merge-patch+json" });
		const answer = await api.ask("PATCH", `${configMaps}/a?fieldManager=kubectl`, configMap("a", { k: "2" }), {
			type: "application/apply-patch+yaml",
		});
		expect(answer).toMatchObject({ status: 409, object: { reason: "Conflict" } });
	});

	test("a pod's tolerations, written back with one more", async () => {
		const tolerations = list(15_000, (index) => ({ key: `k${index}`, operator: "Exists" }));
		const pod = { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }], tolerations } };
		await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
		const object = structuredClone((await api.ask("POST", pods, pod)).object);
		object.spec.tolerations.unshift({ key: "new", operator: "Exists" });
		expect((await api.ask("PUT", `${pods}/p`, object)).status).toBe(200);
	});

	test("limits of many resources that there are not, which are requests, too", async () => {
		const limits = Object.fromEntries(list(15_000, (index) => [`k${index}`, "-1"]));
		const pod = { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i", resources: { limits } }] } };
		await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
		expect(await api.ask("POST", pods, pod)).toMatchObject({ status: 422, object: { reason: "Invalid" } });
	});

	test("more that is wrong than a call can have arguments", () => {
		const found: Cause[] = [];
		const validate = () => {
			found.push(...list(300_000, () => ({ reason: "FieldValueInvalid", message: "wrong" })));
			return found;
		};
		expect(() => problemsOf(validate)).toThrow(expect.objectContaining({ reason: "RequestEntityTooLarge" }));
	});

	test("init containers beside a sidecar with many resources", async () => {
		const names = list(2000, (index) => `a.b/r${index}`);
		const amounts = Object.fromEntries(names.map((name) => [name, "1"]));
		const sidecar = {
			name: "s",
			image: "i",
			restartPolicy: "Always",
			resources: { requests: amounts, limits: amounts },
		};
		const initContainers = [sidecar, ...list(2000, (index) => ({ name: `i${index}`, image: "i" }))];
		const pod = { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }], initContainers } };
		await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
		const quota = { metadata: { name: "q" }, spec: { hard: { "requests.cpu": "1k", "requests.a.b/r1": "9" } } };
		await api.ask("POST", "/api/v1/namespaces/default/resourcequotas", quota);
		expect((await api.ask("POST", pods, pod)).status).toBeLessThan(500);
	});
});

test("a cluster that is full says so, and has room again for what is deleted", async () => {
	const limited = await testApi({ objectLimitBytes: 1024 * 1024 });
	const path = "/api/v1/namespaces/default/configmaps";
	const made: string[] = [];
	for (let isFull = false; !isFull; ) {
		const name = `c${made.length}`;
		const answer = await limited.ask("POST", path, { metadata: { name }, data: { text: "x".repeat(10_000) } });
		if (answer.status === 201) made.push(name);
		else {
			isFull = true;
			expect(answer.object).toMatchObject({ code: 500, kind: "Status", reason: "InternalError" });
			expect(answer.object.message).toBe(
				"the cluster is full: its objects take the 1 MiB of memory that are for them; delete some",
			);
		}
	}
	expect(made.length).toBeGreaterThan(20);
	expect((await limited.ask("PUT", `${path}/c0`, { metadata: { name: "c0" }, data: { text: "y" } })).status).toBe(200);
	expect((await limited.ask("DELETE", path)).status).toBe(200);
	expect((await limited.ask("POST", path, { metadata: { name: "again" } })).status).toBe(201);
	await limited.close();
});
