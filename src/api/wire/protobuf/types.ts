/** The type that an `apiVersion` and `kind` identify. */
import { lookupKind } from "../../../kinds/catalog.ts";
import { definitionNames } from "../../../kinds/facts.ts";
import { answerTypes } from "./answer-types.ts";
import { hasNumbers } from "./field-numbers.ts";

/** Decoded the same way in every version that ever existed, as in JSON. */
const sameInEveryVersion: ReadonlySet<string> = new Set(["DeleteOptions", "Eviction", "Scale"]);

/**
 * The schema of a type such as `apps/v1 Deployment`, found by its full name because short names are not unique.
 * Undefined if there is none.
 */
export function typeOf(apiVersion: string, kind: string): string | undefined {
	if (sameInEveryVersion.has(kind)) return kind;
	const known = lookupKind(apiVersion, kind);
	if (known !== undefined) {
		const schema = known.served?.schema ?? known.kind.schema;
		return hasNumbers(schema) ? schema : undefined;
	}
	const [group = "", version] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion];
	const packageName = group.split(".")[0] ?? "";
	for (const name of [`io.k8s.api.${packageName}.${version}.${kind}`, ...otherPackages(packageName, version, kind)]) {
		const schema = schemasByDefinition().get(name);
		if (schema !== undefined && hasNumbers(schema)) return schema;
	}
	return undefined;
}

/** Like `typeOf`, for responses: includes Status and discovery. */
export function answerTypeOf(apiVersion: string, kind: string): string | undefined {
	const type = typeOf(apiVersion, kind);
	if (type !== undefined) return type;
	if (apiVersion === "" || apiVersion === "v1") return hasNumbers(kind) ? kind : undefined;
	return answerTypes.includes(kind) ? kind : undefined;
}

function otherPackages(group: string, version: string | undefined, kind: string): string[] {
	return [
		`io.k8s.apiextensions-apiserver.pkg.apis.${group}.${version}.${kind}`,
		`io.k8s.kube-aggregator.pkg.apis.${group}.${version}.${kind}`,
	];
}

let byDefinition: Map<string, string> | undefined;

function schemasByDefinition(): Map<string, string> {
	byDefinition ??= new Map(Object.entries(definitionNames).map(([schema, definition]) => [definition, schema]));
	return byDefinition;
}
