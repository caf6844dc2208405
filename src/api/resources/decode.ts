/** Decodes a body to an object of the stored version: required and accepted kinds, and errors in fields. */
import { ApiError } from "../../core/errors.ts";
import { isRecord, type KubeObject } from "../../core/object.ts";
import { shown } from "../../core/shown.ts";
import { schemasOf } from "../../kinds/builtin-schemas.ts";
import { apiVersionOf, type Kind, type ServedVersion } from "../../kinds/engine/kind.ts";
import { decode } from "../../kinds/schema.ts";
import type { Context } from "../server/server.ts";
import { type Body, readObjectBody } from "../wire/body.ts";
import type { Target } from "./target.ts";

export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** Of a query that has been checked. */
function fieldValidationOf(query: URLSearchParams): FieldValidation {
	const text = query.get("fieldValidation");
	return text === "Ignore" || text === "Strict" ? text : "Warn";
}

/**
 * A new object of the target's kind in its stored version, with defaults, that may be changed.
 * @param options.skips fields that are empty in the result, because the caller has their contents already
 * @throws ApiError BadRequest when the body is of another kind, or has values of wrong types, or (Strict) unknown
 *   fields
 */
export function decodeObject(
	context: Context,
	target: Target,
	body: Body,
	options: {
		defaults?: boolean;
		/** See `DecodeOptions`. */
		isMap?: boolean;
		skips?: (field: string, content: unknown) => boolean;
		/** Makes the error of a value of the wrong type, where the value is not what a client sent. */
		wrongType?: (why: string) => ApiError;
	} = {},
): KubeObject {
	const { kind, served, apiVersion } = target;
	const value = asRecord(body.value, kind.kind);
	const foundVersion = typeof value["apiVersion"] === "string" ? value["apiVersion"] : "";
	const foundKind = typeof value["kind"] === "string" ? value["kind"] : "";
	if (foundKind !== "" && foundKind !== kind.kind)
		throw cannotBeHandled(foundKind, foundVersion, kind.kind, wrongKind(foundKind, foundVersion));
	if (foundVersion !== "" && foundVersion !== apiVersion) {
		throw new ApiError(
			"BadRequest",
			`the API version in the data (${foundVersion}) does not match the expected API version (${apiVersion})`,
		);
	}
	const partial = options.defaults === false;
	const { skips, isMap = false } = options;
	// A conversion reads the whole object.
	const sent = skips === undefined || served !== undefined ? value : hollowed(value, skips);
	const { object, problems, unknownFields } =
		kind.decode?.(sent, { partial }) ??
		decode(sent, served?.schema ?? kind.schema, schemasOf(kind), { partial, isMap });
	const problem = problems[0];
	if (problem !== undefined)
		throw options.wrongType?.(problem.message) ?? cannotBeHandled(kind.kind, apiVersion, kind.kind, problem.message);
	if (partial && unknownFields.length > 0) throw undeclared(target, object, unknownFields);
	reportFields(context, target, unknownFields, body);
	if (served !== undefined) {
		object.metadata ??= {} as KubeObject["metadata"];
		served.toStorage(object);
	}
	const normal = normalised(object, apiVersionOf(kind), kind.kind);
	if (!partial) kind.setDefaults?.(normal);
	return normal;
}

/**
 * What a verb would store of an object that the cluster itself has written down.
 * @throws Error when it is not what its kind says: nobody sent it, so it is the program that is wrong
 */
export function decodeOwn(kind: Kind, draft: Record<string, unknown>): KubeObject {
	const { object, problems, unknownFields } = kind.decode?.(draft, {}) ?? decode(draft, kind.schema, schemasOf(kind));
	const wrong = problems[0]?.message ?? unknownFields[0];
	if (wrong !== undefined) throw new Error(`${kind.kind} of the cluster itself: ${wrong}`);
	const normal = normalised(object, apiVersionOf(kind), kind.kind);
	kind.setDefaults?.(normal);
	return normal;
}

/**
 * An object of the stored version from what admission has made of it in a version that is served.
 * @throws ApiError InternalError when it is no object of the kind any more
 */
export function decodeAdmitted(kind: Kind, served: ServedVersion | undefined, value: unknown): KubeObject {
	const { object, problems } =
		kind.decode?.(asRecord(value, kind.kind), {}) ?? decode(value, served?.schema ?? kind.schema, schemasOf(kind));
	const problem = problems[0];
	if (problem !== undefined) throw new ApiError("InternalError", `Internal error occurred: ${problem.message}`);
	served?.toStorage(object);
	const normal = normalised(object, apiVersionOf(kind), kind.kind);
	kind.setDefaults?.(normal);
	return normal;
}

/**
 * The body of a request about something that is not stored: a review, a binding, a token. What is null or missing is
 * undefined; an empty body is an empty object.
 * @param schema the type's name in the generated schemas
 * @throws ApiError BadRequest
 */
