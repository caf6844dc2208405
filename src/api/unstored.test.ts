/**
 * Bodies that stand for nothing stored, as Go's encoder writes them: with null for every list and map that is not
 * there.
 */
import { expect, test } from "vitest";
import { type TestApi, testApi } from "./testing/test-api.ts";

const namespace = "/api/v1/namespaces/default";
const pod = { metadata: { name: "p" }, spec: { containers: [{ name: "c", image: "i" }] } };

async function cluster(): Promise<TestApi> {
	const api = await testApi();
	await api.ask("POST", `${namespace}/serviceaccounts`, { metadata: { name: "default" } });
	await api.ask("POST", `${namespace}/pods`, pod);
	return api;
}

const nothing = { creationTimestamp: null, labels: null };

test.each([
	[
		`${namespace}/serviceaccounts/default/token`,
		{
			kind: "TokenRequest",
			metadata: nothing,
			spec: { audiences: null, expirationSeconds: null, boundObjectRef: null },
			status: { token: "", expirationTimestamp: null },
		},
	],
	[
		`${namespace}/pods/p/binding`,
		{ kind: "Binding", metadata: nothing, target: { kind: "Node", name: "n", uid: null } },
	],
	[`${namespace}/pods/p/eviction`, { kind: "Eviction", metadata: nothing, deleteOptions: null }],
	[
		"/apis/authorization.k8s.io/v1/subjectaccessreviews",
		{
			kind: "SubjectAccessReview",
			metadata: nothing,
			spec: { user: "ann", groups: null, extra: null, resourceAttributes: { verb: "get", fieldSelector: null } },
		},
	],
	["/apis/authentication.k8s.io/v1/tokenreviews", { kind: "TokenReview", spec: { token: "t", audiences: null } }],
	["/apis/authentication.k8s.io/v1/selfsubjectreviews", { kind: "SelfSubjectReview", metadata: null, status: null }],
])("%s with nulls", async (path, body) => {
	const api = await cluster();
	expect((await api.ask("POST", path, body)).status).toBe(201);
});

test.each([
	[`${namespace}/serviceaccounts/default/token`, { spec: { audiences: "one" } }],
	[`${namespace}/serviceaccounts/default/token`, { kind: "Pod" }],
	[`${namespace}/pods/p/binding`, { target: "n" }],
	[`${namespace}/pods/p/eviction?fieldValidation=Strict`, { deleteoptions: {} }],
	["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", ["x"]],
])("%s with %j is refused", async (path, body) => {
	const api = await cluster();
	expect((await api.ask("POST", path, body)).object).toMatchObject({ code: 400, reason: "BadRequest" });
});

test("a resize that names no container is refused", async () => {
	const api = await cluster();
	const { object } = await api.ask("PUT", `${namespace}/pods/p/resize`, { metadata: { name: "p" } });
	expect(object).toMatchObject({ code: 422, reason: "Invalid" });
});

test("usage has metadata as another view", async () => {
	const api = await testApi({
		usage: async () => [{ name: "n", cpuNanoCores: 1, memoryBytes: 1, atMs: 0, windowMs: 1, pods: [] }],
	});
	await api.ask("POST", "/api/v1/nodes", { metadata: { name: "n" } });
	const accept = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
	const { object } = await api.ask("GET", "/apis/metrics.k8s.io/v1beta1/nodes", undefined, { headers: { accept } });
	expect(object).toMatchObject({ kind: "PartialObjectMetadataList", items: [{ metadata: { name: "n" } }] });
	expect(object.items[0].usage).toBeUndefined();
});

test("usage in protobuf, whole and as metadata", async () => {
	const node = { name: "n", cpuNanoCores: 7, memoryBytes: 2048, atMs: 1500, windowMs: 12_500, pods: [] };
	const api = await testApi({ usage: async () => [node] });
	await api.ask("POST", "/api/v1/nodes", { metadata: { name: "n" } });
	const type = "application/vnd.kubernetes.protobuf";
	const path = "/apis/metrics.k8s.io/v1beta1/nodes";
	const list = await api.ask("GET", path, undefined, { headers: { accept: type } });
	expect(list.headers["content-type"]).toBe(type);
	const bytes = list.response.type === "object" ? list.response.bytes() : [];
	const sent = Buffer.concat(bytes instanceof Uint8Array ? [bytes] : [...bytes]).toString("latin1");
	expect(sent).toContain("NodeMetricsList");
	// A timestamp of whole seconds, and a window of 12.5 s in nanoseconds.
	expect(sent).toContain("\x12\x04\x08\x01\x10\x00\x1a\x06\x08\x80\xba\xbb\xc8\x2e\x22");
	expect(sent).toContain("\x0a\x03cpu\x12\x04\x0a\x027n");
	expect(sent).toContain("\x0a\x06memory\x12\x05\x0a\x032Ki");
	const accept = `${type};as=PartialObjectMetadataList;v=v1;g=meta.k8s.io`;
	const partial = await api.ask("GET", path, undefined, { headers: { accept } });
	expect(partial.headers["content-type"]).toContain(type);
	expect(partial.text()).toContain("PartialObjectMetadataList");
});
