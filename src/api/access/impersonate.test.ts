import { expect, test } from "vitest";
import { testApi } from "../testing/test-api.ts";

/** Who the server says one is. */
async function whoAmI(headers: Record<string, string>, user = { name: "root", groups: ["system:masters"] }) {
	const api = await testApi();
	const { object } = await api.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, { headers, user });
	await api.close();
	return object.status?.userInfo ?? object;
}

test("an administrator impersonates the user of the headers, with groups, uid and extra", async () => {
	expect(await whoAmI({})).toEqual({ username: "root", groups: ["system:masters"] });
	expect(await whoAmI({ "impersonate-user": "ann" })).toEqual({ username: "ann", groups: ["system:authenticated"] });
	expect(
		await whoAmI({
			"impersonate-user": "ann",
			"impersonate-group": "dev\nops,,",
			"impersonate-uid": "7",
			"impersonate-extra-scopes": "view\nedit",
			"impersonate-extra-example.com%2fproject": "x",
		}),
	).toEqual({
		username: "ann",
		groups: ["dev", "ops,,", "system:authenticated"],
		uid: "7",
		extra: { scopes: ["view", "edit"], "example.com/project": ["x"] },
	});
});

test("a user's name is the first of several, and every key of the extra is looked at", async () => {
	expect(await whoAmI({ "impersonate-user": "ann\nroot", "impersonate-uid": "7\n8" })).toMatchObject({
		username: "ann",
		uid: "7",
	});
	const mayImpersonateUsers = await testApi({ roles: "bootstrap" });
	const rbac = "/apis/rbac.authorization.k8s.io/v1";
	const rules = [{ verbs: ["impersonate"], apiGroups: [""], resources: ["users"] }];
	await mayImpersonateUsers.ask("POST", `${rbac}/clusterroles`, { metadata: { name: "i" }, rules });
	const roleRef = { kind: "ClusterRole", name: "i" };
	const subjects = [{ kind: "User", name: "bea" }];
	await mayImpersonateUsers.ask("POST", `${rbac}/clusterrolebindings`, { metadata: { name: "i" }, roleRef, subjects });
	const { status } = await mayImpersonateUsers.ask("GET", "/api", undefined, {
		user: { name: "bea", groups: ["system:authenticated"] },
		headers: { "impersonate-user": "ann", "impersonate-extra-__proto__": "x" },
	});
	expect(status).toBe(403);
	await mayImpersonateUsers.close();
});

test("service accounts and the unknown have the groups that they always have", async () => {
	expect((await whoAmI({ "impersonate-user": "system:serviceaccount:a:b" })).groups).toEqual([
		"system:serviceaccounts",
		"system:serviceaccounts:a",
		"system:authenticated",
	]);
	const anonymous = { "impersonate-user": "system:anonymous" };
	expect(await whoAmI(anonymous)).toMatchObject({ code: 403 });
	const unknown = { "impersonate-user": "ann", "impersonate-group": "system:unauthenticated" };
	expect(await whoAmI(unknown)).toMatchObject({ code: 403 });
});

test("nobody is a group without a user", async () => {
	for (const header of ["impersonate-group", "impersonate-uid", "impersonate-extra-x"])
		expect(await whoAmI({ [header]: "x" })).toMatchObject({ code: 500 });
});

test("every part of the impersonated user must be allowed", async () => {
	const api = await testApi({ roles: "bootstrap" });
	const rbac = "/apis/rbac.authorization.k8s.io/v1";
	const bea = { name: "bea", groups: ["system:authenticated"] };
	const core = (resources: string, resourceNames: string[]) => ({
		verbs: ["impersonate"],
		apiGroups: [""],
		resources: [resources],
		resourceNames,
	});
	const authentication = (resources: string, resourceNames: string[]) => ({
		...core(resources, resourceNames),
		apiGroups: ["authentication.k8s.io"],
	});
	const rules = [
		core("users", ["ann"]),
		core("groups", ["dev"]),
		authentication("uids", ["7"]),
		authentication("userextras/scopes", ["view"]),
	];
	await api.ask("POST", `${rbac}/clusterroles`, { metadata: { name: "acting" }, rules });
	await api.ask("POST", `${rbac}/clusterrolebindings`, {
		metadata: { name: "acting" },
		roleRef: { kind: "ClusterRole", name: "acting" },
		subjects: [{ kind: "User", name: "bea" }],
	});
	const accounts = { metadata: { name: "accounts" }, rules: [core("serviceaccounts", ["b"])] };
	await api.ask("POST", `${rbac}/namespaces/default/roles`, accounts);
	await api.ask("POST", `${rbac}/namespaces/default/rolebindings`, {
		metadata: { name: "accounts" },
		roleRef: { kind: "Role", name: "accounts" },
		subjects: [{ kind: "User", name: "bea" }],
	});
	const act = async (headers: Record<string, string>) => {
		const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
		const { object } = await api.ask("POST", path, {}, { user: bea, headers });
		return object.status?.userInfo ?? object.message;
	};
	const all = {
		"impersonate-user": "ann",
		"impersonate-group": "dev",
		"impersonate-uid": "7",
		"impersonate-extra-scopes": "view",
	};
	const refused = (what: string, resource: string, group: string, place = "at the cluster scope") =>
		`${what} is forbidden: User "bea" cannot impersonate resource "${resource}" in API group "${group}" ${place}`;
	expect(await act(all)).toMatchObject({ username: "ann", uid: "7", extra: { scopes: ["view"] } });
	expect(await act({ ...all, "impersonate-user": "eve" })).toBe(refused('users "eve"', "users", ""));
	expect(await act({ ...all, "impersonate-group": "dev\nsystem:masters" })).toBe(
		refused('groups "system:masters"', "groups", ""),
	);
	expect(await act({ ...all, "impersonate-uid": "8" })).toBe(
		refused('uids.authentication.k8s.io "8"', "uids", "authentication.k8s.io"),
	);
	expect(await act({ ...all, "impersonate-extra-scopes": "view\nedit" })).toBe(
		refused('userextras.authentication.k8s.io "edit"', "userextras/scopes", "authentication.k8s.io"),
	);
	expect(await act({ "impersonate-user": "system:serviceaccount:default:b" })).toMatchObject({
		groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
	});
	expect(await act({ "impersonate-user": "system:serviceaccount:kube-system:b" })).toBe(
		refused('serviceaccounts "b"', "serviceaccounts", "", 'in the namespace "kube-system"'),
	);
});
