/** The types that a document describes: every one that its kinds reach, under the names that upstream publishes. */

import type { FieldSchema, Schemas, TypeSchema } from "../../kinds/engine/type-schema.ts";
import { definitionNames, fieldFacts } from "../../kinds/facts.ts";

export interface GroupVersionKind {
	group: string;
	kind: string;
	version: string;
}

export interface Definition {
	/** `io.k8s.api.apps.v1.Deployment` */
	name: string;
	/** Name in the schemas and the descriptions: `Deployment`. Empty for a type that only exists here. */
	type: string;
	/** Undefined for a type about which nothing is known. */
	fields: TypeSchema | undefined;
	/** Instead of fields: a value that is no object of known fields. */
	plain?: Plain;
	/** Instead of fields: the schema of a custom resource, or null for one without. */
	custom?: Readonly<Record<string, unknown>> | null;
	/** The kinds that have this form, the current version first. */
	kinds: GroupVersionKind[];
	mapType?: string;
	description?: string;
}

/** A value by its JSON type; `v3` says it more exactly where the newer document can. */
export interface Plain {
	type?: string;
	format?: string;
	v3?: object;
	description: string;
}

const resource = "io.k8s.apimachinery.pkg.api.resource";
const meta = "io.k8s.apimachinery.pkg.apis.meta.v1";
const extensions = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1";
const rawExtension = "io.k8s.apimachinery.pkg.runtime.RawExtension";

/** Scalars that upstream publishes as definitions. */
const scalarNames: Readonly<Record<string, string>> = {
	quantity: `${resource}.Quantity`,
	time: `${meta}.Time`,
	microTime: `${meta}.MicroTime`,
	intOrString: "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
	JSONSchemaPropsOrArray: `${extensions}.JSONSchemaPropsOrArray`,
	JSONSchemaPropsOrBool: `${extensions}.JSONSchemaPropsOrBool`,
	JSONSchemaPropsOrStringArray: `${extensions}.JSONSchemaPropsOrStringArray`,
};

/** What upstream names the open values of some fields. */
const openNames: Readonly<Record<string, string>> = {
	"AllocatedDeviceStatus.data": rawExtension,
	"ControllerRevision.data": rawExtension,
	"JSONSchemaProps.default": `${extensions}.JSON`,
	"JSONSchemaProps.enum": `${extensions}.JSON`,
	"JSONSchemaProps.example": `${extensions}.JSON`,
	"ManagedFieldsEntry.fieldsV1": `${meta}.FieldsV1`,
	"OpaqueDeviceConfiguration.parameters": rawExtension,
	"WatchEvent.object": rawExtension,
};

const plainDefinitions: Readonly<Record<string, Plain>> = {
	[`${resource}.Quantity`]: {
		type: "string",
		v3: { oneOf: [{ type: "string" }, { type: "number" }] },
		description:
			"An exact amount: a decimal number with an optional suffix, such as 500m, 2, 1.5, 128Mi or 1e3. Suffixes: m, k, M, G, T, P, E in powers of ten; Ki, Mi, Gi, Ti, Pi, Ei in powers of two.",
	},
	[`${meta}.Time`]: { type: "string", format: "date-time", description: "A time, RFC 3339, in whole seconds." },
	[`${meta}.MicroTime`]: { type: "string", format: "date-time", description: "A time, RFC 3339, in microseconds." },
	"io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
		type: "string",
		format: "int-or-string",
		v3: { oneOf: [{ type: "integer" }, { type: "string" }], format: "int-or-string" },
		description: "A whole number, or a string such as a percentage or the name of a port.",
	},
	[`${meta}.FieldsV1`]: {
		type: "object",
		description: "A set of fields as a tree: keys are f:NAME, k:KEYS or v:VALUE; a leaf, or '.', is in the set.",
	},
	[`${meta}.Patch`]: { type: "object", description: "A patch, in the form that its content type says." },
	[rawExtension]: { type: "object", description: "Any object." },
	[`${extensions}.JSON`]: { description: "Any JSON value." },
	[`${extensions}.JSONSchemaPropsOrArray`]: { description: "A schema or a list of schemas." },
	[`${extensions}.JSONSchemaPropsOrBool`]: { description: "A schema or a boolean." },
	[`${extensions}.JSONSchemaPropsOrStringArray`]: { description: "A schema or a list of strings." },
};

const inlineScalars: Readonly<Record<string, object>> = {
	string: { type: "string" },
	int32: { type: "integer", format: "int32" },
	int64: { type: "integer", format: "int64" },
	number: { type: "number", format: "double" },
	boolean: { type: "boolean" },
	bytes: { type: "string", format: "byte" },
};

/** A scalar's own schema, or the name of a definition. */
export type Reference = { inline: object } | { definition: string };

/** Collects definitions while a document refers to them. */
export class Definitions {
	readonly #schemas: Schemas;
	readonly #byName = new Map<string, Definition>();
	readonly #names = new Map<string, string>();

	constructor(schemas: Schemas) {
		this.#schemas = schemas;
	}

