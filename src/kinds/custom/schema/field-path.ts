/** Paths of fields as rules and selectable fields name them: `.spec.limits['cpu']`. */
import { messageOf } from "../../../core/errors.ts";
import { hasProperties, propertyOf, type SchemaProps, valuesOf } from "./schema-props.ts";

export interface FieldPath {
	/** Path as messages have it: `spec.limits[cpu]`. */
	readonly text: string;
	/** Name of the field at the top. */
	readonly top: string;
	/** Schema of what the path leads to; undefined where anything may stand. */
	readonly schema: SchemaProps | undefined;
}

export interface FieldPathOptions {
	/** Whether names may stand in brackets. Default: true. */
	brackets?: boolean;
}

/** Delimiters, texts in single quotes, and the text between them. */
const token = /[.[\]]|'(?:[^'\\]|\\.)*'|[^.[\]]+/gs;

/** The path as upstream reads it. @throws Error when no value of the schema has such a field */
export function fieldPathIn(text: string, root: SchemaProps, { brackets = true }: FieldPathOptions = {}): FieldPath {
	const tokens = text.match(token) ?? [];
	let [schema, path, top]: [SchemaProps | undefined, string, string] = [root, "", ""];
	for (let at = 0; at < tokens.length; at += 2) {
		const sign = tokens[at];
		if (sign !== "." && sign !== "[") throw new Error(`expected [ or . but got: ${sign}`);
		if (sign === "[" && !brackets) throw new Error("array notation is not allowed");
		const next = tokens[at + 1];
		if (next === undefined) throw new Error("unexpected end of JSON path");
		const name: string = sign === "." ? next : unquoted(next);
		const step = stepInto(schema, name);
		path += step.isField ? `${path === "" ? "" : "."}${name}` : `[${name}]`;
		schema = step.schema;
		if (top === "") top = name;
		if (sign !== "[") continue;
		const closing = tokens[at + 2];
		if (closing !== "]") throw new Error(closing ? `expected ] but got ${closing}` : "unexpected end of JSON path");
		at++;
	}
	return { text: path, top, schema };
}

function stepInto(
	schema: SchemaProps | undefined,
	name: string,
): { schema: SchemaProps | undefined; isField: boolean } {
	if (schema !== undefined && hasProperties(schema)) {
		const property = propertyOf(schema, name);
		if (property !== undefined) return { schema: property, isField: true };
	} else if (schema?.additionalProperties !== undefined) return { schema: valuesOf(schema), isField: false };
	throw new Error("does not refer to a valid field");
}

const escapes: Readonly<Record<string, string>> = {
	a: "\u0007",
	b: "\b",
	f: "\f",
	n: "\n",
	r: "\r",
	t: "\t",
	v: "\v",
	"'": "'",
	"\\": "\\",
};

function unquoted(text: string): string {
	if (text.length < 2 || !text.startsWith("'") || !text.endsWith("'"))
		throw new Error(`expected single quoted string but got ${text}`);
	return text.slice(1, -1).replace(/\\(.)/gs, (found, character: string) => {
		const meant = Object.hasOwn(escapes, character) ? escapes[character] : undefined;
		if (meant === undefined) throw new Error(`invalid string literal: invalid escape char ${found}`);
		return meant;
	});
}

/** Why a path is none of the schema; undefined when it is one. */
export function fieldPathProblem(text: string, schema: SchemaProps): string | undefined {
	try {
		fieldPathIn(text, schema);
		return undefined;
	} catch (error) {
		return messageOf(error);
	}
}
