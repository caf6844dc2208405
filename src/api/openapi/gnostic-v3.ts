/**
 * OpenAPI v3 as `openapi.v3.Document`. Numbers are from gnostic's openapiv3/OpenAPIv3.proto; what our documents never
 * have is left out.
 */
import { encodeMessage, type ProtoMessage, type ProtoTable } from "../wire/protobuf/encode.ts";
import { double, extensions, flag, integer, isReference, list, map, one, text, texts } from "./gnostic-fields.ts";

/** `SchemaOrReference`, and others of this form. */
const orReference = (type: string): ProtoMessage => ({
	fields: {},
	oneOf: (value) => (isReference(value) ? one(2, "Reference") : one(1, type)),
});

const table: ProtoTable = {
	Document: {
		fields: {
			openapi: text(1),
			info: one(2, "Info"),
			paths: one(4, "Paths"),
			components: one(5, "Components"),
			security: list(6, "SecurityRequirement"),
		},
	},
	Info: { fields: { title: text(1), description: text(2), version: text(6) } },
	Paths: { fields: {}, others: { number: 1, type: "PathItem" }, othersPrefix: "/" },
	PathItem: {
		fields: {
			get: one(4, "Operation"),
			put: one(5, "Operation"),
			post: one(6, "Operation"),
			delete: one(7, "Operation"),
			options: one(8, "Operation"),
			head: one(9, "Operation"),
			patch: one(10, "Operation"),
			parameters: list(13, "ParameterOrReference"),
		},
		...extensions(14),
	},
	Operation: {
		fields: {
			tags: texts(1),
			summary: text(2),
			description: text(3),
			operationId: text(5),
			parameters: list(6, "ParameterOrReference"),
			requestBody: one(7, "RequestBodyOrReference"),
			responses: one(8, "Responses"),
			deprecated: flag(10),
		},
		...extensions(13),
	},
	ParameterOrReference: orReference("Parameter"),
	Parameter: {
		fields: {
			name: text(1),
			in: text(2),
			description: text(3),
			required: flag(4),
			schema: one(10, "SchemaOrReference"),
		},
		...extensions(14),
	},
	RequestBodyOrReference: orReference("RequestBody"),
	RequestBody: { fields: { description: text(1), content: map(2, "MediaType"), required: flag(3) } },
	Responses: {
		fields: { default: one(1, "ResponseOrReference") },
		others: { number: 2, type: "ResponseOrReference" },
	},
	ResponseOrReference: orReference("Response"),
	Response: { fields: { description: text(1), content: map(3, "MediaType") } },
	MediaType: { fields: { schema: one(1, "SchemaOrReference") } },
	Components: {
		fields: { schemas: map(1, "SchemaOrReference"), securitySchemes: map(7, "SecuritySchemeOrReference") },
	},
	SchemaOrReference: orReference("Schema"),
	Reference: { fields: { $ref: text(1), description: text(3) } },
	Schema: {
		fields: {
			nullable: flag(1),
			externalDocs: one(6, "ExternalDocs"),
			example: one(7, "yaml"),
			title: text(9),
			multipleOf: double(10),
			maximum: double(11),
			exclusiveMaximum: flag(12),
			minimum: double(13),
			exclusiveMinimum: flag(14),
			maxLength: integer(15),
			minLength: integer(16),
			pattern: text(17),
			maxItems: integer(18),
			minItems: integer(19),
			uniqueItems: flag(20),
			maxProperties: integer(21),
			minProperties: integer(22),
			required: texts(23),
			enum: list(24, "yaml"),
			type: text(25),
			allOf: list(26, "SchemaOrReference"),
			oneOf: list(27, "SchemaOrReference"),
			anyOf: list(28, "SchemaOrReference"),
			not: one(29, "Schema"),
			items: one(30, "ItemsItem"),
			properties: map(31, "SchemaOrReference"),
			additionalProperties: one(32, "AdditionalPropertiesItem"),
			default: one(33, "DefaultType"),
			description: text(34),
			format: text(35),
		},
		...extensions(36),
	},
	ExternalDocs: { fields: { description: text(1), url: text(2) } },
	ItemsItem: { fields: {}, oneOf: () => one(1, "SchemaOrReference") },
	AdditionalPropertiesItem: {
		fields: {},
		oneOf: (value) => (typeof value === "boolean" ? flag(2) : one(1, "SchemaOrReference")),
	},
	// Objects and lists as defaults have no form in it: upstream leaves the message empty, too.
	DefaultType: { fields: {}, oneOf: defaultForm },
	SecurityRequirement: { fields: {}, others: { number: 1, type: "strings" } },
	SecuritySchemeOrReference: orReference("SecurityScheme"),
	SecurityScheme: { fields: { type: text(1), description: text(2), name: text(3), in: text(4) } },
};

function defaultForm(value: unknown) {
	if (typeof value === "number") return double(1);
	if (typeof value === "boolean") return flag(2);
	return typeof value === "string" ? text(3) : undefined;
}

/** @param document OpenAPI v3 */
export function encodeV3(document: object): Buffer {
	return encodeMessage(document, "Document", table);
}
