/**
 * Stored definitions, whose schemas are most of their JSON: a cluster may have hundreds, and most are never looked at
 * again. A schema is parsed when someone reads it, and again when it is read after it was dropped.
 */
import { deepFreeze, type KubeObject } from "../../core/object.ts";
import type { CustomResourceDefinition, JSONSchemaProps } from "../generated/types.ts";

/** How a schema begins in the JSON; within a text its quotes would be escaped. */
const opening = Buffer.from('"openAPIV3Schema":{');
const emptySchema = Buffer.from("{}");

const [quote, backslash, open, close] = Buffer.from('"\\{}') as unknown as [number, number, number, number];

/** @param json of the store, which was written by `JSON.stringify`: without blanks */
export function parseDefinition(json: Buffer): KubeObject {
	const kept: Buffer[] = [];
	const schemas: Buffer[] = [];
	let from = 0;
	for (let at = json.indexOf(opening); at >= 0; at = json.indexOf(opening, from)) {
		const start = at + opening.length - 1;
		const end = endOfObject(json, start);
		kept.push(json.subarray(from, start), emptySchema);
		schemas.push(json.subarray(start, end));
		from = end;
	}
	kept.push(json.subarray(from));
	// The store holds nothing but what the API has accepted as a definition.
	const definition = JSON.parse(Buffer.concat(kept).toString()) as CustomResourceDefinition & KubeObject;
	let next = 0;
	for (const { schema } of definition.spec.versions)
		if (schema?.openAPIV3Schema !== undefined) parseWhenRead(schema, schemas[next++] ?? emptySchema);
	return definition;
}

function parseWhenRead(schema: { openAPIV3Schema?: JSONSchemaProps }, json: Buffer): void {
	let last: WeakRef<JSONSchemaProps> | undefined;
	Object.defineProperty(schema, "openAPIV3Schema", {
		enumerable: true,
		get(): JSONSchemaProps {
			let value = last?.deref();
			if (value === undefined) {
				value = deepFreeze(JSON.parse(json.toString()) as JSONSchemaProps);
				last = new WeakRef(value);
			}
			return value;
		},
	});
	// Whoever freezes the definition need not read the schema.
	Object.freeze(schema);
}

/** @param start of an object in JSON. @returns where it has ended */
function endOfObject(json: Buffer, start: number): number {
	let depth = 0;
	for (let at = start; at < json.length; at++) {
		const byte = json[at];
		if (byte === quote) at = endOfText(json, at + 1);
		else if (byte === open) depth++;
		else if (byte === close && --depth === 0) return at + 1;
	}
	throw new Error("a stored schema has no end");
}

/** @param start of a text in JSON, behind its quote. @returns where the other one is */
function endOfText(json: Buffer, start: number): number {
	for (let at = json.indexOf(quote, start); at >= 0; at = json.indexOf(quote, at + 1)) {
		let first = at;
		while (json[first - 1] === backslash) first--;
		// Of two backslashes the second is what the first one escapes.
		if ((at - first) % 2 === 0) return at;
	}
	return json.length;
}
