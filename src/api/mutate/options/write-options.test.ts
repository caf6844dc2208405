import { expect, test } from "vitest";
import { testApi } from "../../testing/test-api.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const configMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };

test.each([
	[
		"POST",
		"dryRun=Some",
		'CreateOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"',
	],
	["POST", `fieldManager=${"m".repeat(129)}`, "fieldManager: Too long: may not be more than 128 bytes"],
	["POST", "fieldManager=a%0Ab", "fieldManager: Invalid value"],
	[
		"PUT",
		"fieldValidation=Wrong",
		'UpdateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Wrong"',
	],
	[
		"PATCH",
		"force=true",
		'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
	],
	["DELETE", "dryRun=Some", 'DeleteOptions.meta.k8s.io "" is invalid: dryRun: Unsupported value'],
] as const)("%s with %s is refused", async (method, query, message) => {
	const api = await testApi();
	const path = method === "POST" ? configMaps : `${configMaps}/a`;
	if (method !== "POST") await api.ask("POST", configMaps, configMap);
	const type = method === "PATCH" ? { type: "application/merge-patch+json" } : {};
	const answer = await api.ask(method, `${path}?${query}`, method === "DELETE" ? undefined : configMap, type);
	expect(answer.object).toMatchObject({ code: 422, reason: "Invalid" });
	expect(answer.object.message).toContain(message);
});

test("apply without a manager is refused", async () => {
	const api = await testApi();
	const answer = await api.ask("PATCH", `${configMaps}/a`, configMap, { type: "application/apply-patch+yaml" });
	expect(answer.object.message).toBe(
		'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
	);
});

test("what a dry run creates has no resourceVersion", async () => {
	const api = await testApi();
	const answer = await api.ask("POST", `${configMaps}?dryRun=All`, configMap);
	expect(answer.status).toBe(201);
	expect(answer.sent().metadata.uid).toBeTruthy();
	expect(answer.sent().metadata.resourceVersion).toBeUndefined();
});

test.each([
	["sendInitialEvents=true", ["sendInitialEvents"]],
	["resourceVersionMatch=Exact", ["resourceVersionMatch"]],
	[
		"resourceVersionMatch=Wrong&resourceVersion=1&sendInitialEvents=false",
		["resourceVersionMatch", "sendInitialEvents"],
	],
	["watch=1&sendInitialEvents=true", ["resourceVersionMatch"]],
	["watch=1&resourceVersionMatch=Exact", ["resourceVersionMatch", "resourceVersionMatch"]],
])("a list with %s is refused", async (query, fields) => {
	const api = await testApi();
	const answer = await api.ask("GET", `${configMaps}?${query}`);
	expect(answer.object).toMatchObject({ code: 422, details: { kind: "ListOptions" } });
	expect(answer.object.details.causes.map(({ field }: { field: string }) => field)).toEqual(fields);
});
