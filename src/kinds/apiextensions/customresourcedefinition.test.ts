import { expect, test } from "vitest";
import { deepCopy } from "../../core/object.ts";
import type { CustomResourceDefinition } from "../generated/types.ts";
import { createFrom, updateProblems } from "../testing.ts";
import { settledStatus, takenNames } from "./settle.ts";

const plain = (): CustomResourceDefinition => ({
	apiVersion: "apiextensions.k8s.io/v1",
	kind: "CustomResourceDefinition",
	metadata: { name: "widgets.example.com" } as CustomResourceDefinition["metadata"],
	spec: {
		group: "example.com",
		scope: "Namespaced",
		names: { plural: "widgets", kind: "Widget" },
		versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }],
	},
});

function problems(change: (spec: CustomResourceDefinition["spec"], whole: CustomResourceDefinition) => void): string[] {
	const definition = plain();
	change(definition.spec, definition);
	return createFrom(definition).problems;
}

const label = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic";

test("a definition gets the names that follow from others, and remembers its storage version", () => {
	const { object, problems: none } = createFrom(plain());
	expect(none).toEqual([]);
	expect(object).toMatchObject({
		spec: { names: { singular: "widget", listKind: "WidgetList" }, conversion: { strategy: "None" } },
		status: { storedVersions: ["v1"] },
	});
});

test("names must be labels, and the definition's name follows from them", () => {
	expect(
		problems((spec) => {
			spec.names.plural = "Widgets";
			spec.names.kind = "wid get";
			spec.names.listKind = "wid get";
			spec.names.shortNames = ["w", "9"];
		}),
	).toEqual([
		'metadata.name: Invalid value: "widgets.example.com": must be spec.names.plural+"."+spec.group',
		expect.stringContaining(`spec.names.plural: Invalid value: "Widgets": ${label}`),
		expect.stringContaining('spec.names.singular: Invalid value: "wid get": a DNS-1035 label must'),
		expect.stringContaining(
			'spec.names.kind: Invalid value: "wid get": may have mixed case, but should otherwise match',
		),
		expect.stringContaining('spec.names.listKind: Invalid value: "wid get": may have mixed case'),
		expect.stringContaining('spec.names.shortNames[1]: Invalid value: "9": a DNS-1035 label'),
		'spec.names.listKind: Invalid value: "wid get": kind and listKind may not be the same',
	]);
});

test("the group is a domain, and the scope one of two", () => {
	const group = (name: string) =>
		problems((spec, whole) => {
			spec.group = name;
			whole.metadata.name = `widgets.${name}`;
		});
	expect(group("example")).toEqual(['spec.group: Invalid value: "example": should be a domain with at least one dot']);
	expect(problems((spec) => Object.assign(spec, { scope: "World" }))).toEqual([
		'spec.scope: Unsupported value: "World": supported values: "Cluster", "Namespaced"',
	]);
});

test("exactly one version is stored, names are unique, and each has a schema", () => {
	const found = problems((spec) => {
		spec.versions = [
			{ name: "v1", served: true, storage: true },
			{ name: "v1", served: true, storage: true },
		];
	});
	expect(found.slice(2)).toEqual([
		"spec.versions[0].schema.openAPIV3Schema: Required value",
		"spec.versions[1].schema.openAPIV3Schema: Required value",
	]);
	expect(found[0]).toMatch(/^spec\.versions: Invalid value: .*: must contain unique version names$/);
	expect(found[1]).toMatch(/: must have exactly one version marked as storage version$/);
});

