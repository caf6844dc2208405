/** What an ordinary user sees of others: nothing. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Json, type People, plainPod, rbac, secretText, shop, startWithPeople, vault } from "./people.ts";

let people: People;

beforeAll(async () => {
	people = await startWithPeople();
});
afterAll(() => people?.[Symbol.asyncDispose]());

/** Refused in upstream's words, and nothing of the Secret in the answer. */
async function expectRefusal(method: string, path: string, body?: Json, headers?: Record<string, string>) {
	const answer = await people.ann(method, path, body, headers);
	expect([401, 403, 404, 405]).toContain(answer.status);
	expect(JSON.stringify(answer.body)).not.toContain(Buffer.from(secretText).toString("base64"));
	return answer;
}

test("ann works in her own namespace", async () => {
	expect((await people.ann("GET", `${shop}/secrets`)).status).toBe(200);
	expect((await people.ann("POST", `${shop}/configmaps`, { metadata: { name: "own" } })).status).toBe(201);
});

describe("others' Secrets", () => {
	test.each([
		["GET", `${vault}/secrets/safe`, 'cannot get resource "secrets" in API group "" in the namespace "vault"'],
		["GET", `${vault}/secrets`, 'cannot list resource "secrets" in API group "" in the namespace "vault"'],
		["GET", "/api/v1/secrets", 'cannot list resource "secrets" in API group "" at the cluster scope'],
		["GET", "/api/v1/secrets?fieldSelector=metadata.namespace=vault", "cannot list"],
		["GET", "/api/v1/secrets?fieldSelector=metadata.name=safe", "cannot list"],
		["GET", "/api/v1/secrets?watch=true", "cannot watch"],
		["GET", `${vault}/secrets?watch=1&fieldSelector=metadata.name=safe`, "cannot watch"],
		["GET", "/api/v1/watch/secrets", "cannot watch"],
		["GET", "/api/v1/watch/namespaces/vault/secrets/safe", "cannot watch"],
		["GET", "/api/v1/namespaces/kube-system/secrets", "cannot list"],
		["GET", "/api/v1/namespaces/kube-system/configmaps", "cannot list"],
		["GET", `${vault}/pods/web/log`, 'cannot get resource "pods/log"'],
	])("%s %s", async (method, path, why) => {
		const { status, message } = await expectRefusal(method, path);
		expect([status, message]).toEqual([403, expect.stringContaining(why)]);
		expect(message).toContain('User "system:serviceaccount:people:ann"');
	});
	test("HEAD reveals nothing", async () => {
		expect((await people.ann("HEAD", `${vault}/secrets/safe`)).status).toBe(403);
		expect((await people.ann("HEAD", `${vault}/secrets/none`)).status).toBe(403);
	});
});

test.each([
	`${shop}/../vault/secrets/safe`,
	`${shop}/secrets/../../vault/secrets/safe`,
	`${shop}/secrets/..%2F..%2Fvault%2Fsecrets%2Fsafe`,
	`${shop}%2F..%2Fvault/secrets/safe`,
	"/api/v1/namespaces/vault%2Fsecrets%2Fsafe",
	"/api/v1/namespaces/shop%00/secrets/safe",
	"//api/v1/namespaces/vault/secrets/safe",
	"/api/v1//namespaces/vault/secrets/safe",
	"/api/v1/namespaces/vault//secrets/safe",
	"/api/v1/namespaces//secrets",
	"/api/V1/namespaces/vault/secrets/safe",
	"/api/v1/proxy/namespaces/vault/secrets/safe",
	`${shop}/secrets/safe?namespace=vault`,
])("the path %s leads to nobody else's Secret", async (path) => {
	await expectRefusal("GET", path);
});

test("a forged continue token leads no further than the namespace", async () => {
	for (const name of ["s1", "s2", "s3"]) await people.ann("POST", `${shop}/secrets`, { metadata: { name } });
	const first = await people.ann("GET", `${shop}/secrets?limit=1`);
	const token = JSON.parse(Buffer.from(first.body.metadata.continue, "base64url").toString());
	for (const start of [
		"/",
		"safe",
		"../vault/",
		"vault/safe",
		"/registry/secrets/vault/",
		"../../secrets/vault/safe",
		"",
	]) {
		const forged = Buffer.from(JSON.stringify({ ...token, start })).toString("base64url");
		const answer = await people.ann("GET", `${shop}/secrets?limit=100&continue=${forged}`);
		expect(JSON.stringify(answer.body)).not.toContain('"vault"');
		expect([200, 400, 410]).toContain(answer.status);
	}
});

