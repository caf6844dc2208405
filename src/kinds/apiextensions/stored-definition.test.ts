import { expect, test } from "vitest";
import { deepFreeze } from "../../core/object.ts";
import type { CustomResourceDefinition } from "../generated/types.ts";
import { parseDefinition } from "./stored-definition.ts";

/** Texts and keys that look like the beginning or the end of a schema. */
const misleading = {
	type: "object",
	description: String.raw`"openAPIV3Schema":{ \" } \\`,
	properties: {
		openAPIV3Schema: { type: "object", description: "ends with a backslash \\" },
		'"openAPIV3Schema': { default: { "}": ['"', "{", "\\\\"] } },
	},
};

function stored(...schemas: object[]): object {
	return {
		apiVersion: "apiextensions.k8s.io/v1",
		kind: "CustomResourceDefinition",
		metadata: { name: "boats.example.com", annotations: { applied: JSON.stringify({ openAPIV3Schema: {} }) } },
		spec: {
			group: "example.com",
			versions: schemas.map((schema, index) => ({ name: `v${index + 1}`, schema, served: true })),
		},
		status: { storedVersions: ["v1"] },
	};
}

test("a stored definition reads as it was written, whatever its schemas contain", () => {
	const written = stored({ openAPIV3Schema: misleading }, {}, { openAPIV3Schema: { type: "object" } });
	const parsed = deepFreeze(parseDefinition(Buffer.from(JSON.stringify(written))));
	expect(JSON.stringify(parsed)).toBe(JSON.stringify(written));
	expect(structuredClone(parsed)).toEqual(written);
});

test("what a schema says cannot be changed", () => {
	const written = stored({ openAPIV3Schema: misleading });
	// As the API stores it.
	const { spec } = parseDefinition(Buffer.from(JSON.stringify(written))) as unknown as CustomResourceDefinition;
	const schema = spec.versions[0]?.schema?.openAPIV3Schema;
	expect(Object.isFrozen(schema?.properties)).toBe(true);
});
