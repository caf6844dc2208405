/** The types of a kind's objects in expressions. */
import {
	boolType,
	bytesType,
	doubleType,
	dynType,
	escapeName,
	intType,
	listType,
	mapType,
	objectType,
	stringType,
	type Type,
	timestampType,
	unescapeName,
} from "../../core/cel/cel.ts";
import type { FieldSchema } from "../../core/patches/schema.ts";
import { schemasOf } from "../../kinds/builtin-schemas.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import type { Schemas } from "../../kinds/engine/type-schema.ts";

/** Quantities, and what may be a number or a text, are not among them: they may be anything. */
const scalars: Readonly<Record<string, Type>> = {
	string: stringType,
	boolean: boolType,
	int32: intType,
	int64: intType,
	number: doubleType,
	bytes: bytesType,
	time: timestampType,
	microTime: timestampType,
};

/** The texts of custom resources may be anything, because their formats, such as times, are not known here. */
const customScalars: Readonly<Record<string, Type>> = { ...scalars, string: dynType };

/** @param schema the name of the type of the objects */
export function declaredType(kind: Kind, schema = kind.schema): Type {
	return named(schema, schemasOf(kind), kind.schemas === undefined ? scalars : customScalars);
}

function named(name: string, schemas: Schemas, scalarTypes: Readonly<Record<string, Type>>): Type {
	const fields = schemas.type(name);
	if (fields === undefined) return (Object.hasOwn(scalarTypes, name) ? scalarTypes[name] : undefined) ?? dynType;
	return objectType(name, {
		field(escaped) {
			const key = unescapeName(escaped);
			if (key === undefined || !Object.hasOwn(fields, key) || escapeName(key) !== escaped) return undefined;
			const field = fields[key];
			return field && { key, type: ofField(field, schemas, scalarTypes) };
		},
	});
}

function ofField(field: FieldSchema, schemas: Schemas, scalarTypes: Readonly<Record<string, Type>>): Type {
	const { type, of, items } = field;
	const part = () => (items === undefined ? named(type, schemas, scalarTypes) : ofField(items, schemas, scalarTypes));
	switch (of) {
		case "array":
			return listType(part());
		case "map":
			return mapType(stringType, part());
		case "arrayMap":
			return mapType(stringType, listType(part()));
		default:
			return named(type, schemas, scalarTypes);
	}
}
