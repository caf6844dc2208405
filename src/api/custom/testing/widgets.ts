/** An API server with widgets, custom objects of several versions. */
import { expect } from "vitest";
import { closers } from "../../testing/clients.ts";
import { type TestApi, type TestOptions, testApi } from "../../testing/test-api.ts";
import { type definition, definitionsPath } from "./definitions.ts";

/** Webhooks are other servers. */
export const patient = { timeout: 20_000, interval: 5 };

/** The path of its objects in a version. */
export const at = (name: string) => `/apis/example.com/${name}/namespaces/default/widgets`;
export const widget = (apiVersion: string, name: string, more: object = {}) => ({
	apiVersion: `example.com/${apiVersion}`,
	kind: "Widget",
	metadata: { name },
	...more,
});

/** Served once their definition is. */
export async function serveWidgets(body: ReturnType<typeof definition>, options: TestOptions = {}): Promise<TestApi> {
	const api = await testApi({ onError: (what, error) => console.error(what, error), ...options });
	closers.push(() => api.close());
	const created = await api.ask("POST", definitionsPath, body);
	expect(created.status, created.object.message).toBe(201);
	await expect.poll(async () => (await api.ask("GET", at("v1"))).status, patient).toBe(200);
	return api;
}

export const schema = (properties: object) => ({ openAPIV3Schema: { type: "object", properties } as object });
export const integer = { type: "integer" };
