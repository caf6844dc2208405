/** An ordinary user cannot give rights that they do not have, and neither can the administrator of a namespace. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testRequest } from "../../../src/kinds/certificates/testing/certificate-requests.ts";
import { type Answer, apply, type Json, merge, type People, rbac, shop, startWithPeople, vault } from "./people.ts";

let people: People;
const roles = `${rbac}/namespaces/shop/roles`;
const bindings = `${rbac}/namespaces/shop/rolebindings`;
const ann = { kind: "ServiceAccount", namespace: "people", name: "ann" };
const role = (name: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name });

beforeAll(async () => {
	people = await startWithPeople();
});
afterAll(() => people?.[Symbol.asyncDispose]());

function expectForbidden({ status, message }: Answer, why: string | RegExp): void {
	expect([status, message]).toEqual([
		403,
		typeof why === "string" ? expect.stringContaining(why) : expect.stringMatching(why),
	]);
}

describe("who edits", () => {
	test.each<[string, string, Json, Record<string, string>?]>([
		["POST", roles, { metadata: { name: "x" }, rules: [] }],
		["POST", bindings, { metadata: { name: "x" }, roleRef: role("cluster-admin"), subjects: [ann] }],
		[
			"POST",
			`${rbac}/clusterrolebindings`,
			{ metadata: { name: "x" }, roleRef: role("cluster-admin"), subjects: [ann] },
		],
		["PATCH", `${rbac}/clusterroles/edit`, { rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] }, merge],
		["PATCH", `${bindings}/ann`, { subjects: [ann, { kind: "Group", name: "system:authenticated" }] }, merge],
		["DELETE", `${bindings}/adam`, undefined],
		[
			"POST",
			`${rbac}/clusterroles`,
			{
				metadata: { name: "x", labels: { "rbac.authorization.k8s.io/aggregate-to-edit": "true" } },
				rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }],
			},
		],
		[
			"PATCH",
			`${rbac}/clusterroles/system:aggregate-to-edit?fieldManager=x&force=true`,
			{
				apiVersion: "rbac.authorization.k8s.io/v1",
				kind: "ClusterRole",
				metadata: { name: "system:aggregate-to-edit" },
				rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }],
			},
			apply,
		],
	])("does not write roles: %s %s", async (method, path, body, headers) => {
		expectForbidden(await people.ann(method, path, body, headers), "rbac.authorization.k8s.io");
	});
});

describe("who administers a namespace", () => {
	test("makes roles of the rights that they have, and no others", async () => {
		const create = (name: string, rule: Json) => people.adam("POST", roles, { metadata: { name }, rules: [rule] });
		const readPods = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] };
		expect((await create("reader", readPods)).status).toBe(201);
		for (const [name, rule] of Object.entries<Json>({
			everything: { apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
			nodes: { apiGroups: [""], resources: ["nodes"], verbs: ["get"] },
			"every-verb": { apiGroups: [""], resources: ["pods"], verbs: ["*"] },
			bind: { apiGroups: ["rbac.authorization.k8s.io"], resources: ["clusterroles"], verbs: ["bind", "escalate"] },
			impersonate: { apiGroups: [""], resources: ["users"], verbs: ["impersonate"] },
			status: { apiGroups: [""], resources: ["pods/status"], verbs: ["update"] },
			quota: { apiGroups: [""], resources: ["resourcequotas"], verbs: ["update"] },
			csr: { apiGroups: ["certificates.k8s.io"], resources: ["signers"], verbs: ["approve"] },
		}))
			expectForbidden(await create(name, rule), "is attempting to grant RBAC permissions not currently held:");
		const change = { rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] };
		expectForbidden(await people.adam("PATCH", `${roles}/reader`, change, merge), "attempting to grant");
	});

	test("binds roles of the rights that they have, and no others", async () => {
		const bind = (name: string, roleRef: Json) =>
			people.adam("POST", bindings, { metadata: { name }, roleRef, subjects: [ann] });
		expect((await bind("ann-views", role("view"))).status).toBe(201);
		for (const name of ["cluster-admin", "system:node", "system:kube-scheduler"])
			expectForbidden(await bind("x", role(name)), "is attempting to grant RBAC permissions not currently held:");
		expectForbidden(
			await people.adam("POST", `${rbac}/namespaces/vault/rolebindings`, {
				metadata: { name: "x" },
				roleRef: role("view"),
			}),
			"cannot create resource",
		);
		expectForbidden(
			await people.adam("POST", `${rbac}/clusterrolebindings`, { metadata: { name: "x" }, roleRef: role("view") }),
			"cannot create resource",
		);
	});
});

describe("tokens and accounts", () => {
	test("tokens are made of no account of another namespace", async () => {
		const path = `${vault}/serviceaccounts/root/token`;
		expectForbidden(await people.ann("POST", path, { spec: {} }), 'cannot create resource "serviceaccounts/token"');
		for (const path of [
			"/api/v1/namespaces/kube-system/serviceaccounts/default/token",
			`${shop}/../vault/serviceaccounts/root/token`,
		])
			expect([403, 404]).toContain((await people.ann("POST", path, { spec: {} })).status);
	});

	test("a Secret gets no token of an account of another namespace", async () => {
		const { body: root } = await people.admin("GET", `${vault}/serviceaccounts/root`);
		for (const [index, name] of ["root", "../vault/root", "vault/root", "vault:root"].entries()) {
			const annotations = {
				"kubernetes.io/service-account.name": name,
				"kubernetes.io/service-account.uid": root.metadata.uid,
			};
			const metadata = { name: `t${index}`, annotations };
			await people.ann("POST", `${shop}/secrets`, { metadata, type: "kubernetes.io/service-account-token" });
		}
		// One that is made last, and gets its token, says that the others have been looked at.
		await people.ann("POST", `${shop}/serviceaccounts`, { metadata: { name: "own" } });
		const own = { name: "own", annotations: { "kubernetes.io/service-account.name": "own" } };
		await people.ann("POST", `${shop}/secrets`, { metadata: own, type: "kubernetes.io/service-account-token" });
		await expect
			.poll(async () => (await people.ann("GET", `${shop}/secrets/own`)).body.data?.token, { timeout: 20_000 })
			.toBeDefined();
		const { body } = await people.ann("GET", `${shop}/secrets`);
		for (const { metadata, data } of body.items)
			expect([metadata.name, data?.token !== undefined]).toEqual([metadata.name, metadata.name === "own"]);
	});

	test("others' tokens are not reviewed, nor others' rights asked for", async () => {
		const review = await people.ann("POST", "/apis/authentication.k8s.io/v1/tokenreviews", { spec: { token: "x" } });
		expectForbidden(review, "cannot create");
		const spec = { user: "kubernetes-admin", resourceAttributes: { verb: "get", resource: "pods", namespace: "shop" } };
		for (const path of ["subjectaccessreviews", "namespaces/shop/localsubjectaccessreviews"])
			expectForbidden(await people.ann("POST", `/apis/authorization.k8s.io/v1/${path}`, { spec }), "cannot create");
	});
});

describe("certificates", () => {
	const path = "/apis/certificates.k8s.io/v1/certificatesigningrequests";
	const request = async (name: string, subject: string, signerName: string): Promise<Json> => {
		const { pem } = await testRequest(subject);
		const spec = { request: Buffer.from(pem).toString("base64"), signerName, usages: ["client auth"] };
		return { metadata: { name }, spec };
	};
	const masters = "CN=ann, O=system:masters";
	const node = "CN=system:node:node-1, O=system:nodes";

	test("an ordinary user asks for none", async () => {
		for (const [subject, signer] of [
			[masters, "kubernetes.io/kube-apiserver-client"],
			[node, "kubernetes.io/kube-apiserver-client-kubelet"],
		] as const)
			expectForbidden(await people.ann("POST", path, await request("x", subject, signer)), "cannot create resource");
	});

	test("who may ask does not become an administrator by it, and does not approve himself", async () => {
		const rule = { apiGroups: ["certificates.k8s.io"], resources: ["certificatesigningrequests"], verbs: ["*"] };
		const approvals = {
			...rule,
			resources: ["certificatesigningrequests/approval", "certificatesigningrequests/status"],
		};
		await people.admin("POST", `${rbac}/clusterroles`, { metadata: { name: "asks" }, rules: [rule, approvals] });
		const binding = { metadata: { name: "asks" }, roleRef: role("asks"), subjects: [ann] };
		expect((await people.admin("POST", `${rbac}/clusterrolebindings`, binding)).status).toBe(201);
		await expect.poll(async () => (await people.ann("GET", path)).status, { timeout: 10_000 }).toBe(200);
		const client = "kubernetes.io/kube-apiserver-client";
		expectForbidden(
			await people.ann("POST", path, await request("m", masters, client)),
			"use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed",
		);
		expect((await people.ann("POST", path, await request("n", "CN=kubernetes-admin", client))).status).toBe(201);
		const condition = { type: "Approved", status: "True", reason: "x", message: "x" };
		const approved = { status: { conditions: [condition] } };
		expectForbidden(
			await people.ann("PATCH", `${path}/n/approval`, approved, merge),
			`user not permitted to approve requests with signerName "${client}"`,
		);
		const signed = { status: { certificate: Buffer.from("x").toString("base64") } };
		expect([403, 422]).toContain((await people.ann("PATCH", `${path}/n/status`, signed, merge)).status);
		const failed = { status: { conditions: [{ ...condition, type: "Failed" }] } };
		expectForbidden(
			await people.ann("PATCH", `${path}/n/status`, failed, merge),
			"user not permitted to sign requests",
		);
		const { body } = await people.admin("GET", `${path}/n`);
		expect(body.status).toEqual({});
	});
});
