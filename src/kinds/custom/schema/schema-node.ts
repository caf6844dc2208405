/** A schema as the walks over values need it: each part is made when a value first gets there. */
import type { Weight } from "../../../core/text/json-limits.ts";
import { type Regex, regex } from "../../../core/text/regex.ts";
import { listOfValues } from "./causes.ts";
import { type Format, formatOf, isCheckedFormat } from "./formats/formats.ts";
import { hasDefault, itemsOf, propertyOf, type SchemaProps, valuesOf } from "./schema-props.ts";

/** A field whose value is filled in when it is missing. */
export interface DefaultedField {
	readonly name: string;
	readonly node: SchemaNode;
}

/** How a value is one of several schemas, or none. */
export interface Junctors {
	readonly allOf: readonly SchemaNode[];
	readonly anyOf: readonly SchemaNode[];
	readonly oneOf: readonly SchemaNode[];
	readonly not: SchemaNode | undefined;
}

/** Limits of texts. */
export interface TextLimits {
	readonly maxLength: number | undefined;
	readonly minLength: number | undefined;
	readonly pattern: string | undefined;
}

/** How many items a list may have, or fields an object. */
export interface SizeLimits {
	readonly min: number | undefined;
	readonly max: number | undefined;
}

/**
 * What most checks need is in separate fields: schemas are objects of very many shapes, in which looking up
 * a keyword takes longer than all the rest.
 */
export class SchemaNode {
	readonly schema: SchemaProps;
	/** The types that a value may have, joined as messages name them; empty: any. */
	readonly type: string;
	/** What strings must look like, or in which range numbers must be, when the type takes such a format. */
	readonly format: string;
	readonly nullable: boolean;
	/** Fields that the schema does not name stay, here and in what has no schema below. */
	readonly preserves: boolean;
	readonly isEmbedded: boolean;
	/** True: keys without a field of their own are allowed, and nothing inside their values. False: they are not. */
	readonly otherKeys: boolean;
	readonly hasDefault: boolean;
	readonly hasJunctors: boolean;
	readonly textLimits: TextLimits | undefined;
	/** Whether numbers have limits, or a format that limits them. */
	readonly limitsNumbers: boolean;
	readonly itemLimits: SizeLimits | undefined;
	readonly fieldLimits: SizeLimits | undefined;
	readonly required: readonly string[] | undefined;
	readonly enumeration: readonly unknown[] | undefined;
	readonly #valueSchema: SchemaProps | undefined;
	readonly #itemSchema: SchemaProps | undefined;
	/** The default completed with the defaults of its fields, once computed. */
	filledDefault: unknown;
	/** Of that default. */
	defaultWeight: Weight | undefined;
	readonly #fields = new Map<string, SchemaNode>();
	#values: SchemaNode | undefined;
	#items: SchemaNode | undefined;
	#junctors: Junctors | undefined;
	#defaulted: readonly DefaultedField[] | undefined;
	#scalars: ReadonlySet<unknown> | undefined;
	#enumerationText: string | undefined;
	#pattern: Regex | undefined;
	#format: Format | undefined;

	constructor(schema: SchemaProps) {
		this.schema = schema;
		const isIntOrString = schema["x-kubernetes-int-or-string"] === true;
		this.type = isIntOrString ? "integer,string" : (schema.type ?? "");
		const { format = "" } = schema;
		this.format = isCheckedFormat(isIntOrString ? "" : this.type, format) ? format : "";
		this.nullable = schema.nullable === true;
		this.preserves = schema["x-kubernetes-preserve-unknown-fields"] === true;
		this.isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
		this.otherKeys = schema.additionalProperties !== false;
		this.hasDefault = hasDefault(schema);
		const { allOf, anyOf, oneOf, not } = schema;
		this.hasJunctors = !isEmpty(allOf) || !isEmpty(anyOf) || !isEmpty(oneOf) || not !== undefined;
		this.textLimits = textLimitsOf(schema);
		const { minimum, maximum, multipleOf } = schema;
		this.limitsNumbers = minimum !== undefined || maximum !== undefined || multipleOf !== undefined;
		this.itemLimits = sizeLimits(schema.minItems, schema.maxItems);
		this.fieldLimits = sizeLimits(schema.minProperties, schema.maxProperties);
		this.required = isEmpty(schema.required) ? undefined : schema.required;
		this.enumeration = isEmpty(schema.enum) ? undefined : schema.enum;
		this.#valueSchema = valuesOf(schema);
		this.#itemSchema = itemsOf(schema);
	}

	/** The schema of a declared field. */
	field(name: string): SchemaNode | undefined {
		let node = this.#fields.get(name);
		if (node === undefined) {
			const schema = propertyOf(this.schema, name);
			if (schema === undefined) return undefined;
			node = new SchemaNode(schema);
			this.#fields.set(name, node);
		}
		return node;
	}

	/** The schema of values under keys that are no fields. */
	get values(): SchemaNode | undefined {
		if (this.#values === undefined && this.#valueSchema !== undefined) this.#values = new SchemaNode(this.#valueSchema);
		return this.#values;
	}

	get items(): SchemaNode | undefined {
		if (this.#items === undefined && this.#itemSchema !== undefined) this.#items = new SchemaNode(this.#itemSchema);
		return this.#items;
	}

	get junctors(): Junctors {
		this.#junctors ??= junctorsOf(this.schema);
		return this.#junctors;
	}

	get defaulted(): readonly DefaultedField[] {
		if (this.#defaulted === undefined) {
			const fields: DefaultedField[] = [];
			for (const name of Object.keys(this.schema.properties ?? {})) {
				const schema = propertyOf(this.schema, name);
				if (schema === undefined || !hasDefault(schema)) continue;
				const node = this.field(name);
				if (node !== undefined) fields.push({ name, node });
			}
			this.#defaulted = fields.length === 0 ? none : fields;
		}
		return this.#defaulted;
	}

	/** Whether a scalar is one of the values of the enumeration, in constant time. */
	enumerates(scalar: unknown): boolean {
		this.#scalars ??= new Set(this.enumeration);
		return this.#scalars.has(scalar);
	}

	/** The values of the enumeration, as messages list them. */
	get enumerationText(): string {
		this.#enumerationText ??= listOfValues(this.enumeration ?? []);
		return this.#enumerationText;
	}

	/** @throws Error when the pattern is none: definitions with such a pattern are refused */
	matchesPattern(text: string): boolean {
		this.#pattern ??= regex(this.textLimits?.pattern ?? "");
		return this.#pattern.test(text);
	}

	matchesFormat(text: string): boolean {
		this.#format ??= formatOf(this.format);
		return this.#format?.(text) ?? true;
	}
}

const none: readonly DefaultedField[] = [];

function isEmpty(list: readonly unknown[] | undefined): boolean {
	return list === undefined || list.length === 0;
}

function textLimitsOf({ maxLength, minLength, pattern }: SchemaProps): TextLimits | undefined {
	if (maxLength === undefined && minLength === undefined && (pattern === undefined || pattern === "")) return undefined;
	return { maxLength, minLength, pattern: pattern === "" ? undefined : pattern };
}

function sizeLimits(min: number | undefined, max: number | undefined): SizeLimits | undefined {
	return min === undefined && max === undefined ? undefined : { min, max };
}

function junctorsOf({ allOf = [], anyOf = [], oneOf = [], not }: SchemaProps): Junctors {
	const nodes = (schemas: readonly SchemaProps[]) => schemas.map((schema) => new SchemaNode(schema));
	return { allOf: nodes(allOf), anyOf: nodes(anyOf), oneOf: nodes(oneOf), not: not && new SchemaNode(not) };
}
