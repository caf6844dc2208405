import { expect, test } from "vitest";
import { catalog } from "../../kinds/catalog.ts";
import { customKind } from "../../kinds/custom/kind.ts";
import { createRegistry } from "../../kinds/engine/registry.ts";
import type { CustomResourceDefinition, ValidatingAdmissionPolicy } from "../../kinds/generated/types.ts";
import { expressionWarnings } from "./type-check.ts";

const shelf = customKind(
	{
		metadata: { name: "shelves.example.com" },
		spec: {
			group: "example.com",
			scope: "Namespaced",
			names: { kind: "Shelf", plural: "shelves" },
			versions: [
				{
					name: "v1",
					served: true,
					storage: true,
					schema: {
						openAPIV3Schema: {
							type: "object",
							properties: {
								boards: { type: "integer" },
								since: { type: "string", format: "date-time" },
								any: { "x-kubernetes-preserve-unknown-fields": true },
							},
						},
					},
				},
			],
		},
	} as unknown as CustomResourceDefinition,
	"v1",
);
const kinds = createRegistry([...catalog, shelf]);

type Spec = ValidatingAdmissionPolicy["spec"];
const rule = (apiGroup: string, resources: string[], apiVersion = "v1"): Spec => ({
	matchConstraints: {
		resourceRules: [{ apiGroups: [apiGroup], apiVersions: [apiVersion], operations: ["*"], resources }],
	},
});
const warnings = (spec: Spec) => expressionWarnings({ spec } as ValidatingAdmissionPolicy, kinds);
const deployments = rule("apps", ["deployments"]);

test("an expression that confuses types has a warning with the type and the place", () => {
	const validations = [
		{
			expression: "object.spec.replicas > '1'",
			messageExpression: "'wants replicas > 1, got ' + object.spec.replicas",
		},
	];
	expect(warnings({ ...deployments, validations })).toEqual([
		{
			fieldRef: "spec.validations[0].expression",
			warning: [
				"apps/v1, Kind=Deployment: ERROR: <input>:1:22: found no matching overload for '_>_' applied to '(int, string)'",
				" | object.spec.replicas > '1'",
				" | .....................^\n",
			].join("\n"),
		},
		{
			fieldRef: "spec.validations[0].messageExpression",
			warning: expect.stringContaining("found no matching overload for '_+_' applied to '(string, int)'"),
		},
	]);
});

test.each([
	[
		"lists, maps and texts",
		"object.spec.template.spec.containers.all(c, c.image.startsWith('a')) && 'a' in object.metadata.labels",
	],
	["times", "object.metadata.creationTimestamp < timestamp('2026-01-01T00:00:00Z')"],
	["what may be a number or a text", "object.spec.strategy.rollingUpdate.maxSurge == 1"],
	["quantities", "quantity(object.spec.template.spec.containers[0].resources.limits.cpu).isGreaterThan(quantity('1'))"],
	["the object before", "oldObject.spec.replicas <= object.spec.replicas"],
	["variables", "variables.many > 1 && variables.all"],
	["parameters", "object.metadata.name in params.data"],
	["permissions", "authorizer.group('apps').resource('deployments').check('get').allowed()"],
])("%s have their types", (_, expression) => {
	const variables = [
		{ name: "many", expression: "object.spec.replicas" },
		{ name: "all", expression: "variables.many == 3" },
	];
	const spec = { ...deployments, paramKind: { apiVersion: "v1", kind: "ConfigMap" }, variables };
	expect(warnings({ ...spec, validations: [{ expression }] })).toEqual([]);
});

test("fields that a type does not have, of objects, parameters and variables", () => {
	const spec = {
		...deployments,
		paramKind: { apiVersion: "v1", kind: "ConfigMap" },
		variables: [{ name: "many", expression: "object.spec.replicas" }],
	};
	for (const expression of ["object.spec.replica > 1", "params.dta.size() > 0", "variables.many > 'a'"])
		expect(warnings({ ...spec, validations: [{ expression }] })).toHaveLength(1);
});

test("each type is checked, in order; wildcards, subresources and types that do not exist are not", () => {
	const validations = [{ expression: "object.spec.replicas > 1" }];
	const [warning, ...others] = warnings({ ...rule("", ["services", "configmaps", "pods/log", "*"]), validations });
	expect(others).toEqual([]);
	expect(warning?.warning.split("\n").filter((line) => line.includes("ERROR"))).toEqual([
		"/v1, Kind=ConfigMap: ERROR: <input>:1:7: undefined field 'spec'",
		"/v1, Kind=Service: ERROR: <input>:1:12: undefined field 'replicas'",
	]);
	expect(warnings({ ...rule("*", ["configmaps"]), validations })).toEqual([]);
	expect(warnings({ ...rule("", ["configmaps"], "*"), validations })).toEqual([]);
	expect(warnings({ ...rule("example.com", ["chairs"]), validations })).toEqual([]);
});

test("no more than ten types are checked", () => {
	const resources = catalog
		.filter(({ group, version }) => group === "" && version === "v1")
		.map(({ plural }) => plural);
	const [warning] = warnings({ ...rule("", resources), validations: [{ expression: "object.nothing" }] });
	expect(warning?.warning.match(/ERROR/g)).toHaveLength(10);
});

test("custom resources have the types of their schemas, and texts that may be of any format", () => {
	const spec = rule("example.com", ["shelves"]);
	const check = (expression: string) => warnings({ ...spec, validations: [{ expression }] });
	expect(check("object.boards > 1 && object.since > timestamp(0) && object.any.a.b == 1")).toEqual([]);
	expect(check("object.boards > '1'")[0]?.warning).toContain("example.com/v1, Kind=Shelf: ERROR");
	expect(check("object.bords > 1")).toHaveLength(1);
});
