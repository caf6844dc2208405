import { expect, test } from "vitest";
import type { User } from "../../core/exchange.ts";
import { type Json, testApi } from "../testing/test-api.ts";

const rbac = "/apis/rbac.authorization.k8s.io/v1";
const ann: User = { name: "ann", groups: ["dev", "system:authenticated"] };
const held =
	'user "ann" (groups=["dev" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n';
const core = (resources: string[], verbs: string[], resourceNames?: string[]) => ({
	apiGroups: [""],
	resources,
	verbs,
	...(resourceNames && { resourceNames }),
});
const writeRoles = {
	apiGroups: ["rbac.authorization.k8s.io"],
	resources: ["roles", "rolebindings", "clusterroles", "clusterrolebindings"],
	verbs: ["create", "update", "patch", "get", "delete"],
};

/** @param rules what ann may besides writing roles, everywhere */
async function fixture(...rules: Json[]) {
	const api = await testApi({ roles: "bootstrap", namespaces: ["default", "lab"] });
	await api.ask("POST", `${rbac}/clusterroles`, { metadata: { name: "own" }, rules: [writeRoles, ...rules] });
	await api.ask("POST", `${rbac}/clusterrolebindings`, {
		metadata: { name: "own" },
		roleRef: { kind: "ClusterRole", name: "own" },
		subjects: [{ kind: "User", name: "ann" }],
	});
	const ask = async (method: "POST" | "PUT" | "PATCH", path: string, body: Json, type?: string) => {
		const { object, status } = await api.ask(method, `${rbac}/${path}`, body, { user: ann, ...(type && { type }) });
		return status < 300 ? "ok" : object.message;
	};
	return {
		api,
		ask,
		role: (name: string, roleRules: Json[], more: Json = {}) =>
			ask("POST", "clusterroles", { metadata: { name }, rules: roleRules, ...more }),
		localRole: (name: string, roleRules: Json[]) =>
			ask("POST", "namespaces/lab/roles", { metadata: { name }, rules: roleRules }),
		bind: (name: string, roleRef: Json, namespace?: string) =>
			ask("POST", namespace === undefined ? "clusterrolebindings" : `namespaces/${namespace}/rolebindings`, {
				metadata: { name },
				roleRef,
				subjects: [{ kind: "User", name: "bea" }],
			}),
	};
}

test("nobody writes a role with rights that they do not hold", async () => {
	const { role, localRole, ask } = await fixture(core(["pods", "pods/log"], ["get", "list"]), {
		nonResourceURLs: ["/logs/*"],
		verbs: ["get"],
	});
	expect(await role("a", [core(["pods"], ["list"]), { nonResourceURLs: ["/logs/x"], verbs: ["get"] }])).toBe("ok");
	expect(await role("b", [core(["pods"], ["get"], ["web"])])).toBe("ok");
	expect(await role("c", [core(["pods", "secrets"], ["list", "watch", "get"])])).toBe(
		`clusterroles.rbac.authorization.k8s.io "c" is forbidden: ${held}${[
			'{APIGroups:[""], Resources:["pods"], Verbs:["watch"]}',
			'{APIGroups:[""], Resources:["secrets"], Verbs:["list" "watch" "get"]}',
		].join("\n")}`,
	);
	expect(await role("d", [{ nonResourceURLs: ["/metrics"], verbs: ["get"] }])).toContain(
		'{NonResourceURLs:["/metrics"], Verbs:["get"]}',
	);
	expect(await localRole("e", [core(["secrets"], ["get"], ["one"])])).toBe(
		`roles.rbac.authorization.k8s.io "e" is forbidden: ${held}{APIGroups:[""], Resources:["secrets"], ResourceNames:["one"], Verbs:["get"]}`,
	);
	const rules = [core(["*"], ["*"])];
	expect(await ask("PUT", "clusterroles/a", { metadata: { name: "a" }, rules })).toContain("not currently held");
	expect(await ask("PATCH", "clusterroles/a", { rules }, "application/merge-patch+json")).toContain(
		"not currently held",
	);
	const applied = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "f" }, rules };
	expect(await ask("PATCH", "clusterroles/f?fieldManager=t", applied, "application/apply-patch+yaml")).toContain(
		"not currently held",
	);
});

