import { expect, test } from "vitest";
import type { AuditEvent } from "../../audit/event.ts";
import { auditPolicy } from "../../audit/policy.ts";
import { type Json, type TestApi, type TestOptions, testApi } from "../../testing/test-api.ts";

const configMaps = "/api/v1/namespaces/default/configmaps";
const group = "/apis/admissionregistration.k8s.io/v1";
const onConfigMaps = {
	resourceRules: [{ operations: ["*"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }],
};

async function policed(spec: object, binding: object = {}, options: TestOptions = {}): Promise<TestApi> {
	const api = await testApi(options);
	const policy = { metadata: { name: "p" }, spec: { matchConstraints: onConfigMaps, ...spec } };
	const answer = await api.ask("POST", `${group}/validatingadmissionpolicies`, policy);
	expect([answer.status, answer.object.message]).toEqual([201, undefined]);
	const bound = await api.ask("POST", `${group}/validatingadmissionpolicybindings`, {
		metadata: { name: "b" },
		spec: { policyName: "p", validationActions: ["Deny"], ...binding },
	});
	expect([bound.status, bound.object.message]).toEqual([201, undefined]);
	return api;
}

const create = async (api: TestApi, data: Json = { a: "1" }, name = "x", labels: Json = {}) =>
	api.ask("POST", configMaps, { metadata: { name, labels }, data });

const said = (answer: { object: Json }) => [answer.object.code, answer.object.message];
const by = "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: ";

test("a request that breaks a validation is refused, in the words and with the reason that the policy has", async () => {
	const api = await policed({
		validations: [
			{ expression: "object.data.size() < 3", message: " too much ", reason: "Forbidden" },
			{ expression: "has(object.data.a)", messageExpression: "'no a in ' + object.metadata.name" },
			{ expression: "oldObject == null || object.data == oldObject.data" },
		],
	});
	expect((await create(api)).status).toBe(201);
	expect(said(await create(api, { a: "1", b: "2", c: "3" }, "y"))).toEqual([
		403,
		`configmaps "y" is forbidden: ${by}too much`,
	]);
	expect(said(await create(api, { b: "1" }, "y"))).toEqual([422, `configmaps "y" is forbidden: ${by}no a in y`]);
	expect(said(await api.ask("PUT", `${configMaps}/x`, { metadata: { name: "x" }, data: { a: "2" } }))).toEqual([
		422,
		`configmaps "x" is forbidden: ${by}failed expression: oldObject == null || object.data == oldObject.data`,
	]);
});

test("an expression that fails refuses, or lets the request pass where the policy says so", async () => {
	const validations = [{ expression: "object.data.none == 'x'" }];
	const strict = await policed({ validations });
	expect(said(await create(strict))).toEqual([
		422,
		`configmaps "x" is forbidden: ${by}expression 'object.data.none == 'x'' resulted in error: no such key: none`,
	]);
	const lax = await policed({ validations, failurePolicy: "Ignore" });
	expect((await create(lax)).status).toBe(201);
});

test("variables are composed, and evaluated when they are named", async () => {
	const api = await policed({
		variables: [
			{ name: "limit", expression: "3" },
			{ name: "unused", expression: "object.none" },
			{ name: "count", expression: "object.data.size() + variables.limit" },
		],
		validations: [{ expression: "variables.count < 5" }],
	});
	expect((await create(api)).status).toBe(201);
	expect((await create(api, { a: "1", b: "2" }, "y")).status).toBe(422);
});

test("conditions and bindings narrow what a policy is about", async () => {
	const api = await policed(
		{
			matchConditions: [{ name: "people", expression: "request.userInfo.username != 'robot'" }],
			validations: [{ expression: "false", message: "never" }],
		},
		{ matchResources: { objectSelector: { matchLabels: { strict: "yes" } } } },
	);
	expect((await create(api)).status).toBe(201);
	expect((await create(api, {}, "y", { strict: "yes" })).status).toBe(422);
	const robot = { name: "robot", groups: ["system:masters", "system:authenticated"] };
	const labels = { strict: "yes" };
	const answer = await api.ask("POST", configMaps, { metadata: { name: "y", labels } }, { user: robot });
	expect(answer.status).toBe(201);
});

test("a binding gives parameters, and says what happens without them", async () => {
	const api = await policed(
		{
			paramKind: { apiVersion: "v1", kind: "ConfigMap" },
			matchConditions: [{ name: "checked", expression: "object.metadata.name.startsWith('c')" }],
			validations: [{ expression: "object.data.size() <= int(params.data.most)" }],
		},
		{ paramRef: { name: "limits", parameterNotFoundAction: "Deny" } },
	);
	expect(said(await create(api, {}, "c1"))).toEqual([
		422,
		`configmaps "c1" is forbidden: ${by}failed to configure binding: no params found for policy binding with \`Deny\` parameterNotFoundAction`,
	]);
	// What cannot be configured is refused before any condition is looked at.
	await api.ask("DELETE", `${group}/validatingadmissionpolicybindings/b`);
	await create(api, { most: "1" }, "limits");
	await api.ask("POST", `${group}/validatingadmissionpolicybindings`, {
		metadata: { name: "b" },
		spec: {
			policyName: "p",
			validationActions: ["Deny"],
			paramRef: { name: "limits", parameterNotFoundAction: "Deny" },
		},
	});
	expect((await create(api, { a: "1" }, "c1")).status).toBe(201);
	expect((await create(api, { a: "1", b: "2" }, "c2")).status).toBe(422);
});

test("a binding may warn and note in the audit log instead of refusing", async () => {
	const events: AuditEvent[] = [];
	const audit = {
		policy: auditPolicy({ apiVersion: "audit.k8s.io/v1", kind: "Policy", rules: [{ level: "Metadata" }] }),
		sink: (event: AuditEvent) => events.push(event),
	};
	const api = await policed(
		{
			validations: [{ expression: "false", message: "never" }],
			auditAnnotations: [
				{ key: "who", valueExpression: "'by ' + request.userInfo.username" },
				{ key: "nothing", valueExpression: "null" },
			],
		},
		{ validationActions: ["Warn", "Audit"] },
		{ audit },
	);
	const answer = await create(api);
	expect([answer.status, answer.headers["warning"]]).toEqual([
		201,
		`299 - "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': never"`,
	]);
	const { annotations = {} } = events.findLast(({ verb }) => verb === "create") ?? {};
	expect(annotations["p/who"]).toBe("by admin");
	expect(annotations["p/nothing"]).toBeUndefined();
	expect(JSON.parse(annotations["validation.policy.admission.k8s.io/validation_failure"] ?? "")).toEqual([
		{ message: "never", policy: "p", binding: "b", expressionIndex: 0, validationActions: ["Warn", "Audit"] },
	]);
});

test("expressions see the request, the namespace, and what its user may do", async () => {
	const api = await policed(
		{
			validations: [
				{ expression: "request.operation == 'CREATE' && request.resource.resource == 'configmaps'" },
				{ expression: "namespaceObject.metadata.name == 'default' && request.namespace == 'default'" },
				{ expression: "authorizer.group('').resource('pods').namespace('default').check('create').allowed()" },
				{ expression: "authorizer.requestResource.check('create').allowed()" },
				{ expression: "!authorizer.serviceAccount('default', 'x').group('').resource('pods').check('list').allowed()" },
			],
		},
		{},
		{ roles: "bootstrap" },
	);
	expect(said(await create(api))).toEqual([undefined, undefined]);
});

test("a policy whose expressions do not compile is refused with the place", async () => {
	const api = await testApi();
	const ask = async (spec: object) => {
		const policy = { metadata: { name: "p" }, spec: { matchConstraints: onConfigMaps, ...spec } };
		return (await api.ask("POST", `${group}/validatingadmissionpolicies`, policy)).object;
	};
	const causes = async (spec: object) =>
		(await ask(spec)).details.causes.map(({ field, message }: Json) => `${field}: ${message}`);
	expect(await causes({ validations: [{ expression: "object.x ==" }] })).toEqual([
		expect.stringContaining(
			'spec.validations[0].expression: Invalid value: "object.x ==": compilation failed: ERROR: <input>:1:12: Syntax error:',
		),
	]);
	expect(await causes({ validations: [{ expression: "'text'" }] })).toEqual([
		"spec.validations[0].expression: Invalid value: \"'text'\": must evaluate to bool but got string",
	]);
	expect(await causes({ validations: [{ expression: "object.immutable" }] })).toEqual([
		'spec.validations[0].expression: Invalid value: "object.immutable": must evaluate to bool but got dyn',
	]);
	expect(await causes({ validations: [{ expression: "request.nope == 'x'" }] })).toEqual([
		expect.stringContaining("undefined field 'nope'"),
	]);
	expect(await causes({ validations: [{ expression: "params.x == 1" }] })).toEqual([
		expect.stringContaining("undeclared reference to 'params' (in container '')"),
	]);
	expect(await causes({})).toEqual([
		"spec.validations: Required value: validations or auditAnnotations must contain at least one item",
		"spec.auditAnnotations: Required value: validations or auditAnnotations must contain at least one item",
	]);
	const binding = { metadata: { name: "b" }, spec: { policyName: "p", validationActions: ["Deny", "Warn"] } };
	const bound = await api.ask("POST", `${group}/validatingadmissionpolicybindings`, binding);
	expect(bound.object.message).toContain("must not contain both Deny and Warn");
});

test("expensive expressions are stopped, and the configuration can always be deleted", async () => {
	const many = "[0,1,2,3,4,5,6,7,8,9]";
	const loops = `${many}.all(a, ${many}.all(b, ${many}.all(c, ${many}.all(d, ${many}.all(e, ${many}.all(f, ${many}.all(g, a+b+c+d+e+f+g >= 0)))))))`;
	const api = await policed({ validations: [{ expression: loops }] });
	expect((await create(api)).object.message).toContain("actual cost limit exceeded");
	expect((await api.ask("DELETE", `${group}/validatingadmissionpolicies/p`)).status).toBe(200);
	expect((await create(api)).status).toBe(201);
});