test("columns, subresources and warnings are checked, by the names of the first version of the API", () => {
	expect(
		problems(({ versions: [version] }) => {
			Object.assign(version ?? {}, {
				deprecationWarning: "gone",
				subresources: { status: {}, scale: { specReplicasPath: "spec.replicas", statusReplicasPath: ".spec.n" } },
				additionalPrinterColumns: [{ name: "", type: "text", format: "hex", jsonPath: "spec" }],
			});
		}),
	).toEqual([
		'spec.versions[0].deprecationWarning: Invalid value: "gone": can only be set for deprecated versions',
		'spec.subresources.scale.specReplicasPath: Invalid value: "spec.replicas": must be a simple json path starting with .',
		'spec.subresources.scale.statusReplicasPath: Invalid value: ".spec.n": should be a json path under .status',
		"spec.additionalPrinterColumns[0].name: Required value",
		'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
		'spec.additionalPrinterColumns[0].format: Invalid value: "hex": must be one of byte,date,date-time,double,float,int32,int64,password',
		'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec": must be a simple json path starting with .',
	]);
});

test("a conversion by webhook says where it is", () => {
	const conversion = (webhook: object | undefined, strategy = "Webhook") =>
		problems((spec) => Object.assign(spec, { conversion: { strategy, ...(webhook && { webhook }) } }));
	const conversionReviewVersions = ["v1"];
	expect(conversion(undefined)).toEqual([
		"spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
		"spec.conversion.conversionReviewVersions: Required value",
	]);
	expect(conversion({ clientConfig: { url: "http://a@b?c=d#e" }, conversionReviewVersions: ["v2", "v2"] })).toEqual([
		"spec.conversion.webhookClientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL scheme; desired format: https://host[/path]",
		'spec.conversion.webhookClientConfig.url: Invalid value: "a": user information is not permitted in the URL',
		'spec.conversion.webhookClientConfig.url: Invalid value: "e": fragments are not permitted in the URL',
		'spec.conversion.webhookClientConfig.url: Invalid value: "c=d": query parameters are not permitted in the URL',
		'spec.conversion.conversionReviewVersions[1]: Invalid value: "v2": duplicate version',
		'spec.conversion.conversionReviewVersions: Invalid value: ["v2","v2"]: must include at least one of v1, v1beta1',
	]);
	const service = { name: "", namespace: "", path: "a//b", port: 0 };
	expect(conversion({ clientConfig: { service }, conversionReviewVersions })).toEqual([
		"spec.conversion.webhookClientConfig.service.name: Required value",
		"spec.conversion.webhookClientConfig.service.namespace: Required value",
		"spec.conversion.webhookClientConfig.service.port: Invalid value: 0: port is not valid: must be between 1 and 65535, inclusive",
		"spec.conversion.webhookClientConfig.service.path: Invalid value: \"a//b\": must start with a '/'",
		'spec.conversion.webhookClientConfig.service.path: Invalid value: "a//b": segment[0] may not be empty',
		'spec.conversion.webhookClientConfig.service.path: Invalid value: "a//b": segment[1] may not be empty',
	]);
	expect(conversion({ conversionReviewVersions }, "None")).toEqual([
		"spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook",
	]);
});

test("groups of the community need an approval", () => {
	const approved = (annotation?: string) =>
		problems((spec, { metadata }) => {
			spec.group = "widgets.k8s.io";
			metadata.name = "widgets.widgets.k8s.io";
			if (annotation !== undefined) metadata.annotations = { "api-approved.kubernetes.io": annotation };
		});
	const path = "metadata.annotations[api-approved.kubernetes.io]";
	const needed = 'protected groups must have approval annotation "api-approved.kubernetes.io"';
	const reference = "see https://github.com/kubernetes/enhancements/pull/1111";
	expect(approved()).toEqual([`${path}: Required value: ${needed}, ${reference}`]);
	expect(approved("yes")).toEqual([
		`${path}: Invalid value: "yes": ${needed} with either a URL or a reason starting with "unapproved", ${reference}`,
	]);
	expect(approved("unapproved, a trial")).toEqual([]);
	expect(approved("https://example.com/approval")).toEqual([]);
});

test("unknown fields are kept by schemas only", () => {
	expect(problems((spec) => Object.assign(spec, { preserveUnknownFields: true }))).toEqual([
		"spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
	]);
});

