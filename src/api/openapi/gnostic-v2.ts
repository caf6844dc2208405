/**
 * OpenAPI v2 as `openapi.v2.Document`, the protobuf form in which kubectl asks for it. Numbers are from gnostic's
 * openapiv2/OpenAPIv2.proto; what our documents never have is left out.
 */
import { isRecord } from "../../core/object.ts";
import { encodeMessage, type ProtoMessage, type ProtoTable } from "../wire/protobuf/encode.ts";
import { double, extensions, flag, integer, isReference, list, map, one, text, texts } from "./gnostic-fields.ts";

const parameterFields = (shift: number): ProtoMessage["fields"] => ({
	required: flag(1),
	in: text(2),
	description: text(3),
	name: text(4),
	type: text(5 + shift),
	format: text(6 + shift),
	uniqueItems: flag(19 + shift),
});

const table: ProtoTable = {
	Document: {
		fields: {
			swagger: text(1),
			info: one(2, "Info"),
			paths: one(8, "Paths"),
			definitions: map(9, "Schema"),
			security: list(12, "SecurityRequirement"),
			securityDefinitions: map(13, "SecurityDefinition"),
		},
	},
	Info: { fields: { title: text(1), version: text(2), description: text(3) } },
	Paths: { fields: {}, others: { number: 2, type: "PathItem" }, othersPrefix: "/" },
	PathItem: {
		fields: {
			get: one(2, "Operation"),
			put: one(3, "Operation"),
			post: one(4, "Operation"),
			delete: one(5, "Operation"),
			patch: one(8, "Operation"),
			parameters: list(9, "ParametersItem"),
		},
	},
	Operation: {
		fields: {
			tags: texts(1),
			description: text(3),
			operationId: text(5),
			produces: texts(6),
			consumes: texts(7),
			parameters: list(8, "ParametersItem"),
			responses: one(9, "Responses"),
			schemes: texts(10),
		},
		...extensions(13),
	},
	ParametersItem: { fields: {}, oneOf: () => ({ number: 1, type: "Parameter" }) },
	Parameter: {
		fields: {},
		oneOf: (value) =>
			isRecord(value) && value["in"] === "body" ? one(1, "BodyParameter") : one(2, "NonBodyParameter"),
	},
	BodyParameter: {
		fields: { description: text(1), name: text(2), in: text(3), required: flag(4), schema: one(5, "Schema") },
	},
	NonBodyParameter: {
		fields: {},
		oneOf: (value) => (isRecord(value) && value["in"] === "query" ? one(3, "QueryParameter") : one(4, "PathParameter")),
	},
	// One more field than those of a path: allow_empty_value, before the type.
	QueryParameter: { fields: parameterFields(1) },
	PathParameter: { fields: parameterFields(0) },
	Responses: { fields: {}, others: { number: 1, type: "ResponseValue" } },
	ResponseValue: { fields: {}, oneOf: (value) => (isReference(value) ? one(2, "Reference") : one(1, "Response")) },
	Reference: { fields: { $ref: text(1) } },
	Response: { fields: { description: text(1), schema: one(2, "SchemaItem") } },
	SchemaItem: { fields: {}, oneOf: () => one(1, "Schema") },
	Schema: {
		fields: {
			$ref: text(1),
			format: text(2),
			title: text(3),
			description: text(4),
			default: one(5, "yaml"),
			multipleOf: double(6),
			maximum: double(7),
			exclusiveMaximum: flag(8),
			minimum: double(9),
			exclusiveMinimum: flag(10),
			maxLength: integer(11),
			minLength: integer(12),
			pattern: text(13),
			maxItems: integer(14),
			minItems: integer(15),
			uniqueItems: flag(16),
			maxProperties: integer(17),
			minProperties: integer(18),
			required: texts(19),
			enum: list(20, "yaml"),
			additionalProperties: one(21, "AdditionalProperties"),
			type: one(22, "strings"),
			items: one(23, "ItemsItem"),
			allOf: list(24, "Schema"),
			properties: map(25, "Schema"),
		},
		...extensions(31),
	},
	AdditionalProperties: {
		fields: {},
		oneOf: (value) => (typeof value === "boolean" ? flag(2) : one(1, "Schema")),
	},
	ItemsItem: { fields: {}, oneOf: () => one(1, "Schema") },
	SecurityRequirement: { fields: {}, others: { number: 1, type: "strings" } },
	SecurityDefinition: { fields: {}, oneOf: () => one(2, "ApiKey") },
	ApiKey: { fields: { type: text(1), name: text(2), in: text(3), description: text(4) } },
};

/** @param document OpenAPI v2 */
export function encodeV2(document: object): Buffer {
	return encodeMessage(document, "Document", table);
}
