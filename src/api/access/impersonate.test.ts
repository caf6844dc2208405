import { expect, test } from "vitest";
import { testApi } from "../testing.ts";

/** Who the server says one is. */
async function whoAmI(headers: Record<string, string>, user = { name: "root", groups: ["system:masters"] }) {
	const api = await testApi();
	const { object } = await api.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {}, { headers, user });
	await api.close();
	return object.status?.userInfo ?? object;
}

test("an administrator acts as whom the headers name, with groups, uid and extra", async () => {
	expect(await whoAmI({})).toEqual({ username: "root", groups: ["system:masters"] });
	expect(await whoAmI({ "impersonate-user": "ann" })).toEqual({ username: "ann", groups: ["system:authenticated"] });
	expect(
		await whoAmI({
			"impersonate-user": "ann",
			"impersonate-group": "dev, ops",
			"impersonate-uid": "7",
			"impersonate-extra-scopes": "view, edit",
			"impersonate-extra-example.com%2fproject": "x",
		}),
	).toEqual({
		username: "ann",
		groups: ["dev", "ops", "system:authenticated"],
		uid: "7",
		extra: { scopes: ["view", "edit"], "example.com/project": ["x"] },
	});
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

test("others may not, and nobody is a group without a user", async () => {
	const bea = { name: "bea", groups: ["system:authenticated"] };
	expect(await whoAmI({ "impersonate-user": "ann" }, bea)).toMatchObject({
		code: 403,
		message:
			'users "ann" is forbidden: User "bea" cannot impersonate resource "users" in API group "" at the cluster scope',
	});
	expect((await whoAmI({ "impersonate-user": "system:serviceaccount:a:b" }, bea)).message).toBe(
		'serviceaccounts "b" is forbidden: User "bea" cannot impersonate resource "serviceaccounts" in API group "" in the namespace "a"',
	);
	for (const header of ["impersonate-group", "impersonate-uid", "impersonate-extra-x"])
		expect(await whoAmI({ [header]: "x" })).toMatchObject({ code: 500 });
});
