import { expect, test } from "vitest";
import type { User } from "../../../core/exchange.ts";
import type { PolicyRule } from "../../../kinds/generated/types.ts";
import { type Json, testApi } from "../../testing/test-api.ts";

const rbac = "/apis/rbac.authorization.k8s.io/v1";
const ann: User = { name: "ann", groups: ["dev", "system:authenticated"] };

async function fixture() {
	const api = await testApi({ roles: "bootstrap", namespaces: ["default", "lab"] });
	const post = async (path: string, body: Json) => {
		const { status, object } = await api.ask("POST", `${rbac}/${path}`, body);
		expect(object.message ?? "").toBe("");
		expect(status).toBe(201);
	};
	return {
		api,
		async role(name: string, rules: PolicyRule[], namespace?: string) {
			await (namespace === undefined
				? post("clusterroles", { metadata: { name }, rules })
				: post(`namespaces/${namespace}/roles`, { metadata: { name }, rules }));
		},
		async bind(name: string, roleRef: Json, subjects: Json[], namespace?: string) {
			const path = namespace === undefined ? "clusterrolebindings" : `namespaces/${namespace}/rolebindings`;
			await post(path, { metadata: { name }, roleRef, subjects });
		},
		/** The status of a SubjectAccessReview. */
		async may(user: User, attributes: Json) {
			const { object } = await api.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
				spec: {
					user: user.name,
					groups: user.groups,
					...("path" in attributes ? { nonResourceAttributes: attributes } : { resourceAttributes: attributes }),
				},
			});
			return object.status;
		},
	};
}

const clusterRole = (name: string) => ({ kind: "ClusterRole", name });
const readPods = { apiGroups: [""], resources: ["pods"], verbs: ["get", "list"] };

test("a role holds where it is bound: for users, groups and service accounts, in one namespace or in all", async () => {
	const { role, bind, may } = await fixture();
	await role("reader", [readPods]);
	await role("local", [{ apiGroups: [""], resources: ["secrets"], verbs: ["get"] }], "lab");
	await bind("everywhere", clusterRole("reader"), [{ kind: "Group", name: "dev" }]);
	await bind("here", clusterRole("reader"), [{ kind: "User", name: "bea" }], "lab");
	await bind("own", { kind: "Role", name: "local" }, [{ kind: "ServiceAccount", name: "bot" }], "lab");
	const list = { verb: "list", resource: "pods", namespace: "default" };
	expect(await may(ann, list)).toEqual({
		allowed: true,
		reason: 'RBAC: allowed by ClusterRoleBinding "everywhere" of ClusterRole "reader" to Group "dev"',
	});
	expect(await may(ann, { ...list, namespace: "" })).toMatchObject({ allowed: true });
	const bea = { name: "bea", groups: [] };
	expect(await may(bea, list)).toEqual({ allowed: false });
	expect(await may(bea, { ...list, namespace: "" })).toEqual({ allowed: false });
	expect(await may(bea, { ...list, namespace: "lab" })).toEqual({
		allowed: true,
		reason: 'RBAC: allowed by RoleBinding "here/lab" of ClusterRole "reader" to User "bea"',
	});
	const bot = { name: "system:serviceaccount:lab:bot", groups: [] };
	expect(await may(bot, { verb: "get", resource: "secrets", namespace: "lab" })).toEqual({
		allowed: true,
		reason: 'RBAC: allowed by RoleBinding "own/lab" of Role "local" to ServiceAccount "bot/lab"',
	});
	expect(await may(bot, { verb: "get", resource: "secrets", namespace: "default" })).toEqual({ allowed: false });
});

