import { expect, test } from "vitest";
import { testApi } from "../testing/test-api.ts";

const resourceAttributes = { verb: "get", resource: "pods" };
const nonResourceAttributes = { verb: "get", path: "/healthz" };

test.each([
	["SubjectAccessReview", { user: "ann" }, ["spec.resourceAttributes"]],
	["SubjectAccessReview", { resourceAttributes }, ["spec.user"]],
	["SelfSubjectAccessReview", { resourceAttributes, nonResourceAttributes }, ["spec.nonResourceAttributes"]],
])("a %s of %j is refused", async (kind, spec, fields) => {
	const api = await testApi();
	const path = `/apis/authorization.k8s.io/v1/${kind.toLowerCase()}s`;
	const { object } = await api.ask("POST", path, { apiVersion: "authorization.k8s.io/v1", kind, spec });
	expect(object).toMatchObject({ code: 422, details: { group: "authorization.k8s.io", kind } });
	expect(object.details.causes.map(({ field }: { field: string }) => field)).toEqual(fields);
});

test("a question that is complete is answered", async () => {
	const api = await testApi();
	const { object } = await api.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {
		apiVersion: "authorization.k8s.io/v1",
		kind: "SubjectAccessReview",
		spec: { groups: ["system:authenticated"], nonResourceAttributes },
	});
	expect(object.status.allowed).toBe(true);
});

test("a local question is about the namespace of its path", async () => {
	const api = await testApi();
	const ask = async (spec: object) =>
		(
			await api.ask("POST", "/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews", {
				metadata: { namespace: "default" },
				spec: { user: "ann", groups: ["system:authenticated"], ...spec },
			})
		).object;
	const own = await ask({ resourceAttributes: { ...resourceAttributes, namespace: "default" } });
	expect(own.status.allowed).toBe(true);
	for (const spec of [{ resourceAttributes: { ...resourceAttributes, namespace: "b" } }, { nonResourceAttributes }])
		expect(await ask(spec)).toMatchObject({ code: 422, details: { kind: "LocalSubjectAccessReview" } });
});

test("the rules of a user are those in a namespace", async () => {
	const api = await testApi();
	const path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
	const { object } = await api.ask("POST", path, { spec: { namespace: "default" } });
	expect(object.status).toEqual({
		incomplete: false,
		resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }],
		nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
	});
	expect((await api.ask("POST", path, { spec: {} })).object.message).toBe("no namespace on request");
});
