/** What webhooks and policies make of a Scale. */
import { expect, test } from "vitest";
import { definition, definitionsPath, version } from "../custom/testing/definitions.ts";
import type { InProcessWebhook } from "../server/admission-review.ts";
import { type Json, type TestApi, type TestOptions, testApi } from "../testing/test-api.ts";

const deployments = "/apis/apps/v1/namespaces/default/deployments";
const widgets = "/apis/example.com/v1/namespaces/default/widgets";
const rule = {
	operations: ["UPDATE"],
	apiGroups: ["*"],
	apiVersions: ["*"],
	resources: ["deployments/scale", "widgets/scale"],
};

/** With a deployment `d` and a custom resource `w`, which keeps its replicas deeper. */
async function scaled(options: TestOptions): Promise<TestApi> {
	const api = await testApi(options);
	const scale = { specReplicasPath: ".spec.size.replicas", statusReplicasPath: ".status.replicas" };
	await api.ask("POST", definitionsPath, definition({ versions: [version("v1", { subresources: { scale } })] }));
	await expect.poll(async () => (await api.ask("GET", widgets)).status).toBe(200);
	const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "i" }] } };
	const made = [
		await api.ask("POST", deployments, {
			metadata: { name: "d", labels: { of: "deployment" } },
			spec: { selector: { matchLabels: { a: "b" } }, template },
		}),
		await api.ask("POST", widgets, {
			apiVersion: "example.com/v1",
			kind: "Widget",
			metadata: { name: "w" },
			spec: { size: { replicas: 1, other: "stays" } },
		}),
	];
	expect(made.map(({ status }) => status)).toEqual([201, 201]);
	return api;
}

const put = (api: TestApi, path: string, replicas: number) =>
	api.ask("PUT", `${path}/scale`, { metadata: { name: path.slice(-1) }, spec: { replicas } });

const webhook = (handle: (replicas: number) => object[], more: Partial<InProcessWebhook> = {}): InProcessWebhook => ({
	name: "scale.example.com",
	type: "mutating",
	rules: [rule],
	handle: ({ object }) => ({ patch: handle((object as Json).spec.replicas) }),
	...more,
});

test("a webhook changes the number of replicas, and nothing else of the object", async () => {
	const handle = (replicas: number) => [
		{ op: "replace", path: "/spec/replicas", value: replicas + 1 },
		{ op: "add", path: "/metadata/labels", value: { by: "hook" } },
	];
	const api = await scaled({ webhooks: [webhook(handle)] });
	expect((await put(api, `${deployments}/d`, 3)).object).toMatchObject({ kind: "Scale", spec: { replicas: 4 } });
	const { object: deployment } = await api.ask("GET", `${deployments}/d`);
	expect(deployment).toMatchObject({
		metadata: { labels: { of: "deployment" }, generation: 2 },
		spec: { replicas: 4 },
	});
	const type = "application/merge-patch+json";
	const { object } = await api.ask("PATCH", `${widgets}/w/scale`, { spec: { replicas: 5 } }, { type });
	expect(object).toMatchObject({ kind: "Scale", spec: { replicas: 6 } });
	expect((await api.ask("GET", `${widgets}/w`)).object.spec).toEqual({ size: { replicas: 6, other: "stays" } });
});

test("what a webhook makes of a Scale is validated as one", async () => {
	const api = await scaled({
		webhooks: [webhook((replicas) => [{ op: "replace", path: "/spec/replicas", value: replicas === 3 ? -3 : "x" }])],
	});
	for (const path of [`${deployments}/d`, `${widgets}/w`]) {
		const { status, object } = await put(api, path, 3);
		expect([status, object.message]).toEqual([
			422,
			`Scale.autoscaling "${path.slice(-1)}" is invalid: spec.replicas: Invalid value: -3: must be greater than or equal to 0`,
		]);
	}
	expect((await put(api, `${deployments}/d`, 4)).status).toBe(500);
	expect((await api.ask("GET", `${deployments}/d`)).object.spec.replicas).toBe(1);
});

test("an object that is older than the path of its replicas stays as it is", async () => {
	const api = await testApi();
	await api.ask("POST", definitionsPath, definition());
	await expect.poll(async () => (await api.ask("GET", widgets)).status).toBe(200);
	const old = { apiVersion: "example.com/v1", kind: "Widget", metadata: { name: "w" }, spec: "text" };
	expect((await api.ask("POST", widgets, old)).status).toBe(201);
	const scale = { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" };
	const spec = { versions: [version("v1", { subresources: { scale } })] };
	const type = "application/merge-patch+json";
	await api.ask("PATCH", `${definitionsPath}/widgets.example.com`, { spec }, { type });
	await expect.poll(async () => (await put(api, `${widgets}/w`, 3)).status).toBe(500);
	expect((await api.ask("GET", `${widgets}/w`)).object.spec).toBe("text");
});

test("a Scale has no labels that an object selector could be about", async () => {
	const objectSelector = { matchLabels: { of: "deployment" } };
	const api = await scaled({
		webhooks: [webhook(() => [{ op: "replace", path: "/spec/replicas", value: 9 }], { objectSelector })],
	});
	expect((await put(api, `${deployments}/d`, 3)).object.spec).toEqual({ replicas: 3 });
});

test("policies change and check Scales", async () => {
	const api = await scaled({});
	const group = "/apis/admissionregistration.k8s.io/v1";
	const matchConstraints = { resourceRules: [rule] };
	const add = async (type: string, name: string, spec: object, binding: object) => {
		const policy = await api.ask("POST", `${group}/${type}policies`, { metadata: { name }, spec });
		const bound = await api.ask("POST", `${group}/${type}policybindings`, {
			metadata: { name },
			spec: { policyName: name, ...binding },
		});
		expect([policy, bound].map(({ status, object }) => [status, object.message])).toEqual([
			[201, undefined],
			[201, undefined],
		]);
	};
	const expressions = [
		"Object{ spec: Object.spec{ replicas: object.spec.replicas * 2 } }",
		"[JSONPatch{ op: 'replace', path: '/spec/replicas', value: object.spec.replicas + 1 }]",
	];
	const mutations = [
		{ patchType: "ApplyConfiguration", applyConfiguration: { expression: expressions[0] } },
		{ patchType: "JSONPatch", jsonPatch: { expression: expressions[1] } },
	];
	await add("mutatingadmission", "more", { matchConstraints, reinvocationPolicy: "Never", mutations }, {});
	const validations = [{ expression: "object.spec.replicas < 10", message: "too many" }];
	await add("validatingadmission", "few", { matchConstraints, validations }, { validationActions: ["Deny"] });
	for (const path of [`${deployments}/d`, `${widgets}/w`]) {
		expect((await put(api, path, 3)).object.spec).toEqual({ replicas: 7 });
		expect((await put(api, path, 5)).object.message).toContain("too many");
		expect((await api.ask("GET", `${path}/scale`)).object.spec).toEqual({ replicas: 7 });
	}
});
