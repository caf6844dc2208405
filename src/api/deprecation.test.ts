import { expect, test } from "vitest";
import { testApi } from "./testing/test-api.ts";

test("a kind that is deprecated as a whole says so on reads, too", async () => {
	const api = await testApi();
	const warned = async (method: "GET" | "DELETE", path: string) =>
		(await api.ask(method, `/api/v1/namespaces/default/${path}`)).headers["warning"];
	const text = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"';
	expect(await warned("GET", "endpoints")).toBe(text);
	expect(await warned("DELETE", "endpoints")).toBe(text);
	expect(await warned("GET", "services")).toBeUndefined();
	await api.close();
});

test("creates of objects that have no effect in this cluster cause a warning", async () => {
	const why = "NetworkPolicies have no effect";
	const own = await testApi({ withoutEffect: { "networkpolicies.networking.k8s.io": why } });
	const policies = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies";
	const policy = { metadata: { name: "closed" }, spec: { podSelector: {} } };
	expect((await own.ask("POST", policies, policy)).headers["warning"]).toBe(`299 - "${why}"`);
	expect((await own.ask("PUT", `${policies}/closed`, policy)).headers).not.toHaveProperty("warning");
	await own.close();
});
