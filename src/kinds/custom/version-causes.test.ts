import { expect, test } from "vitest";
import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from "../generated/types.ts";
import { definitionWarnings } from "./definition-warnings.ts";
import { versionCauses } from "./version-causes.ts";

const schema = {
	type: "object",
	properties: { spec: { type: "object", properties: { color: { type: "string" }, sizes: { type: "object" } } } },
};
const notStructural = { type: "object", properties: { spec: {} } };

function definition(...versions: Partial<CustomResourceDefinitionVersion>[]): CustomResourceDefinition {
	return {
		apiVersion: "apiextensions.k8s.io/v1",
		kind: "CustomResourceDefinition",
		metadata: { name: "foos.example.com", uid: "", resourceVersion: "", creationTimestamp: "" },
		spec: {
			group: "example.com",
			names: { plural: "foos", kind: "Foo" },
			scope: "Namespaced",
			versions: versions.map((version, index) => ({
				name: `v${index + 1}`,
				served: true,
				storage: index === 0,
				schema: { openAPIV3Schema: schema },
				...version,
			})),
		},
	};
}

function causes(...versions: Partial<CustomResourceDefinitionVersion>[]): string[] {
	return versionCauses(definition(...versions)).map(({ field, message }) => `${field}: ${message}`);
}

const spec = "Required value: must not be empty for specified object fields";

test("what all versions have is told as a field of the spec, and else with the version", () => {
	const wrong = { schema: { openAPIV3Schema: notStructural } };
	expect(causes(wrong)).toEqual([`spec.validation.openAPIV3Schema.properties[spec].type: ${spec}`]);
	expect(causes(wrong, wrong)).toEqual([`spec.validation.openAPIV3Schema.properties[spec].type: ${spec}`]);
	expect(causes({}, wrong)).toEqual([`spec.versions[1].schema.openAPIV3Schema.properties[spec].type: ${spec}`]);
});

test("a version needs a schema", () => {
	expect(causes({ schema: {} })).toEqual(["spec.versions[0].schema.openAPIV3Schema: Required value"]);
});

test("a schema that an update leaves as it is stays", () => {
	const wrong = definition({ schema: { openAPIV3Schema: notStructural } });
	expect(versionCauses(structuredClone(wrong), wrong)).toEqual([]);
	expect(versionCauses(wrong, definition({}))).toHaveLength(1);
});

test.each<[Partial<CustomResourceDefinitionVersion>, string[]]>([
	[{ additionalPrinterColumns: [{ name: "A", type: "string", jsonPath: ".spec.color" }] }, []],
	[
		{ additionalPrinterColumns: [{ name: "", type: "text", jsonPath: "spec", format: "odd" }] },
		[
			"spec.additionalPrinterColumns[0].name: Required value",
			'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
			'spec.additionalPrinterColumns[0].format: Invalid value: "odd": must be one of byte,date,date-time,double,float,int32,int64,password',
			'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "spec": must be a simple json path starting with .',
		],
	],
	[{ subresources: { scale: { specReplicasPath: ".spec.n", statusReplicasPath: ".status.n" } } }, []],
	[
		{ subresources: { scale: { specReplicasPath: ".status.n", statusReplicasPath: "", labelSelectorPath: ".x" } } },
		[
			'spec.subresources.scale.specReplicasPath: Invalid value: ".status.n": should be a json path under .spec',
			"spec.subresources.scale.statusReplicasPath: Required value",
			'spec.subresources.scale.labelSelectorPath: Invalid value: ".x": should be a json path under either .spec or .status',
		],
	],
	[{ selectableFields: [{ jsonPath: ".spec.color" }] }, []],
	[
		{ selectableFields: [{ jsonPath: ".spec.color" }, { jsonPath: ".spec.color" }, { jsonPath: ".spec.sizes" }] },
		[
			'spec.selectableFields[1].jsonPath: Duplicate value: ".spec.color"',
			'spec.selectableFields[2].jsonPath: Invalid value: ".spec.sizes": must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
		],
	],
	[
		{ selectableFields: [{ jsonPath: ".spec.none" }, { jsonPath: ".spec['color']" }] },
		[
			'spec.selectableFields[0].jsonPath: Invalid value: ".spec.none": is an invalid path: does not refer to a valid field',
			"spec.selectableFields[1].jsonPath: Invalid value: \".spec['color']\": is an invalid path: array notation is not allowed",
		],
	],
])("%j", (version, expected) => {
	expect(causes(version)).toEqual(expected);
});

test("formats that are not checked, and sets of objects, are warned about once", () => {
	const item = { type: "object", "x-kubernetes-map-type": "atomic" };
	const odd = {
		type: "object",
		properties: {
			a: { type: "string", format: "semver" },
			b: { type: "array", "x-kubernetes-list-type": "set", items: item },
			c: { type: "object", additionalProperties: { type: "integer", format: "int16" } },
			d: { type: "string", format: "date-time" },
		},
	};
	const warned = definition({ schema: { openAPIV3Schema: odd } }, { schema: { openAPIV3Schema: odd } });
	expect(definitionWarnings(warned)).toEqual([
		'unrecognized format "semver"',
		'unrecognized format "int16"',
		'x-kubernetes-list-type: set for items of type "object" is not supported by server-side apply or CEL validation rules',
	]);
	expect(definitionWarnings(warned, warned)).toEqual([]);
});