test.each([
	["an administrator", { "impersonate-user": "kubernetes-admin", "impersonate-group": "system:masters" }],
	["a group", { "impersonate-user": "system:serviceaccount:people:ann", "impersonate-group": "system:masters" }],
	["another account", { "impersonate-user": "system:serviceaccount:vault:root" }],
	["a node", { "impersonate-user": "system:node:node-1", "impersonate-group": "system:nodes" }],
	["a uid", { "impersonate-user": "system:serviceaccount:people:ann", "impersonate-uid": "0" }],
	["a scope", { "impersonate-user": "system:serviceaccount:people:ann", "impersonate-extra-scopes": "all" }],
])("ann does not pass for %s", async (_, headers) => {
	const { status, message } = await expectRefusal("GET", `${vault}/secrets/safe`, undefined, headers);
	expect([status, message]).toEqual([403, expect.stringContaining("cannot impersonate resource")]);
});

test("headers of authenticating proxies are nobody's word", async () => {
	const headers = { "x-remote-user": "kubernetes-admin", "x-remote-group": "system:masters" };
	await expectRefusal("GET", `${vault}/secrets/safe`, undefined, headers);
	const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
	const { body } = await people.ann("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", review, headers);
	expect(body.status.userInfo.username).toBe("system:serviceaccount:people:ann");
	expect(body.status.userInfo.groups).not.toContain("system:masters");
	const override = { "x-http-method-override": "GET", "x-original-url": `${vault}/secrets/safe` };
	await expectRefusal("POST", `${vault}/secrets`, { metadata: { name: "x" } }, override);
});

test.each(["/metrics", "/debug/pprof/", "/configz", "/logs/", "/apis/metrics.k8s.io/v1beta1/nodes"])(
	"%s is not for ordinary users",
	async (path) => {
		expect([403, 404]).toContain((await people.ann("GET", path)).status);
	},
);

describe("the token that every pod has", () => {
	const privileged = plainPod("x", { hostPID: true }, { securityContext: { privileged: true } });
	test.each<[string, string, Json?]>([
		["GET", `${vault}/secrets/safe`],
		["GET", `${vault}/secrets`],
		["GET", "/api/v1/secrets"],
		["GET", `${shop}/secrets`],
		["GET", `${shop}/pods`],
		["GET", "/api/v1/nodes"],
		["GET", "/api/v1/nodes/node-1/proxy/stats/summary"],
		["POST", `${vault}/pods`, privileged],
		["POST", `${shop}/pods`, plainPod("x")],
		["POST", `${vault}/pods/web/exec?command=id&stdout=true`],
		["POST", `${vault}/serviceaccounts/root/token`, { spec: {} }],
		["DELETE", "/api/v1/namespaces/vault"],
		["POST", `${rbac}/clusterrolebindings`, { metadata: { name: "x" }, roleRef: { kind: "ClusterRole", name: "x" } }],
	])("opens nothing: %s %s", async (method, path, body) => {
		const answer = await people.pod(method, path, body);
		expect([answer.status, answer.message]).toEqual([
			403,
			expect.stringContaining("system:serviceaccount:shop:default"),
		]);
	});
});

test("a client without credentials sees nothing but health and version", async () => {
	for (const path of [`${shop}/secrets`, "/api", "/apis", "/openapi/v2", "/metrics"])
		expect([401, 403]).toContain((await people.nobody("GET", path)).status);
	expect((await people.nobody("GET", "/readyz")).status).toBe(200);
});

test("can-i says what is so", async () => {
	const ask = async (verb: string, resource: string, namespace: string, subresource = "") => {
		const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
		const spec = { resourceAttributes: { verb, resource, namespace, subresource } };
		return (await people.ann("POST", path, { spec })).body.status.allowed;
	};
	for (const [verb, resource, subresource] of [
		["get", "secrets"],
		["create", "pods"],
		["create", "pods", "exec"],
		["delete", "configmaps"],
	] as const) {
		expect([verb, resource, await ask(verb, resource, "shop", subresource)]).toEqual([verb, resource, true]);
		expect([verb, resource, await ask(verb, resource, "vault", subresource)]).toEqual([verb, resource, false]);
		expect([verb, resource, await ask(verb, resource, "", subresource)]).toEqual([verb, resource, false]);
	}
	for (const [verb, resource] of [
		["update", "namespaces"],
		["create", "pods/binding"],
		["update", "resourcequotas"],
	] as const)
		expect([verb, resource, await ask(verb, resource, "shop")]).toEqual([verb, resource, false]);
});
