/** Definitions as JSON schemas, in the dialects of OpenAPI v2 and v3. */
import type { FieldSchema } from "../../kinds/engine/type-schema.ts";
import { customDefinition } from "./custom.ts";
import type { Definition, Definitions, Reference } from "./definitions.ts";
import { type Dialect, referenceTo } from "./dialect.ts";

/** type → what it is, and what its fields are. */
export type Descriptions = Readonly<
	Record<string, { description?: string; fields?: Readonly<Record<string, string>> } | undefined>
>;

/** Definition name → schema, for everything that has been collected. */
export function renderDefinitions(
	definitions: Definitions,
	descriptions: Descriptions,
	dialect: Dialect,
): Record<string, object> {
	const rendered: Record<string, object> = {};
	for (const definition of definitions.all()) rendered[definition.name] = render(definition);
	return rendered;

	function render(definition: Definition): object {
		const { plain, custom, fields, kinds, mapType, type } = definition;
		if (custom !== undefined)
			return { ...customDefinition(custom ?? undefined, dialect), "x-kubernetes-group-version-kind": kinds };
		if (plain !== undefined) {
			const { v3, ...v2 } = plain;
			return dialect === "v3" && v3 !== undefined ? { description: plain.description, ...v3 } : v2;
		}
		// Old versions of a type are described by the current one.
		const texts = descriptions[type] ?? descriptions[type.replace(/^Old/, "")];
		const description = definition.description ?? texts?.description;
		const names = Object.keys(fields ?? {}).sort();
		const required = names.filter((name) => fields?.[name]?.required);
		const properties = names.map((name) => {
			const schema = fields?.[name];
			return [name, schema && property(definition, name, schema, text(texts?.fields?.[name], schema))] as const;
		});
		return {
			...(description && { description }),
			...(names.length > 0 && { properties: Object.fromEntries(properties) }),
			...(required.length > 0 && { required }),
			type: "object",
			...(kinds.length > 0 && { "x-kubernetes-group-version-kind": kinds }),
			...(mapType !== undefined && { "x-kubernetes-map-type": mapType }),
			...(fields === undefined && { "x-kubernetes-preserve-unknown-fields": true }),
		};
	}

	/**
	 * The models leave the documentation out where a field is one object. In v2 the documentation of its type replaces
	 * it; readers of v3 find it through the reference, and would print it twice.
	 */
	function text(own: string | undefined, field: FieldSchema): string | undefined {
		if (dialect === "v3") return own;
		return own ?? (field.of === undefined ? descriptions[field.type]?.description : undefined);
	}

	function property(owner: Definition, name: string, field: FieldSchema, description: string | undefined): object {
		const shape = container(definitions.reference(owner, name, field), field);
		return { ...(description && { description }), ...shape, ...facts(field) };
	}

	function container(reference: Reference, field: FieldSchema): object {
		if (field.of === undefined) return single(reference, field);
		const item = "inline" in reference ? reference.inline : { $ref: referenceTo(reference.definition, dialect) };
		if (field.of === "array") return { items: item, type: "array" };
		if (field.of === "map") return { additionalProperties: item, type: "object" };
		return { additionalProperties: { items: item, type: "array" }, type: "object" };
	}

	/** Beside a bare reference v3 allows nothing else, not even a description: hence the list of one. */
	function single(reference: Reference, field: FieldSchema): object {
		const absent = dialect === "v3" && field.default !== undefined ? { default: field.default } : {};
		if ("inline" in reference) return { ...absent, ...reference.inline };
		const $ref = referenceTo(reference.definition, dialect);
		return dialect === "v2" ? { $ref } : { allOf: [{ $ref }], ...absent };
	}
}

function facts({ of, listType, listMapKeys, mergeKey, patchStrategy, mapType }: FieldSchema): object {
	return {
		...(listMapKeys !== undefined && { "x-kubernetes-list-map-keys": listMapKeys }),
		...(listType !== undefined && { "x-kubernetes-list-type": listType }),
		...(mergeKey !== undefined && { "x-kubernetes-patch-merge-key": mergeKey }),
		...(patchStrategy !== undefined && { "x-kubernetes-patch-strategy": patchStrategy }),
		// That of a single object is a fact about its type, and stands there, unless the field has it otherwise.
		...((of === "map" || mapType === "granular") && mapType !== undefined && { "x-kubernetes-map-type": mapType }),
	};
}
