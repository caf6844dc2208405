/** Admission of objects that have several versions: webhooks and policies see the version that they name. */
import { afterEach, expect, test } from "vitest";
import type { InProcessWebhook } from "../server/admission-review.ts";
import { closeAll } from "../testing/clients.ts";
import type { Json } from "../testing/test-api.ts";
import { hook } from "./testing/conversion-hook.ts";
import { definition } from "./testing/definitions.ts";
import { at, serveWidgets, widget } from "./testing/widgets.ts";

afterEach(closeAll);

const onVersion = (name: string) => ({
	operations: ["CREATE", "UPDATE"],
	apiGroups: ["example.com"],
	apiVersions: [name],
	resources: ["widgets"],
});

test("webhooks see objects in the version that their rules name", async () => {
	const made = await hook();
	const seen: Json[] = [];
	const checked: Json[] = [];
	const webhooks: InProcessWebhook[] = [
		{
			name: "double",
			type: "mutating",
			rules: [onVersion("v2")],
			handle(request) {
				seen.push(request);
				return { patch: [{ op: "replace", path: "/width", value: (request.object as Json).width * 2 }] };
			},
		},
		{
			name: "check",
			type: "validating",
			rules: [onVersion("v1")],
			handle({ object, oldObject, kind, requestKind }) {
				const sizes = [object, oldObject].map((one) => (one as Json)?.size);
				checked.push([requestKind.version, kind.version, ...sizes]);
				return undefined;
			},
		},
		{
			name: "exact",
			type: "validating",
			rules: [onVersion("v2")],
			matchPolicy: "Exact",
			handle: ({ operation }) => ({ allowed: operation === "UPDATE" }),
		},
	];
	const api = await serveWidgets(definition(made.spec), { webhooks });
	const created = await api.ask("POST", at("v1"), widget("v1", "one", { size: 3 }));
	expect(created.object).toMatchObject({ apiVersion: "example.com/v1", size: 6 });
	expect(created.object.width).toBeUndefined();
	expect(seen[0]).toMatchObject({
		kind: { version: "v2" },
		resource: { version: "v2" },
		requestKind: { version: "v1" },
		requestResource: { version: "v1" },
		object: { apiVersion: "example.com/v2", width: 3 },
		oldObject: null,
	});
	const { metadata } = created.object;
	const updated = await api.ask("PUT", `${at("v2")}/one`, widget("v2", "one", { metadata, width: 4 }));
	expect(updated.object).toMatchObject({ apiVersion: "example.com/v2", width: 8 });
	expect(seen[1]).toMatchObject({ requestKind: { version: "v2" }, object: { width: 4 }, oldObject: { width: 6 } });
	expect(checked).toEqual([
		["v1", "v1", 6, undefined],
		["v2", "v1", 8, 6],
	]);
	expect((await api.ask("GET", `${at("v1")}/one`)).object.size).toBe(8);
	made.convert = () => ({});
	const failed = await api.ask("POST", at("v1"), widget("v1", "two", { size: 3 }));
	expect([failed.status, failed.object.message]).toEqual([
		500,
		expect.stringMatching(/^Internal error occurred: conv/),
	]);
});

test("policies see objects in the version that their rules name", async () => {
	const made = await hook();
	const api = await serveWidgets(definition(made.spec));
	const add = async (type: string, spec: object, binding: object) => {
		const group = "/apis/admissionregistration.k8s.io/v1";
		const matchConstraints = { resourceRules: [onVersion("v2")] };
		const policy = { metadata: { name: "p" }, spec: { matchConstraints, ...spec } };
		expect((await api.ask("POST", `${group}/${type}policies`, policy)).status).toBe(201);
		const bound = { metadata: { name: "p" }, spec: { policyName: "p", ...binding } };
		expect((await api.ask("POST", `${group}/${type}policybindings`, bound)).status).toBe(201);
	};
	const expression = "[JSONPatch{ op: 'replace', path: '/width', value: object.width + 1 }]";
	const mutations = [1, 2].map(() => ({ patchType: "JSONPatch", jsonPatch: { expression } }));
	await add("mutatingadmission", { reinvocationPolicy: "Never", mutations }, {});
	const validations = [{ expression: "object.width < 10", messageExpression: "'width is ' + string(object.width)" }];
	await add("validatingadmission", { validations }, { validationActions: ["Deny"] });
	const ask = (size: number) => api.ask("POST", at("v1"), widget("v1", `w${size}`, { size }));
	expect((await ask(3)).object).toMatchObject({ apiVersion: "example.com/v1", size: 5 });
	expect((await ask(8)).object.message).toContain("width is 10");
});

test("parameters of policies are in the version that the policy names", async () => {
	const made = await hook();
	const api = await serveWidgets(definition(made.spec));
	await api.ask("POST", at("v1"), widget("v1", "limit", { size: 3 }));
	const group = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic";
	const rule = { operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] };
	const policy = {
		paramKind: { apiVersion: "example.com/v2", kind: "Widget" },
		matchConstraints: { resourceRules: [rule] },
		validations: [{ expression: "size(object.data) <= params.width", message: "too much" }],
	};
	const paramRef = { name: "limit", namespace: "default", parameterNotFoundAction: "Deny" };
	const binding = { policyName: "p", paramRef, validationActions: ["Deny"] };
	expect((await api.ask("POST", `${group}ies`, { metadata: { name: "p" }, spec: policy })).status).toBe(201);
	expect((await api.ask("POST", `${group}ybindings`, { metadata: { name: "p" }, spec: binding })).status).toBe(201);
	const ask = (name: string, data: object) =>
		api.ask("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name }, data });
	expect((await ask("few", { a: "", b: "", c: "" })).status).toBe(201);
	expect((await ask("many", { a: "", b: "", c: "", d: "" })).object.message).toContain("too much");
	made.convert = () => ({});
	await api.ask("PATCH", `${at("v1")}/limit`, { size: 4 }, { type: "application/merge-patch+json" });
	expect((await ask("none", {})).object.message).toContain("failed to configure binding: conversion webhook");
});