test.each<[PolicyRule, Json, boolean]>([
	[readPods, { verb: "get", resource: "pods" }, true],
	[readPods, { verb: "watch", resource: "pods" }, false],
	[readPods, { verb: "get", resource: "pods", subresource: "log" }, false],
	[readPods, { verb: "get", resource: "pods", group: "metrics.k8s.io" }, false],
	[{ ...readPods, resources: ["pods/log"] }, { verb: "get", resource: "pods", subresource: "log" }, true],
	[{ ...readPods, resources: ["pods/log"] }, { verb: "get", resource: "pods" }, false],
	[{ ...readPods, resources: ["pods/*"] }, { verb: "get", resource: "pods", subresource: "log" }, false],
	[{ ...readPods, resources: ["*/log"] }, { verb: "get", resource: "pods", subresource: "log" }, true],
	[{ ...readPods, resources: ["*/log"] }, { verb: "get", resource: "pods" }, false],
	[{ ...readPods, resources: ["*"] }, { verb: "get", resource: "pods", subresource: "log" }, true],
	[{ ...readPods, apiGroups: ["*"] }, { verb: "get", resource: "pods", group: "metrics.k8s.io" }, true],
	[{ ...readPods, verbs: ["*"] }, { verb: "impersonate", resource: "pods" }, true],
	[{ ...readPods, resourceNames: ["a"] }, { verb: "get", resource: "pods", name: "a" }, true],
	[{ ...readPods, resourceNames: ["a"] }, { verb: "get", resource: "pods", name: "b" }, false],
	[{ ...readPods, resourceNames: ["a"] }, { verb: "list", resource: "pods" }, false],
	[{ nonResourceURLs: ["/logs"], verbs: ["get"] }, { verb: "get", path: "/logs" }, true],
	[{ nonResourceURLs: ["/logs"], verbs: ["get"] }, { verb: "get", path: "/logs/a" }, false],
	[{ nonResourceURLs: ["/logs"], verbs: ["get"] }, { verb: "post", path: "/logs" }, false],
	[{ nonResourceURLs: ["/logs/*"], verbs: ["get"] }, { verb: "get", path: "/logs/a/b" }, true],
	[{ nonResourceURLs: ["/logs/*"], verbs: ["get"] }, { verb: "get", path: "/logs" }, false],
	[{ nonResourceURLs: ["*"], verbs: ["*"] }, { verb: "put", path: "/x" }, true],
])("%j asked for %j: %j", async (rule, attributes, allowed) => {
	const { role, bind, may } = await fixture();
	await role("tried", [rule]);
	await bind("tried", clusterRole("tried"), [{ kind: "User", name: "ann" }]);
	expect((await may({ name: "ann", groups: [] }, attributes)).allowed).toBe(allowed);
});

test("changes of roles and bindings hold at once, and a role that does not exist is named in the refusal", async () => {
	const { api, role, bind, may } = await fixture();
	const question = { verb: "get", resource: "pods", namespace: "lab" };
	await bind("early", clusterRole("reader"), [{ kind: "User", name: "ann" }]);
	await bind("early", { kind: "Role", name: "gone" }, [{ kind: "User", name: "ann" }], "lab");
	expect(await may(ann, question)).toEqual({
		allowed: false,
		reason:
			'RBAC: [clusterrole.rbac.authorization.k8s.io "reader" not found, role.rbac.authorization.k8s.io "gone" not found]',
	});
	await role("reader", [readPods]);
	expect(await may(ann, question)).toMatchObject({ allowed: true });
	await api.ask("PATCH", `${rbac}/clusterroles/reader`, { rules: [] }, { type: "application/merge-patch+json" });
	expect(await may(ann, question)).toMatchObject({ allowed: false });
	await api.ask(
		"PATCH",
		`${rbac}/clusterroles/reader`,
		{ rules: [readPods] },
		{ type: "application/merge-patch+json" },
	);
	const subjects = [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "bea" }];
	const patch = { type: "application/merge-patch+json" };
	await api.ask("PATCH", `${rbac}/clusterrolebindings/early`, { subjects }, patch);
	expect(await may(ann, question)).toMatchObject({ allowed: false });
	expect(await may({ name: "bea", groups: [] }, question)).toMatchObject({ allowed: true });
	await api.ask("DELETE", `${rbac}/clusterrolebindings/early`);
	expect(await may({ name: "bea", groups: [] }, question)).toEqual({ allowed: false });
});

test.each<[string, string, string, Json]>([
	[
		"GET",
		"/api/v1/namespaces/lab/pods",
		'pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "lab"',
		{ kind: "pods" },
	],
	[
		"GET",
		"/api/v1/namespaces/lab/pods/a/log",
		'pods "a" is forbidden: User "ann" cannot get resource "pods/log" in API group "" in the namespace "lab"',
		{ name: "a", kind: "pods" },
	],
	[
		"GET",
		"/apis/apps/v1/deployments?watch=1",
		'deployments.apps is forbidden: User "ann" cannot watch resource "deployments" in API group "apps" at the cluster scope',
		{ group: "apps", kind: "deployments" },
	],
	[
		"DELETE",
		"/api/v1/namespaces/lab/configmaps",
		'configmaps is forbidden: User "ann" cannot deletecollection resource "configmaps" in API group "" in the namespace "lab"',
		{ kind: "configmaps" },
	],
	[
		"GET",
		"/api/v1/namespaces/lab",
		'namespaces "lab" is forbidden: User "ann" cannot get resource "namespaces" in API group "" in the namespace "lab"',
		{ name: "lab", kind: "namespaces" },
	],
	[
		"GET",
		"/api/v1/nodes/n/proxy/metrics",
		'nodes "n" is forbidden: User "ann" cannot get resource "nodes/proxy" in API group "" at the cluster scope',
		{ name: "n", kind: "nodes" },
	],
	["POST", "/metrics", 'forbidden: User "ann" cannot post path "/metrics"', {}],
])("%s %s: %s", async (method, path, message, details) => {
	const { api } = await fixture();
	const { object, status } = await api.ask(method as "GET", path, undefined, { user: ann });
	expect(status).toBe(403);
	expect(object).toMatchObject({ kind: "Status", status: "Failure", reason: "Forbidden", code: 403, message });
	expect(object.details).toEqual(details);
});

