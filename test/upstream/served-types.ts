/** Which of the built-in types can come in bodies. */
import { builtinSchemas } from "../../src/kinds/builtin-schemas.ts";
import { catalog } from "../../src/kinds/catalog.ts";

/** What is asked or done by a body, and never stored. */
const unstored = [
	"AuthenticationTokenRequest",
	"Binding",
	"DeleteOptions",
	"Eviction",
	"LocalSubjectAccessReview",
	"Scale",
	"SelfSubjectAccessReview",
	"SelfSubjectReview",
	"SelfSubjectRulesReview",
	"SubjectAccessReview",
	"TokenReview",
];

/** Names of `builtinSchemas`: of objects, and of all that is in them. */
export function servedTypes(): Set<string> {
	const types = new Set<string>();
	const add = (type: string) => {
		const schema = builtinSchemas.type(type);
		if (schema === undefined || types.has(type)) return;
		types.add(type);
		for (const field of Object.values(schema)) add(field.type);
	};
	for (const { schema, servedAs = [] } of catalog) {
		add(schema);
		for (const served of servedAs) if (served.schema !== undefined) add(served.schema);
	}
	for (const type of unstored) add(type);
	return types;
}
