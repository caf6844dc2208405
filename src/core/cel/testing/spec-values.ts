import type { Type as SpecType } from "@bufbuild/cel-spec/cel/expr/checked_pb.js";
import type { Value as SpecValue } from "@bufbuild/cel-spec/cel/expr/value_pb.js";
import {
	boolType,
	bytesType,
	doubleType,
	durationType,
	dynType,
	intType,
	listType,
	mapType,
	nullType,
	opaqueType,
	stringType,
	type Type,
	timestampType,
	typeParameter,
	typeType,
	uintType,
} from "../types/type.ts";
import { MapBuilder } from "../values/cel-map.ts";
import { intOf, uintOf } from "../values/integers.ts";
import { asDouble } from "../values/kind.ts";
import { TypeValue } from "../values/value.ts";

/** Values and types of the published tests as ours. Undefined for those of messages, which Kubernetes does not have. */

const primitives = [dynType, boolType, intType, uintType, doubleType, stringType, bytesType];

export function typeFrom(type: SpecType | undefined): Type | undefined {
	const kind = type?.typeKind;
	switch (kind?.case) {
		case "dyn":
			return dynType;
		case "null":
			return nullType;
		case "primitive":
			return primitives[kind.value];
		case "wellKnown":
			return [dynType, dynType, timestampType, durationType][kind.value];
		case "listType": {
			const items = typeFrom(kind.value.elemType);
			return items && listType(items);
		}
		case "mapType": {
			const [keys, values] = [typeFrom(kind.value.keyType), typeFrom(kind.value.valueType)];
			return keys && values && mapType(keys, values);
		}
		case "typeParam":
			return typeParameter(kind.value);
		case "type":
			return typeType(kind.value.typeKind.case === undefined ? undefined : typeFrom(kind.value));
		case "abstractType": {
			const parameters = kind.value.parameterTypes.map(typeFrom);
			const known = parameters.filter((parameter) => parameter !== undefined);
			return known.length === parameters.length ? opaqueType(kind.value.name, ...known) : undefined;
		}
		default:
			return undefined;
	}
}

export function valueFrom({ kind }: SpecValue): unknown {
	switch (kind.case) {
		case "nullValue":
			return null;
		case "boolValue":
		case "stringValue":
		case "bytesValue":
			return kind.value;
		case "int64Value":
			return intOf(kind.value);
		case "uint64Value":
			return uintOf(kind.value);
		case "doubleValue":
			return asDouble(kind.value);
		case "typeValue":
			return new TypeValue(kind.value);
		case "listValue": {
			const items = kind.value.values.map(valueFrom);
			return items.includes(undefined) ? undefined : items;
		}
		case "mapValue": {
			const map = new MapBuilder();
			for (const { key, value } of kind.value.entries) {
				const [name, held] = [key && valueFrom(key), value && valueFrom(value)];
				if (name === undefined || held === undefined) return undefined;
				map.add(name, held);
			}
			return map.build();
		}
		default:
			return undefined;
	}
}
