/**
 * OpenAPI v2 of an extension API server as OpenAPI v3, for clients that read no other (`kubectl explain`). As upstream's
 * kube-openapi converts it.
 */
import { isRecord, setField } from "../../core/object.ts";
import { referenceTo } from "./dialect.ts";
import type { Part } from "./merged.ts";

type Fields = Readonly<Record<string, unknown>>;

/** @param version as reported by `/version` */
export function convertedDocument({ paths, definitions }: Part, version: string): object {
	return {
		openapi: "3.0.0",
		info: { title: "Kubernetes", version },
		paths: mapped(paths, pathItem),
		components: { schemas: mapped(definitions, schema) },
	};
}

const methods: ReadonlySet<string> = new Set(["get", "put", "post", "delete", "options", "head", "patch"]);

function pathItem(item: Fields): object {
	const result: Record<string, unknown> = extensionsOf(item);
	for (const [key, value] of Object.entries(item)) {
		if (methods.has(key) && isRecord(value)) result[key] = operation(value);
		if (key === "parameters") result[key] = recordsOf(value).map(parameter);
	}
	return result;
}

function operation(old: Fields): object {
	const parameters = recordsOf(old["parameters"]);
	const body = parameters.find((one) => one["in"] === "body" && isRecord(one["schema"]));
	const { tags, summary, description, operationId, deprecated, consumes, produces, responses } = old;
	return {
		...extensionsOf(old),
		...given({ tags, summary, description, operationId, deprecated }),
		parameters: parameters.filter((one) => one !== body).map(parameter),
		...(body && { requestBody: { content: contentOf(consumes, body["schema"]), ...given(pick(body, "required")) } }),
		responses: mapped(isRecord(responses) ? responses : {}, (response) => ({
			...given(pick(response, "description")),
			...(response["schema"] !== undefined && { content: contentOf(produces, response["schema"]) }),
		})),
	};
}

function contentOf(types: unknown, old: unknown): object {
	const converted = { schema: isRecord(old) ? schema(old) : {} };
	return Object.fromEntries(Array.isArray(types) ? types.map((type) => [String(type), converted]) : []);
}

function parameter(old: Fields): object {
	return {
		...extensionsOf(old),
		...given(pick(old, "name", "in", "description", "required", "allowEmptyValue")),
		schema: isRecord(old["schema"]) ? schema(old["schema"]) : given(pick(old, "type", "format", "uniqueItems")),
	};
}

function schema(old: Fields): object {
	const { $ref, ...rest } = old;
	const result: Record<string, unknown> = {};
	for (const [keyword, value] of Object.entries(rest)) setField(result, keyword, keywordOf(keyword, value));
	if (typeof $ref !== "string") return result;
	const reference = { $ref: referenceTo($ref.slice($ref.lastIndexOf("/") + 1), "v3") };
	// Beside a bare reference v3 allows nothing else.
	return Object.keys(rest).length === 0 ? reference : { ...result, allOf: [reference] };
}

function keywordOf(keyword: string, value: unknown): unknown {
	if (keyword === "properties") return isRecord(value) ? mapped(value, schema) : value;
	if (keyword === "items" || keyword === "additionalProperties") return isRecord(value) ? schema(value) : value;
	return keyword === "allOf" ? recordsOf(value).map(schema) : value;
}

/** What is no object is left out. */
function mapped(record: Fields, change: (value: Fields) => object): Record<string, object> {
	const result: Record<string, object> = {};
	for (const [key, value] of Object.entries(record)) if (isRecord(value)) setField(result, key, change(value));
	return result;
}

function recordsOf(value: unknown): Fields[] {
	return Array.isArray(value) ? value.filter(isRecord) : [];
}

function extensionsOf(record: Fields): Record<string, unknown> {
	return Object.fromEntries(Object.entries(record).filter(([key]) => key.startsWith("x-")));
}

function pick(record: Fields, ...names: string[]): Fields {
	return Object.fromEntries(names.map((name) => [name, record[name]]));
}

function given(record: Fields): Fields {
	return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
