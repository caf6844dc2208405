/** What clients ask for in queries and headers is read by its type, and refused when it is none. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type TestApi, testApi } from "./testing/test-api.ts";

let api: TestApi;
beforeEach(async () => {
	api = await testApi();
});
afterEach(() => api.close());

const configMaps = "/api/v1/namespaces/default/configmaps";

describe("refused with a Status", () => {
	test.each([
		["a limit that is no number", `${configMaps}?limit=abc`, 'strconv.ParseInt: parsing "abc": invalid syntax'],
		["a limit out of range", `${configMaps}?limit=9223372036854775808`, "value out of range"],
		["a timeout that is none", `${configMaps}?timeout=invalid`, 'time: invalid duration "invalid"'],
		["timeoutSeconds of a watch", `${configMaps}?watch=1&timeoutSeconds=x`, "invalid syntax"],
		["a selector of a thousand requirements", `${configMaps}?labelSelector=${"!a,".repeat(1000)}!b`, "requirements"],
		["a path that is badly encoded", "/api/v1/nodes/n/proxy/%", ""],
	])("%s", async (_, path, message) => {
		const answer = await api.ask("GET", path);
		expect(answer.object).toMatchObject({ kind: "Status", status: "Failure" });
		expect(answer.status).toBeGreaterThanOrEqual(400);
		expect(answer.object.message).toContain(message);
	});

	test("a watch in a form that watches do not have", async () => {
		const answer = await api.ask("GET", `${configMaps}?watch=true`, undefined, {
			headers: { accept: "application/yaml" },
		});
		expect(answer).toMatchObject({ status: 406, object: { kind: "Status", reason: "NotAcceptable" } });
	});

	test("an integer beyond 64 bits", async () => {
		await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
		const spec = '{"containers":[{"name":"a","image":"b"}],"terminationGracePeriodSeconds":9223372036854775808}';
		const answer = await api.ask("POST", "/api/v1/namespaces/default/pods", `{"metadata":{"name":"p"},"spec":${spec}}`);
		expect(answer.status).toBe(400);
		expect(answer.object.message).toContain("cannot unmarshal number 9223372036854775808 into Go struct field");
	});
});

test.each(["True", "TRUE", "t", "T", "1", "true", ""])("`watch=%s` is a yes", async (yes) => {
	const { response } = await api.ask("GET", `${configMaps}?watch=${yes}`);
	expect(response.type).toBe("watch");
});

test.each(["False", "FALSE", "0", "false"])("`watch=%s` is a no", async (no) => {
	expect((await api.ask("GET", `${configMaps}?watch=${no}`)).object.kind).toBe("ConfigMapList");
});

test("dependents stay when a client says so in its own words", async () => {
	const deployments = "/apis/apps/v1/namespaces/default/deployments";
	const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "a", image: "b" }] } };
	await api.ask("POST", deployments, {
		metadata: { name: "d" },
		spec: { selector: { matchLabels: { a: "b" } }, template },
	});
	const answer = await api.ask("DELETE", `${deployments}/d?orphanDependents=True`);
	expect(answer.object.metadata.finalizers).toEqual(["orphan"]);
});

test("keys that every object's prototype has are keys like any other", async () => {
	const body =
		'{"metadata":{"name":"a"},"data":{"constructor":"c","toString":"t","__proto__":"p"},"binaryData":{"b":"YQ=="}}';
	expect((await api.ask("POST", configMaps, body)).status).toBe(201);
	const merge = { type: "application/merge-patch+json" };
	const read = async () => JSON.parse((await api.ask("GET", `${configMaps}/a`)).text()).data;
	expect(JSON.stringify(await read())).toBe('{"constructor":"c","toString":"t","__proto__":"p"}');
	await api.ask("PATCH", `${configMaps}/a`, '{"data":{"__proto__":null,"valueOf":"v"}}', {
		headers: { "content-type": merge.type },
	});
	expect(JSON.stringify(await read())).toBe('{"constructor":"c","toString":"t","valueOf":"v"}');
	await api.ask(
		"PATCH",
		`${configMaps}/a?fieldManager=m`,
		'{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"__proto__":"q"}}',
		{
			headers: { "content-type": "application/apply-patch+yaml" },
		},
	);
	expect(Object.getOwnPropertyDescriptor(await read(), "__proto__")?.value).toBe("q");
});

test("half a character is stored as the sign for what cannot be read", async () => {
	const body = '{"metadata":{"name":"a"},"data":{"k":"\\ud800x \\ud83d\\ude00 \\\\ud800"}}';
	expect((await api.ask("POST", configMaps, body)).object.data.k).toBe("\ufffdx \u{1f600} \\ud800");
	const { object, sent } = await api.ask("GET", `${configMaps}/a`);
	expect(object.data).toEqual(sent().data);
});

test("names that every object inherits are no entries of tables", async () => {
	const secrets = "/api/v1/namespaces/default/secrets";
	expect((await api.ask("POST", secrets, { metadata: { name: "s" }, type: "constructor" })).status).toBe(201);
	const limits = [
		{ type: "Container", min: { constructor: "1" }, defaultRequest: { toString: "1" }, max: { cpu: "1" } },
	];
	const range = await api.ask("POST", "/api/v1/namespaces/default/limitranges", {
		metadata: { name: "l" },
		spec: { limits },
	});
	expect(range.status).toBe(201);
	const applied = await api.ask(
		"PATCH",
		`${configMaps}/x?fieldManager=m`,
		'{"apiVersion":{"toString":false},"kind":"ConfigMap"}',
		{
			headers: { "content-type": "application/apply-patch+yaml" },
		},
	);
	expect(applied).toMatchObject({ status: 400, object: { kind: "Status" } });
});