test("what objects are stored by does not change, and a version that may be stored stays", () => {
	const stored = deepCopy(createFrom(plain()).object) as CustomResourceDefinition;
	const established = deepCopy(stored);
	established.status = settledStatus(established, takenNames([]), "2026-01-01T00:00:00Z") ?? {};
	const change = ({ spec }: CustomResourceDefinition) => {
		spec.scope = "Cluster";
		spec.names.kind = "Gadget";
		spec.group = "example.org";
	};
	const group = [
		'metadata.name: Invalid value: "widgets.example.com": must be spec.names.plural+"."+spec.group',
		'spec.group: Invalid value: "example.org": field is immutable',
	];
	expect(updateProblems(stored, change)).toEqual(group);
	expect(updateProblems(established, change)).toEqual([
		group[0],
		'spec.scope: Invalid value: "Cluster": field is immutable',
		'spec.names.kind: Invalid value: "Gadget": field is immutable',
		group[1],
	]);
	const [first] = stored.spec.versions;
	const replaced = updateProblems(stored, ({ spec }) => {
		if (first !== undefined) spec.versions = [{ ...first, name: "v2" }];
	});
	expect(replaced).toEqual([
		'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in v1 and removes v1 from status.storedVersions',
	]);
});

test("of names in use as many as are free are accepted", () => {
	const definition = deepCopy(createFrom(plain()).object) as CustomResourceDefinition;
	definition.spec.names.shortNames = ["a", "b"];
	const others = takenNames([
		{ plural: "gadgets", singular: "a", kind: "Gadget", listKind: "WidgetList", shortNames: ["b"] },
	]);
	const status = settledStatus(definition, others, "2026-01-01T00:00:00Z");
	expect(status?.acceptedNames).toEqual({ plural: "widgets", singular: "widget", kind: "Widget" });
	expect(status?.conditions?.map(({ type, status: is, reason, message }) => [type, is, reason, message])).toEqual([
		["NamesAccepted", "False", "ListKindConflict", '"WidgetList" is already in use'],
		["Established", "False", "NotAccepted", "not all names are accepted"],
	]);
	const free = settledStatus({ ...definition, status: status ?? {} }, takenNames([]), "2026-01-02T00:00:00Z");
	expect(free?.conditions?.map(({ type, status: is, lastTransitionTime }) => [type, is, lastTransitionTime])).toEqual([
		["NamesAccepted", "True", "2026-01-02T00:00:00Z"],
		["Established", "True", "2026-01-02T00:00:00Z"],
	]);
	expect(settledStatus({ ...definition, status: free ?? {} }, takenNames([]), "2026-01-03T00:00:00Z")).toBe(free);
});

test("manifests of v1beta1 have one schema, which need not say all types", () => {
	const {
		object,
		problems: found,
		warnings,
	} = createFrom(`
apiVersion: apiextensions.k8s.io/v1beta1
kind: CustomResourceDefinition
metadata: { name: widgets.example.com }
spec:
  group: example.com
  version: v1alpha1
  names: { plural: widgets, kind: Widget }
  subresources: { status: {} }
  validation:
    openAPIV3Schema:
      properties: { spec: { properties: { size: { type: integer, minimum: 1 } } } }
  additionalPrinterColumns: [{ name: Size, type: integer, JSONPath: .spec.size }]
`);
	expect(found).toEqual([]);
	expect(warnings).toEqual([
		"apiextensions.k8s.io/v1beta1 CustomResourceDefinition is deprecated in v1.16+, unavailable in v1.22+; use apiextensions.k8s.io/v1 CustomResourceDefinition",
	]);
	const open = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
	expect((object as CustomResourceDefinition).spec).toEqual({
		group: "example.com",
		scope: "Namespaced",
		names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
		conversion: { strategy: "None" },
		versions: [
			{
				name: "v1alpha1",
				served: true,
				storage: true,
				subresources: { status: {} },
				additionalPrinterColumns: [{ name: "Size", type: "integer", jsonPath: ".spec.size" }],
				schema: {
					openAPIV3Schema: {
						...open,
						properties: { spec: { ...open, properties: { size: { type: "integer", minimum: 1 } } } },
					},
				},
			},
		],
	});
});
