import { expect, test } from "vitest";
import { hasNumbers, numberedFields } from "../../src/api/wire/protobuf/field-numbers.ts";
import { builtinSchemas } from "../../src/kinds/builtin-schemas.ts";
import { servedTypes } from "./served-types.ts";

/** Fields of the type and, with them, of messages that JSON does not know. */
function namesOf(type: string): string[] {
	return numberedFields(type).flatMap(({ name, embedded }) => (embedded ? namesOf(name) : [name]));
}

/** Said around an object in protobuf. */
const typeMeta = ["apiVersion", "kind"];
/** Current fields that an old version never had in protobuf, and what nobody reads. */
const unnumbered = ["OldDeploymentSpec.rollbackTo", "OldEndpoint.deprecatedTopology", "OldEndpoint.zone"];

test("every field that a body in protobuf may have has a number", () => {
	const problems: string[] = [];
	for (const type of servedTypes()) {
		if (!hasNumbers(type)) problems.push(type);
		const names = new Set(namesOf(type));
		for (const name of Object.keys(builtinSchemas.type(type) ?? {}))
			if (!names.has(name) && !typeMeta.includes(name)) problems.push(`${type}.${name}`);
	}
	expect(problems.sort()).toEqual(unnumbered);
});
