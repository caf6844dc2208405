/** Whole OpenAPI documents, of all that is served (v2) or of one group and version (v3). */
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Schemas } from "../../kinds/engine/type-schema.ts";
import type { Subresource } from "../discovery/announced-resources.ts";
import type { ServedGroup, ServedResource } from "../discovery/served.ts";
import { type Definition, Definitions, type GroupVersionKind, typeOfKind } from "./definitions.ts";
import { type Dialect, referenceTo } from "./dialect.ts";
import { tagOf } from "./operation-names.ts";
import { type Content, type Operation, type Path, pathsOf } from "./operations.ts";
import type { Parameter } from "./parameters.ts";
import { type Descriptions, renderDefinitions } from "./schemas.ts";

export interface Source {
	groups: readonly ServedGroup[];
	kinds: readonly Kind[];
	schemas: Schemas;
	descriptions: Descriptions;
	/** As reported by `/version`. */
	version: string;
}

const strategicPatch = "application/strategic-merge-patch+json";
const patchTypes = [
	"application/json-patch+json",
	"application/merge-patch+json",
	strategicPatch,
	"application/apply-patch+yaml",
];
const contentTypes = ["application/json", "application/yaml"];
const info = (version: string) => ({ title: "Kubernetes", version });
const bearerToken = { type: "apiKey", description: "Bearer token", name: "authorization", in: "header" };

interface TaggedPath extends Path {
	tag: string;
	/** Content types of patches. */
	patches: readonly string[];
}

/** `/openapi/v2` */
export function documentV2(source: Source): object {
	const definitions = new Definitions(source.schemas);
	// Current versions first, so that they come first among the kinds of a definition.
	const paths = source.groups.flatMap((group) =>
		group.versions.flatMap((served) => collect(source, definitions, group.name, served.version, served.resources)),
	);
	const document = {
		swagger: "2.0",
		info: info(source.version),
		paths: Object.fromEntries(sortedPaths(paths).map((path) => [path.path, pathV2(path)])),
		definitions: renderDefinitions(definitions, source.descriptions, "v2"),
		securityDefinitions: { BearerToken: bearerToken },
		security: [{ BearerToken: [] }],
	};
	return document;
}

/** `/openapi/v3/apis/{group}/{version}`, `/openapi/v3/api/v1`; undefined for what is not served. */
export function documentV3(source: Source, group: string, version: string): object | undefined {
	const served = source.groups
		.find(({ name }) => name === group)
		?.versions.find((candidate) => candidate.version === version);
	if (served === undefined) return undefined;
	const definitions = new Definitions(source.schemas);
	const paths = collect(source, definitions, group, version, served.resources);
	return {
		openapi: "3.0.0",
		info: info(source.version),
		paths: Object.fromEntries(sortedPaths(paths).map((path) => [path.path, pathV3(path)])),
		components: {
			schemas: renderDefinitions(definitions, source.descriptions, "v3"),
			securitySchemes: { BearerToken: bearerToken },
		},
		security: [{ BearerToken: [] }],
	};
}