export function decodeUnstored(context: Context, schema: string, kind: string): object {
	const body = readObjectBody(context.request, kind);
	const value = body.value === undefined ? {} : asRecord(body.value, kind);
	const apiVersion = typeof value["apiVersion"] === "string" ? value["apiVersion"] : "";
	const found = typeof value["kind"] === "string" ? value["kind"] : "";
	if (found !== "" && found !== kind) throw cannotBeHandled(found, apiVersion, kind, wrongKind(found, apiVersion));
	const { object, problems, unknownFields } = decode(value, schema, undefined, { partial: true });
	if (problems[0] !== undefined) throw cannotBeHandled(kind, apiVersion, kind, problems[0].message);
	reportFields(context, { kind: { kind }, apiVersion }, unknownFields, body);
	return object;
}

function reportFields(
	context: Context,
	{ kind, apiVersion }: { kind: { kind: string }; apiVersion: string },
	unknownFields: readonly string[],
	{ duplicateFields, repeatedKeys = [] }: Body,
): void {
	const complaints = [
		...unknownFields.map((field) => `unknown field "${field}"`),
		...duplicateFields.map((field) => `duplicate field "${field}"`),
	];
	if (complaints.length === 0 && repeatedKeys.length === 0) return;
	const validation = fieldValidationOf(context.request.query);
	if (validation === "Ignore") return;
	if (validation === "Strict") {
		const all = repeatedKeys.length === 0 ? complaints : [yamlError(repeatedKeys), ...complaints];
		throw cannotBeHandled(kind.kind, apiVersion, kind.kind, `strict decoding error: ${all.join(", ")}`);
	}
	context.warnings.push(...repeatedKeys, ...complaints);
}

/** As `decodeObject` does, for a configuration that is applied. @throws ApiError BadRequest */
export function reportRepeatedKeys(context: Context, repeatedKeys: readonly string[]): void {
	const validation = fieldValidationOf(context.request.query);
	if (repeatedKeys.length === 0 || validation === "Ignore") return;
	if (validation === "Warn") context.warnings.push(...repeatedKeys);
	else {
		const why = `error converting YAML to JSON: ${yamlError(repeatedKeys)}`;
		throw new ApiError("BadRequest", `error strict decoding YAML: ${why}`);
	}
}

function yamlError(complaints: readonly string[]): string {
	return ["yaml: unmarshal errors:", ...complaints].join("\n  ");
}

/** Nobody can own a field that the type does not have, so what is applied must not have it. */
function undeclared(
	{ kind, apiVersion, namespace = "" }: Target,
	object: KubeObject,
	paths: readonly string[],
): ApiError {
	const errors = paths.map((path) => `.${path}: field not declared in schema`);
	const list = errors.length === 1 ? errors[0] : `errors:\n${errors.map((error) => `  ${error}`).join("\n")}`;
	const name = `${namespace}/${object.metadata?.name ?? ""}`;
	return new ApiError(
		"BadRequest",
		`failed to create typed patch object (${name}; ${apiVersion}, Kind=${kind.kind}): ${list}`,
	);
}

/** The keys in the order that the cache relies on: apiVersion, kind, metadata, then the rest as it came. */
function normalised(object: KubeObject, apiVersion: string, kind: string): KubeObject {
	const { apiVersion: _version, kind: _kind, metadata, ...rest } = object;
	return { apiVersion, kind, metadata: metadata ?? {}, ...rest };
}

/** `Deployment in version "v1" cannot be handled as a Deployment: …`: the version is without its group. */
function cannotBeHandled(foundKind: string, apiVersion: string, wantedKind: string, why: string): ApiError {
	const version = apiVersion.slice(apiVersion.indexOf("/") + 1);
	return new ApiError(
		"BadRequest",
		`${foundKind} in version "${version}" cannot be handled as a ${wantedKind}: ${why}`,
	);
}

function wrongKind(kind: string, apiVersion: string): string {
	return `no kind "${kind}" is registered for version "${apiVersion}" at this resource`;
}

/** With the fields in their places, so that all objects of a kind have one shape. */
function hollowed(value: Record<string, unknown>, skips: (field: string, content: unknown) => boolean) {
	const rest: Record<string, unknown> = {};
	for (const field in value) {
		const content = value[field];
		rest[field] = isRecord(content) && skips(field, content) ? {} : content;
	}
	return rest;
}

function asRecord(value: unknown, kind: string): Record<string, unknown> {
	if (isRecord(value)) return value;
	const text = value === undefined ? "<empty>" : shown(value).slice(0, 100);
	const why =
		value === undefined
			? "couldn't get version/kind; json parse error: unexpected end of JSON input"
			: `couldn't get version/kind; json parse error: json: cannot unmarshal ${goTypeOf(value)} into Go value of type struct { APIVersion string "json:"apiVersion,omitempty""; Kind string "json:"kind,omitempty"" }`;
	throw new ApiError("BadRequest", `the object provided is unrecognized (must be of type ${kind}): ${why} (${text})`);
}

function goTypeOf(value: unknown): string {
	if (Array.isArray(value)) return "array";
	return typeof value === "boolean" ? "bool" : typeof value;
}
