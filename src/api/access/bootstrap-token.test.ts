import { expect, test } from "vitest";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { type Json, testApi } from "../testing/test-api.ts";

const secrets = "/api/v1/namespaces/kube-system/secrets";

async function fixture() {
	const clock = new VirtualClock();
	const api = await testApi({ clock, namespaces: ["default", "kube-system"] });
	const add = async (id: string, stringData: Json = {}, more: Json = {}) => {
		const { status } = await api.ask("POST", more.path ?? secrets, {
			metadata: { name: more.name ?? `bootstrap-token-${id}` },
			type: more.type ?? "bootstrap.kubernetes.io/token",
			stringData: {
				"token-id": id,
				"token-secret": "0123456789abcdef",
				"usage-bootstrap-authentication": "true",
				...stringData,
			},
		});
		expect(status).toBe(201);
	};
	const whoAmI = async (token: string) => {
		const headers = { authorization: `Bearer ${token}` };
		const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
		const { object } = await api.ask("POST", path, {}, { user: undefined, headers });
		return object.status?.userInfo ?? object.code;
	};
	return { api, clock, add, whoAmI };
}

test("a bootstrap token stands for its own user, in the groups that its Secret names", async () => {
	const { add, whoAmI } = await fixture();
	await add("abcdef");
	expect(await whoAmI("abcdef.0123456789abcdef")).toEqual({
		username: "system:bootstrap:abcdef",
		groups: ["system:bootstrappers", "system:authenticated"],
	});
	await add("abcde1", {
		"auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token, system:bootstrappers:x",
	});
	expect((await whoAmI("abcde1.0123456789abcdef")).groups).toEqual([
		"system:bootstrappers",
		"system:bootstrappers:kubeadm:default-node-token",
		"system:bootstrappers:x",
		"system:authenticated",
	]);
});

test("a bootstrap token holds until it expires or its Secret is gone", async () => {
	const { api, clock, add, whoAmI } = await fixture();
	await add("abcdef", { expiration: "2026-01-01T01:00:00Z" });
	const token = "abcdef.0123456789abcdef";
	expect(await whoAmI(token)).toMatchObject({ username: "system:bootstrap:abcdef" });
	await clock.advance(3_600_000);
	expect(await whoAmI(token)).toBe(401);
	await add("abcde1");
	await api.ask("DELETE", `${secrets}/bootstrap-token-abcde1`);
	expect(await whoAmI("abcde1.0123456789abcdef")).toBe(401);
});

test("other Secrets, other secrets and groups beyond bootstrapping make no token", async () => {
	const { add, whoAmI } = await fixture();
	const refused: Record<string, [Json?, Json?]> = {
		aaaaa1: [{ "token-secret": "fedcba9876543210" }],
		aaaaa2: [{ "token-id": "aaaaa1" }],
		aaaaa3: [{ "usage-bootstrap-authentication": "false" }],
		aaaaa4: [{ "usage-bootstrap-authentication": "" }],
		aaaaa5: [{ "auth-extra-groups": "system:masters" }],
		aaaaa6: [{ expiration: "tomorrow" }],
		aaaaa7: [{}, { type: "Opaque" }],
		aaaaa8: [{}, { path: "/api/v1/namespaces/default/secrets" }],
		aaaaa9: [{}, { name: "another-name" }],
	};
	for (const [id, [data, more]] of Object.entries(refused)) {
		await add(id, data, more);
		expect([id, await whoAmI(`${id}.0123456789abcdef`)]).toEqual([id, 401]);
	}
	for (const token of [
		"abcdef",
		"abcdef.",
		"abcdef.0123456789abcde",
		"ABCDEF.0123456789abcdef",
		"abcdef.0123456789abcdef.x",
	])
		expect(await whoAmI(token)).toBe(401);
});