test("a role for objects of some names lets a list or a watch of one of them through", async () => {
	const { api, role, bind } = await fixture();
	await role("one", [{ apiGroups: [""], resources: ["configmaps"], verbs: ["list", "watch"], resourceNames: ["a"] }]);
	await bind("one", clusterRole("one"), [{ kind: "User", name: "ann" }]);
	const ask = async (query: string) =>
		(await api.ask("GET", `/api/v1/namespaces/lab/configmaps${query}`, undefined, { user: ann })).status;
	expect(await ask("?fieldSelector=metadata.name%3Da")).toBe(200);
	expect(await ask("?fieldSelector=metadata.name%3Db")).toBe(403);
	expect(await ask("?fieldSelector=metadata.name!%3Da")).toBe(403);
	expect(await ask("")).toBe(403);
});

test("every authenticated user may ask who they are and what they may, and see what is served", async () => {
	const { api } = await fixture();
	const nobody = { name: "nobody", groups: ["system:authenticated"] };
	const status = async (method: "GET" | "POST", path: string, body?: Json, user: User | undefined = nobody) =>
		(await api.ask(method, path, body, { user })).status;
	for (const path of ["/api", "/apis", "/apis/apps/v1", "/openapi/v2", "/version", "/healthz"])
		expect([path, await status("GET", path)]).toEqual([path, 200]);
	expect(await status("GET", "/metrics")).toBe(403);
	expect(await status("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})).toBe(201);
	const spec = { resourceAttributes: { verb: "get", resource: "pods" } };
	expect(await status("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", { spec })).toBe(201);
	expect(await status("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", { spec })).toBe(403);
});

test("what a user may in a namespace is listed, each role once", async () => {
	const { api, role, bind } = await fixture();
	await role("reader", [readPods, { nonResourceURLs: ["/metrics"], verbs: ["get"] }]);
	await bind("a", clusterRole("reader"), [{ kind: "User", name: "ann" }], "lab");
	await bind("b", clusterRole("reader"), [{ kind: "Group", name: "dev" }], "lab");
	await bind("c", clusterRole("gone"), [{ kind: "Group", name: "dev" }], "lab");
	const rules = async (namespace: string) => {
		const path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
		const { object } = await api.ask("POST", path, { spec: { namespace } }, { user: ann });
		return object.status;
	};
	const elsewhere = await rules("default");
	expect(elsewhere).not.toHaveProperty("evaluationError");
	expect(elsewhere.resourceRules).toContainEqual({
		verbs: ["create"],
		apiGroups: ["authentication.k8s.io"],
		resources: ["selfsubjectreviews"],
	});
	expect(await rules("lab")).toEqual({
		resourceRules: [...elsewhere.resourceRules, readPods],
		nonResourceRules: [...elsewhere.nonResourceRules, { verbs: ["get"], nonResourceURLs: ["/metrics"] }],
		incomplete: false,
		evaluationError: 'clusterrole.rbac.authorization.k8s.io "gone" not found',
	});
});

test("an apply that makes the object takes the right to create it", async () => {
	const { api, role, bind } = await fixture();
	await role("patching", [{ apiGroups: [""], resources: ["configmaps"], verbs: ["patch"] }]);
	await bind("patching", clusterRole("patching"), [{ kind: "User", name: "ann" }]);
	const apply = async (user?: User) => {
		const config = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
		const type = "application/apply-patch+yaml";
		const path = "/api/v1/namespaces/lab/configmaps/a?fieldManager=test";
		const { status, object } = await api.ask("PATCH", path, config, { type, ...(user && { user }) });
		return object.message ?? status;
	};
	expect(await apply(ann)).toBe(
		'configmaps "a" is forbidden: User "ann" cannot create resource "configmaps" in API group "" in the namespace "lab"',
	);
	expect(await apply()).toBe(201);
	expect(await apply(ann)).toBe(200);
});

test("questions may tell selectors, which decide for nodes", async () => {
	const { may } = await fixture();
	const node = { name: "system:node:n1", groups: ["system:nodes", "system:authenticated"] };
	const list = { verb: "list", resource: "pods" };
	const requirement = (values: string[]) => ({ requirements: [{ key: "spec.nodeName", operator: "In", values }] });
	expect(await may(node, { ...list, fieldSelector: requirement(["n1"]) })).toMatchObject({ allowed: true });
	expect(await may(node, { ...list, fieldSelector: { rawSelector: "spec.nodeName=n1" } })).toMatchObject({
		allowed: true,
	});
	for (const fieldSelector of [requirement(["n2"]), requirement(["n1", "n2"]), { rawSelector: "((" }, {}])
		expect(await may(node, { ...list, fieldSelector })).toMatchObject({ allowed: false });
});
