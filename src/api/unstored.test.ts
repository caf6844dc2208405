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
