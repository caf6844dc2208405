/** Which type an `apiVersion` and `kind` mean. */
import { lookupKind } from "../../../kinds/catalog.ts";
import { definitionNames } from "../../../kinds/facts.ts";
import { answerTypes } from "./answer-types.ts";
import { hasNumbers } from "./field-numbers.ts";

/** These are read alike in every version in which they ever came, as they are when they come in JSON. */
const sameInEveryVersion: ReadonlySet<string> = new Set(["DeleteOptions", "Eviction", "Scale"]);

/**
 * The schema of `apps/v1 Deployment`: by its full name, since short ones are not all unique. Undefined: none is known.
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

/** As `typeOf`, of what the server answers: also a Status and discovery. */
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
