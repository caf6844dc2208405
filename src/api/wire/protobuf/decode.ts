/**
 * Objects in protobuf, which kubectl sends when it makes objects of its own (`kubectl create deployment`), as the JSON
 * values that they stand for. Answers are never in protobuf: clients that send it also read JSON.
 */
import { ApiError } from "../../../core/errors.ts";
import { WireReader } from "../../../core/protobuf/wire-reader.ts";
import { wireTypes } from "../../../core/protobuf/wire-types.ts";
import { weigh } from "../../../core/text/json-limits.ts";
import { lookupKind } from "../../../kinds/catalog.ts";
import { definitionNames } from "../../../kinds/facts.ts";
import { hasNumbers } from "./field-numbers.ts";
import { type Fields, messageDecoder } from "./message-decoder.ts";

const magic = Buffer.from("k8s\0");
const first = 8 + wireTypes.bytes;
const second = 16 + wireTypes.bytes;

/** @throws ApiError BadRequest, RequestEntityTooLarge */
export function decodeProtobuf(bytes: Uint8Array): Fields {
	if (bytes.length < magic.length || magic.compare(bytes, 0, magic.length) !== 0)
		throw new ApiError(
			"BadRequest",
			"provided data does not appear to be a protobuf message, expected prefix 6b3873 00",
		);
	const reader = new WireReader(bytes.subarray(magic.length));
	let apiVersion = "";
	let kind = "";
	let raw: { start: number; end: number } | undefined;
	// runtime.Unknown: a type, and the bytes of an object of the type.
	for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
		if (tag === first) {
			const outerEnd = reader.enterLeaf();
			for (let inner = reader.tag(); inner !== 0; inner = reader.tag()) {
				if (inner === first) apiVersion = reader.text();
				else if (inner === second) kind = reader.text();
				else reader.skip(inner, 2);
			}
			reader.leaveLeaf(outerEnd);
		} else if (tag === second) raw = reader.mark();
		else reader.skip(tag, 2);
	}
	const object: Fields = { apiVersion, kind };
	const decoder = messageDecoder(schemaOf(apiVersion, kind));
	if (raw !== undefined) {
		reader.revisit(raw);
		decoder.readInto(reader, object);
	}
	// What is free-form in it is JSON.
	weigh(object);
	return object;
}

/** These are read alike in every version in which they ever came, as they are when they come in JSON. */
const sameInEveryVersion: ReadonlySet<string> = new Set(["DeleteOptions", "Eviction", "Scale"]);

/** The schema of `apps/v1 Deployment`: by its full name, since short ones are not all unique. */
function schemaOf(apiVersion: string, kind: string): string {
	if (sameInEveryVersion.has(kind)) return kind;
	const known = lookupKind(apiVersion, kind);
	if (known !== undefined) return known.served?.schema ?? known.kind.schema;
	const [group = "", version] = apiVersion.includes("/") ? apiVersion.split("/") : ["core", apiVersion];
	const packageName = group.split(".")[0] ?? "";
	for (const name of [`io.k8s.api.${packageName}.${version}.${kind}`, ...otherPackages(packageName, version, kind)]) {
		const schema = schemasByDefinition().get(name);
		if (schema !== undefined && hasNumbers(schema)) return schema;
	}
	throw new ApiError(
		"BadRequest",
		`no kind "${kind}" is registered for version "${apiVersion}" in protobuf; send JSON`,
	);
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
