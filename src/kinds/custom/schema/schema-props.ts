/** Schemas of custom resources as definitions write them (`apiextensions.k8s.io/v1 JSONSchemaProps`). */

/** A JSON schema in the dialect of OpenAPI v3, with the extensions of Kubernetes. */
export interface SchemaProps {
	$ref?: string;
	$schema?: string;
	id?: string;
	type?: string;
	format?: string;
	title?: string;
	description?: string;
	default?: unknown;
	example?: unknown;
	nullable?: boolean;
	enum?: unknown[];
	maximum?: number;
	exclusiveMaximum?: boolean;
	minimum?: number;
	exclusiveMinimum?: boolean;
	multipleOf?: number;
	maxLength?: number;
	minLength?: number;
	pattern?: string;
	maxItems?: number;
	minItems?: number;
	uniqueItems?: boolean;
	maxProperties?: number;
	minProperties?: number;
	required?: string[];
	items?: SchemaProps | SchemaProps[];
	additionalItems?: SchemaProps | boolean;
	properties?: Record<string, SchemaProps>;
	additionalProperties?: SchemaProps | boolean;
	patternProperties?: Record<string, SchemaProps>;
	allOf?: SchemaProps[];
	anyOf?: SchemaProps[];
	oneOf?: SchemaProps[];
	not?: SchemaProps;
	definitions?: Record<string, SchemaProps>;
	dependencies?: Record<string, SchemaProps | string[]>;
	externalDocs?: { description?: string; url?: string };
	"x-kubernetes-preserve-unknown-fields"?: boolean;
	"x-kubernetes-embedded-resource"?: boolean;
	"x-kubernetes-int-or-string"?: boolean;
	"x-kubernetes-list-type"?: string;
	"x-kubernetes-list-map-keys"?: string[];
	"x-kubernetes-map-type"?: string;
	"x-kubernetes-validations"?: ValidationRule[];
}

/** A rule in CEL (`apiextensions.k8s.io/v1 ValidationRule`). */
export interface ValidationRule {
	rule: string;
	message?: string;
	messageExpression?: string;
	reason?: string;
	fieldPath?: string;
	optionalOldSelf?: boolean;
}

/** The schema of all items of a list; undefined where there is none, or a schema for each item. */
export function itemsOf({ items }: SchemaProps): SchemaProps | undefined {
	return Array.isArray(items) ? undefined : items;
}

/** The schema of the values of a map, whatever their keys are. */
export function valuesOf({ additionalProperties }: SchemaProps): SchemaProps | undefined {
	return typeof additionalProperties === "object" ? additionalProperties : undefined;
}

/** Whether the schema names fields. */
export function hasProperties({ properties = {} }: SchemaProps): boolean {
	for (const _ in properties) return true;
	return false;
}

export function hasDefault({ default: value }: SchemaProps): boolean {
	return value !== undefined && value !== null;
}

/** The schema of a field by its name, which a client may have chosen. */
export function propertyOf({ properties }: SchemaProps, name: string): SchemaProps | undefined {
	return properties !== undefined && Object.hasOwn(properties, name) ? properties[name] : undefined;
}
