import { expect, test } from "vitest";
import { testApi } from "../testing/test-api.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const configMap = (name: string, data: Record<string, string> = {}, metadata: object = {}) => ({
	apiVersion: "v1",
	kind: "ConfigMap",
	metadata: { name, ...metadata },
	data,
});

test("create fills in what the server decides", async () => {
	const api = await testApi();
	const { status, object, sent } = await api.ask("POST", configMaps, configMap("a", { x: "1" }));
	expect(status).toBe(201);
	expect(object.metadata).toMatchObject({ name: "a", namespace: "default" });
	expect(object.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
	expect(object.metadata.resourceVersion).toMatch(/^\d+$/);
	expect(object.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
	expect(Object.isFrozen(object.data)).toBe(true);
	expect(sent()).toEqual(object);
	expect((await api.ask("GET", `${configMaps}/a`)).object).toBe(object);
});

test("create refuses a name that exists and makes up one from generateName", async () => {
	const api = await testApi();
	await api.ask("POST", configMaps, configMap("a"));
	const again = await api.ask("POST", configMaps, configMap("a"));
	expect(again.object).toMatchObject({
		status: "Failure",
		reason: "AlreadyExists",
		message: 'configmaps "a" already exists',
		code: 409,
	});
	const made = await api.ask("POST", configMaps, configMap("", {}, { generateName: "a-" }));
	expect(made.object.metadata.name).toMatch(/^a-[a-z0-9]{5}$/);
});

test("update needs the current resourceVersion, and changes nothing when nothing changes", async () => {
	const api = await testApi();
	const { object } = await api.ask("POST", configMaps, configMap("a", { x: "1" }));
	const second = await api.ask("PUT", `${configMaps}/a`, { ...object, data: { x: "2" } });
	expect(second.object.data).toEqual({ x: "2" });
	expect(Number(second.object.metadata.resourceVersion)).toBeGreaterThan(Number(object.metadata.resourceVersion));
	const stale = await api.ask("PUT", `${configMaps}/a`, { ...object, data: { x: "3" } });
	expect(stale.object).toMatchObject({ reason: "Conflict", code: 409 });
	expect(stale.object.message).toContain("the object has been modified");
	const same = await api.ask("PUT", `${configMaps}/a`, second.object);
	expect(same.object).toBe(second.object);
	const unconditional = await api.ask("PUT", `${configMaps}/a`, configMap("a", { x: "4" }));
	expect(unconditional.object.data).toEqual({ x: "4" });
});

test("delete answers with a Status, and then the object is gone", async () => {
	const api = await testApi();
	const { object } = await api.ask("POST", configMaps, configMap("a"));
	const deleted = await api.ask("DELETE", `${configMaps}/a`);
	expect(deleted.object).toMatchObject({
		kind: "Status",
		status: "Success",
		details: { name: "a", kind: "configmaps", uid: object.metadata.uid },
	});
	expect((await api.ask("GET", `${configMaps}/a`)).object.message).toBe('configmaps "a" not found');
});

test("finalizers hold a deleted object until the last one is gone", async () => {
	const api = await testApi();
	await api.ask("POST", configMaps, configMap("a", {}, { finalizers: ["example.com/hold"] }));
	const held = await api.ask("DELETE", `${configMaps}/a`);
	expect(held.object.metadata).toMatchObject({ deletionGracePeriodSeconds: 0, finalizers: ["example.com/hold"] });
	const freed = await api.ask(
		"PATCH",
		`${configMaps}/a`,
		{ metadata: { finalizers: null } },
		{ type: "application/merge-patch+json" },
	);
	expect(freed.status).toBe(200);
	expect((await api.ask("GET", `${configMaps}/a`)).status).toBe(404);
});

test("watch tells of changes from a resourceVersion on", async () => {
	const api = await testApi();
	const list = await api.ask("GET", configMaps);
	await api.ask("POST", configMaps, configMap("a", { x: "1" }));
	const { events } = await api.watch(
		`${configMaps}?watch=true&resourceVersion=${list.object.metadata.resourceVersion}`,
	);
	await api.ask("PUT", `${configMaps}/a`, configMap("a", { x: "2" }));
	await api.ask("DELETE", `${configMaps}/a`);
	expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([
		["ADDED", "a"],
		["MODIFIED", "a"],
		["DELETED", "a"],
	]);
	expect(JSON.parse(Buffer.from(events[1]?.bytes ?? []).toString())).toEqual(events[1]?.object);
});