function sortedPaths(paths: readonly TaggedPath[]): TaggedPath[] {
	return paths.toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

/** Adds the kinds of a group version to the definitions. Returns their paths. */
function collect(
	source: Source,
	definitions: Definitions,
	group: string,
	version: string,
	resources: readonly ServedResource[],
): TaggedPath[] {
	const status = definitions.addType("Status", { group: "", kind: "Status", version: "v1" });
	const deleteOptions = definitions.addType("DeleteOptions", { group, kind: "DeleteOptions", version });
	const patch = definitions.addPlain("io.k8s.apimachinery.pkg.apis.meta.v1.Patch");
	const watchEvent = definitions.addType("WatchEvent", { group, kind: "WatchEvent", version });
	definitions.addType("APIResourceList", { group: "", kind: "APIResourceList", version: "v1" });
	return resources.flatMap((resource) => {
		const gvk: GroupVersionKind = { group, kind: resource.kind, version };
		const kind = storedKind(source.kinds, group, version, resource.plural);
		const stored = kind?.schema;
		const type = stored ?? typeOfKind(gvk);
		if (type === undefined) return [];
		const own = ownDefinitions(definitions, kind, type, gvk);
		const subresource = ({ kind, group: otherGroup, version: otherVersion }: Subresource) => {
			if (kind === resource.kind && otherGroup === undefined) return own.object;
			const other = { group: otherGroup ?? group, kind, version: otherVersion ?? version };
			const otherType = typeOfKind(other);
			return otherType && definitions.addType(otherType, other);
		};
		const paths = pathsOf(group, version, resource, { ...own, subresource, status, deleteOptions, patch, watchEvent });
		const patches = patchTypes.filter((patchType) => !kind?.isCustom || patchType !== strategicPatch);
		return paths.map((path) => ({ ...path, tag: tagOf(group, version), patches }));
	});
}

/** A stored kind as it is served under a group and version. */
interface StoredKind {
	/** Its type. */
	schema: string;
	listKind: string | undefined;
	isCustom: boolean;
	jsonSchema: Definition["custom"];
}

function storedKind(kinds: readonly Kind[], group: string, version: string, plural: string): StoredKind | undefined {
	const stored = ({ schema, listKind, custom }: Kind, type = schema): StoredKind => ({
		schema: type,
		listKind,
		isCustom: custom !== undefined,
		jsonSchema: custom?.jsonSchema(),
	});
	for (const kind of kinds) {
		if (kind.plural !== plural) continue;
		if (kind.group === group && kind.version === version) return stored(kind);
		const served = kind.servedAs?.find((other) => other.group === group && other.version === version);
		if (served !== undefined) return stored(served.as ?? kind, served.schema);
	}
	return undefined;
}

function ownDefinitions(
	definitions: Definitions,
	kind: StoredKind | undefined,
	type: string,
	gvk: GroupVersionKind,
): { object: string; list?: string } {
	if (kind === undefined) return { object: definitions.addType(type, gvk) };
	if (!kind.isCustom) return definitions.addKind(type, gvk);
	return definitions.addCustom(kind.jsonSchema, gvk, kind.listKind ?? `${gvk.kind}List`);
}

function pathV2({ parameters, operations, tag, patches }: TaggedPath): object {
	const methods = operations.map((operation) => [operation.method, operationV2(operation, tag, patches)] as const);
	return { ...Object.fromEntries(methods), ...listed(parameters, parameterV2) };
}

function operationV2(operation: Operation, tag: string, patches: readonly string[]): object {
	const { body } = operation;
	const bodies = body && [
		{
			name: "body",
			in: "body",
			...(!body.optional && { required: true }),
			schema: { $ref: referenceTo(body.definition, "v2") },
		},
	];
	return {
		description: operation.description,
		consumes: body?.patch ? patches : ["*/*"],
		produces: operation.answer === "text" ? ["*/*"] : contentTypes,
		schemes: ["https"],
		tags: [tag],
		operationId: operation.id,
		parameters: [...(bodies ?? []), ...operation.parameters.map(parameterV2)],
		responses: responses(operation, (answer) => ({
			schema: answer === "text" ? { type: "string" } : { $ref: referenceTo(answer.definition, "v2") },
		})),
		"x-kubernetes-action": operation.action,
		"x-kubernetes-group-version-kind": operation.kind,
	};
}

/** An empty list is left out: readers that write the document again do so, too. */
function listed(parameters: readonly Parameter[], form: (parameter: Parameter) => object): object {
	return parameters.length === 0 ? {} : { parameters: parameters.map(form) };
}

function parameterV2(parameter: Parameter): object {
	return { uniqueItems: true, ...parameter, ...(parameter.in === "path" && { required: true }) };
}

function responses(operation: Operation, content: (answer: Content) => object): object {
	const texts: Record<number, string> = { 200: "OK", 201: "Created", 202: "Accepted" };
	const codes = operation.codes.map((code) => [code, { description: texts[code] ?? "", ...content(operation.answer) }]);
	return { ...Object.fromEntries(codes), 401: { description: "Unauthorized" } };
}

function pathV3({ parameters, operations, tag, patches }: TaggedPath): object {
	const methods = operations.map((operation) => [operation.method, operationV3(operation, tag, patches)] as const);
	return { ...Object.fromEntries(methods), ...listed(parameters, parameterV3) };
}

function operationV3(operation: Operation, tag: string, patches: readonly string[]): object {
	const { body, answer } = operation;
	const dialect: Dialect = "v3";
	const contentOf = (types: readonly string[], schema: object) => ({
		content: Object.fromEntries(types.map((type) => [type, { schema }])),
	});
	const types = answer === "text" ? ["*/*"] : contentTypes;
	const schema = answer === "text" ? { type: "string" } : { $ref: referenceTo(answer.definition, dialect) };
	return {
		tags: [tag],
		description: operation.description,
		operationId: operation.id,
		...listed(operation.parameters, parameterV3),
		...(body && {
			requestBody: {
				...contentOf(body.patch ? patches : ["*/*"], { $ref: referenceTo(body.definition, dialect) }),
				...(!body.optional && { required: true }),
			},
		}),
		responses: responses(operation, () => contentOf(types, schema)),
		"x-kubernetes-action": operation.action,
		"x-kubernetes-group-version-kind": operation.kind,
	};
}

function parameterV3({ name, in: place, description, type }: Parameter): object {
	return {
		name,
		in: place,
		description,
		...(place === "path" && { required: true }),
		schema: { type, uniqueItems: true },
	};
}
