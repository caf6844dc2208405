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

/** What only answers are. */
const answers = ["APIGroupList", "APIResourceList", "APIVersions", "ComponentStatusList", "ListMeta", "Status"];

/** Names of `builtinSchemas`: of objects, and of all that is in them. */
export function servedTypes(): Set<string> {
	const stored = catalog.flatMap(({ schema, servedAs = [] }) => [schema, ...servedAs.map((served) => served.schema)]);
	return withParts([...stored, ...unstored]);
}

/** The same of answers that no body is. */
export function answeredTypes(): Set<string> {
	return withParts(answers);
}

function withParts(roots: readonly (string | undefined)[]): Set<string> {
	const types = new Set<string>();
	const add = (type: string) => {
		const schema = builtinSchemas.type(type);
		if (schema === undefined || types.has(type)) return;
		types.add(type);
		for (const field of Object.values(schema)) add(field.type);
	};
	for (const type of roots) if (type !== undefined) add(type);
	return types;
}