	/** In the order of their names. */
	all(): Definition[] {
		return [...this.#byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
	}

	/** The type has the form of the kind, and there are lists of it. Returns both names. */
	addKind(type: string, kind: GroupVersionKind): { object: string; list: string } {
		const object = this.addType(type, kind);
		const listKind = { ...kind, kind: `${kind.kind}List` };
		const listType = `${type}List`;
		if (this.#schemas.type(listType) !== undefined) return { object, list: this.addType(listType, listKind) };
		const list = `${object}List`;
		this.#define({ name: list, type: "", fields: listFields(type), kinds: [], description: `A list of ${kind.kind}.` });
		this.#addTo(list, listKind);
		return { object, list };
	}

	/** As `addKind`, for a custom resource. @param listKind the kind of its lists */
	addCustom(schema: Definition["custom"], kind: GroupVersionKind, listKind: string): { object: string; list: string } {
		const object = kindName(kind);
		const list = `${object.slice(0, -kind.kind.length)}${listKind}`;
		this.addType("ObjectMeta");
		this.#names.set(object, object);
		this.#define({ name: object, type: "", fields: undefined, custom: schema ?? null, kinds: [kind] });
		const description = `${listKind} is a list of ${kind.kind}`;
		const listOf = { ...kind, kind: listKind };
		this.#define({ name: list, type: "", fields: listFields(object), kinds: [listOf], description });
		return { object, list };
	}

	/** The name of a type's definition; `kind` is added to those that have its form. */
	addType(type: string, kind?: GroupVersionKind): string {
		const name = this.#names.get(type) ?? definitionNames[type] ?? (kind ? kindName(kind) : type);
		this.#defineType(type, name);
		if (kind !== undefined) this.#addTo(name, kind);
		return name;
	}

	/** The name of a definition that is no type of the schemas: `io.k8s.apimachinery.pkg.apis.meta.v1.Patch`. */
	addPlain(name: string): string {
		const plain = plainDefinitions[name] ?? { description: "Any value." };
		this.#define({ name, type: "", fields: undefined, plain, kinds: [] });
		return name;
	}

	/** What a field's values are, each by itself: of the list or map the items. */
	reference(owner: Definition, field: string, schema: FieldSchema): Reference {
		const inline = inlineScalars[schema.type];
		if (inline !== undefined) return { inline };
		const scalar = scalarNames[schema.type];
		if (scalar !== undefined) return { definition: this.addPlain(scalar) };
		if (schema.type === "any") {
			const open = openNames[`${owner.type}.${field}`];
			return open === undefined ? { inline: { type: "object" } } : { definition: this.addPlain(open) };
		}
		return { definition: this.#nested(owner, schema.type) };
	}

	/** Types without a name of their own are named beside the type that has them. */
	#nested(owner: Definition, type: string): string {
		const known = this.#names.get(type) ?? definitionNames[type];
		if (known !== undefined) return this.addType(type);
		const name = `${owner.name.slice(0, owner.name.lastIndexOf(".") + 1)}${type.replace(/^Old/, "")}`;
		this.#defineType(type, name);
		return name;
	}

	#defineType(type: string, name: string): void {
		if (this.#byName.has(name)) return;
		this.#names.set(type, name);
		const mapType = fieldFacts[type]?.mapType;
		const fields = this.#schemas.type(type);
		this.#define({ name, type, fields, kinds: [], ...(mapType !== undefined && { mapType }) });
	}

	#define(definition: Definition): void {
		if (this.#byName.has(definition.name)) return;
		this.#byName.set(definition.name, definition);
		for (const [field, schema] of Object.entries(definition.fields ?? {})) this.reference(definition, field, schema);
	}

	#addTo(name: string, kind: GroupVersionKind): void {
		const kinds = this.#byName.get(name)?.kinds;
		const same = (other: GroupVersionKind) =>
			other.group === kind.group && other.version === kind.version && other.kind === kind.kind;
		if (kinds !== undefined && !kinds.some(same)) kinds.push(kind);
	}
}

function listFields(type: string): TypeSchema {
	return {
		apiVersion: { type: "string" },
		items: { type, of: "array", required: true },
		kind: { type: "string" },
		metadata: { type: "ListMeta", default: {} },
	};
}

/** `io.k8s.api.extensions.v1beta1.Deployment`; for groups of others `com.example.v1.Foo`. */
function kindName({ group, version, kind }: GroupVersionKind): string {
	const builtin = !group.includes(".") || group.endsWith(".k8s.io");
	const prefix = builtin ? `io.k8s.api.${group.split(".")[0] || "core"}` : group.split(".").reverse().join(".");
	return `${prefix}.${version}.${kind}`;
}

const typesByName = new Map(Object.entries(definitionNames).map(([type, name]) => [name, type]));

/** The type of a built-in kind that is not stored, such as autoscaling/v1 Scale. */
export function typeOfKind(kind: GroupVersionKind): string | undefined {
	return typesByName.get(kindName(kind));
}
