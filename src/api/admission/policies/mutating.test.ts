import { expect, test } from "vitest";
import type { InProcessWebhook } from "../../server/admission-review.ts";
import { type Json, type TestApi, type TestOptions, testApi } from "../../testing/test-api.ts";

const group = "/apis/admissionregistration.k8s.io/v1";
const configMaps = "/api/v1/namespaces/default/configmaps";
const deployments = "/apis/apps/v1/namespaces/default/deployments";

function on(resource: string, apiGroup = "") {
	const rule = { operations: ["CREATE", "UPDATE"], apiGroups: [apiGroup], apiVersions: ["*"], resources: [resource] };
	return { matchConstraints: { resourceRules: [rule] }, reinvocationPolicy: "Never" };
}

const apply = (expression: string) => ({ patchType: "ApplyConfiguration", applyConfiguration: { expression } });
const patch = (expression: string) => ({ patchType: "JSONPatch", jsonPatch: { expression } });

async function add(api: TestApi, name: string, spec: object, binding: object = {}): Promise<void> {
	const answers = [
		await api.ask("POST", `${group}/mutatingadmissionpolicies`, { metadata: { name }, spec }),
		await api.ask("POST", `${group}/mutatingadmissionpolicybindings`, {
			metadata: { name },
			spec: { policyName: name, ...binding },
		}),
	];
	expect(answers.map(({ status, object }) => [status, object.message])).toEqual([
		[201, undefined],
		[201, undefined],
	]);
}

async function policed(spec: object, options: TestOptions = {}): Promise<TestApi> {
	const api = await testApi(options);
	await add(api, "p", spec);
	return api;
}

const deployment = {
	metadata: { name: "d" },
	spec: {
		selector: { matchLabels: { a: "b" } },
		template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } },
	},
};

test("a configuration is laid over the object as by server-side apply: lists by their keys", async () => {
	const api = await policed({
		...on("deployments", "apps"),
		mutations: [
			apply(`Object{
				metadata: Object.metadata{ labels: {"policy": object.metadata.name} },
				spec: Object.spec{ template: Object.spec.template{ spec: Object.spec.template.spec{
					initContainers: [Object.spec.template.spec.initContainers{ name: "first", image: "busybox" }],
					containers: [Object.spec.template.spec.containers{ name: "c", command: ["run"] }]
				} } }
			}`),
		],
	});
	const { status, object } = await api.ask("POST", deployments, deployment);
	expect([status, object.metadata.labels]).toEqual([201, { policy: "d" }]);
	const { spec } = object.spec.template;
	expect(spec.containers).toMatchObject([{ name: "c", image: "i", command: ["run"] }]);
	expect(spec.initContainers).toMatchObject([{ name: "first", image: "busybox" }]);
});

test("a JSON patch sees what the mutations before it have made", async () => {
	const api = await policed({
		...on("configmaps"),
		variables: [{ name: "key", expression: "'a/b'" }],
		mutations: [
			patch(`[JSONPatch{op: "add", path: "/metadata/annotations/" + jsonpatch.escapeKey(variables.key), value: "1"}]`),
			patch(`[JSONPatch{op: "test", path: "/metadata/annotations/a~1b", value: object.metadata.annotations[variables.key]},
				JSONPatch{op: "add", path: "/metadata/annotations/count", value: string(object.metadata.annotations.size())}]`),
		],
	});
	const { object } = await api.ask("POST", configMaps, { metadata: { name: "x", annotations: { own: "0" } } });
	expect([object.message, object.metadata.annotations]).toEqual([undefined, { own: "0", "a/b": "1", count: "2" }]);
});

test("conditions and parameters decide what becomes of which object", async () => {
	const api = await testApi();
	await api.ask("POST", configMaps, { metadata: { name: "labels" }, data: { team: "shop" } });
	await add(
		api,
		"p",
		{
			...on("configmaps"),
			paramKind: { apiVersion: "v1", kind: "ConfigMap" },
			matchConditions: [{ name: "new", expression: "!has(object.metadata.labels)" }],
			mutations: [apply("Object{metadata: Object.metadata{labels: params.data}}")],
		},
		{ paramRef: { name: "labels", parameterNotFoundAction: "Deny" } },
	);
	const labels = async (name: string, given?: object) =>
		(await api.ask("POST", configMaps, { metadata: { name, ...(given && { labels: given }) } })).object.metadata.labels;
	expect(await labels("x")).toEqual({ team: "shop" });
	expect(await labels("y", { team: "own" })).toEqual({ team: "own" });
});

test("a mutation that fails refuses the request, or is left out where the policy says so", async () => {
	const failing = { ...on("configmaps"), mutations: [apply("Object{metadata: Object.spec{labels: {'a': 'b'}}}")] };
	const create = async (spec: object) =>
		(await policed(spec)).ask("POST", configMaps, { metadata: { name: "x" }, data: { a: "1" } });
	expect((await create(failing)).object).toMatchObject({
		code: 403,
		message:
			"policy 'p' with binding 'p' denied request: unexpected type name \"Object.spec\", expected \"Object.metadata\", which matches field name path from root Object type",
	});
	expect((await create({ ...failing, failurePolicy: "Ignore" })).status).toBe(201);
	const misfit = { ...on("configmaps"), mutations: [patch(`[JSONPatch{op: "remove", path: "/data/none"}]`)] };
	expect((await create(misfit)).object.message).toContain(
		"policy 'p' with binding 'p' denied request: JSON Patch: remove operation does not apply: ",
	);
	const wrong = { ...on("configmaps"), mutations: [patch(`[JSONPatch{op: "add", path: "/data", value: 7}]`)] };
	expect((await create(wrong)).object.code).toBe(403);
});

test("a policy is asked again about what a webhook has changed, when it says so", async () => {
	const rules = [{ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"] }];
	const webhooks: InProcessWebhook[] = [
		{
			name: "late",
			type: "mutating",
			rules,
			handle: () => ({ patch: [{ op: "add", path: "/data/late", value: "1" }] }),
		},
	];
	const counts = apply("Object{metadata: Object.metadata{annotations: {'n': string(object.data.size())}}}");
	for (const [reinvocationPolicy, count] of [
		["Never", "1"],
		["IfNeeded", "2"],
	]) {
		const api = await policed({ ...on("configmaps"), reinvocationPolicy, mutations: [counts] }, { webhooks });
		const { object } = await api.ask("POST", configMaps, { metadata: { name: "x" }, data: { a: "1" } });
		expect([reinvocationPolicy, object.metadata.annotations, object.data.late]).toEqual([
			reinvocationPolicy,
			{ n: count },
			"1",
		]);
	}
});

test("a mutation that makes nothing of an object is refused when it is written", async () => {
	const api = await testApi();
	const causes = async (mutation: object) => {
		const spec = { ...on("configmaps"), mutations: [mutation] };
		const { object } = await api.ask("POST", `${group}/mutatingadmissionpolicies`, { metadata: { name: "p" }, spec });
		return object.details.causes.map(({ field, message }: Json) => `${field}: ${message}`);
	};
	expect(await causes(apply("'text'"))).toEqual([
		"spec.mutations[0].applyConfiguration.expression: Invalid value: \"'text'\": must evaluate to Object but got string",
	]);
	expect(await causes(patch("Object{}"))).toEqual([
		'spec.mutations[0].jsonPatch.expression: Invalid value: "Object{}": must evaluate to list(JSONPatch) but got Object',
	]);
	expect(await causes({ patchType: "Other" })).toEqual([
		'spec.mutations[0].patchType: Unsupported value: "Other": supported values: "ApplyConfiguration", "JSONPatch"',
	]);
});