test("a role that is deleted is let go of by those who do not hold its rights", async () => {
	const { api, ask } = await fixture();
	const rules = [core(["secrets"], ["get"])];
	const metadata = { name: "going", finalizers: ["example.com/held"] };
	await api.ask("POST", `${rbac}/clusterroles`, { metadata, rules });
	await api.ask("DELETE", `${rbac}/clusterroles/going`);
	const patch = "application/merge-patch+json";
	const relabelled = { metadata: { labels: { a: "b" } } };
	expect(await ask("PATCH", "clusterroles/going", relabelled, patch)).toContain("not currently held");
	expect(await ask("PATCH", "clusterroles/going", { metadata: { finalizers: null } }, patch)).toBe("ok");
	expect((await api.ask("GET", `${rbac}/clusterroles/going`)).status).toBe(404);
});

test("nobody binds a role whose rights they do not hold", async () => {
	const { api, bind, ask } = await fixture(core(["pods"], ["get"]));
	await api.ask("POST", `${rbac}/clusterroles`, { metadata: { name: "pods" }, rules: [core(["pods"], ["get"])] });
	await api.ask("POST", `${rbac}/namespaces/lab/roles`, {
		metadata: { name: "secrets" },
		rules: [core(["secrets"], ["get"])],
	});
	expect(await bind("a", { kind: "ClusterRole", name: "pods" })).toBe("ok");
	expect(await bind("a", { kind: "ClusterRole", name: "pods" }, "lab")).toBe("ok");
	expect(await bind("b", { kind: "Role", name: "secrets" }, "lab")).toBe(
		`rolebindings.rbac.authorization.k8s.io "b" is forbidden: ${held}{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}`,
	);
	expect(await bind("c", { kind: "ClusterRole", name: "cluster-admin" })).toBe(
		`clusterrolebindings.rbac.authorization.k8s.io "c" is forbidden: ${held}${[
			'{APIGroups:["*"], Resources:["*"], Verbs:["*"]}',
			'{NonResourceURLs:["*"], Verbs:["*"]}',
		].join("\n")}`,
	);
	expect(await bind("d", { kind: "ClusterRole", name: "gone" })).toBe(
		'clusterrole.rbac.authorization.k8s.io "gone" not found',
	);
	// What others have bound is not theirs to give on.
	await api.ask("POST", `${rbac}/namespaces/lab/rolebindings`, {
		metadata: { name: "given" },
		roleRef: { kind: "Role", name: "secrets" },
		subjects: [],
	});
	const subjects = [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "ann" }];
	const patch = "application/merge-patch+json";
	expect(await ask("PATCH", "namespaces/lab/rolebindings/given", { subjects }, patch)).toContain("not currently held");
});

test("the verbs escalate and bind stand for the rights themselves", async () => {
	const names = { apiGroups: ["rbac.authorization.k8s.io"] };
	const { role, localRole, bind } = await fixture(
		{ ...names, resources: ["roles"], verbs: ["escalate"] },
		{ ...names, resources: ["clusterroles"], verbs: ["bind"], resourceNames: ["view", "cluster-admin"] },
	);
	expect(await localRole("a", [core(["*"], ["*"])])).toBe("ok");
	expect(await role("a", [core(["*"], ["*"])])).toContain("not currently held");
	expect(await bind("a", { kind: "ClusterRole", name: "cluster-admin" }, "lab")).toBe("ok");
	expect(await bind("c", { kind: "Role", name: "a" }, "lab")).toContain("not currently held");
});

test("only who may do everything writes a role that gathers others", async () => {
	const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] };
	const some = await fixture(core(["*"], ["*"]));
	expect(await some.role("a", [], { aggregationRule })).toBe(
		'clusterroles.rbac.authorization.k8s.io "a" is forbidden: must have cluster-admin privileges to use an aggregationRule',
	);
	const all = await fixture(
		{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] },
		{ nonResourceURLs: ["*"], verbs: ["*"] },
	);
	expect(await all.role("a", [], { aggregationRule })).toBe("ok");
});

test("a role of more rights than can be looked at one by one is refused, and its cost is bounded", async () => {
	const { localRole } = await fixture(core(["pods"], ["get"]));
	const many = (prefix: string) => Array.from({ length: 500 }, (_, index) => `${prefix}${index}`);
	const rule = { apiGroups: many("g"), resources: many("r"), verbs: many("v"), resourceNames: many("n") };
	expect(await localRole("a", [rule])).toContain("not currently held");
});
