/** The types that every API server has, and the types that kinds define. */
import { oldTypes } from "./conversion/schemas.ts";
import { typeSchemas } from "./engine/described-types.ts";
import type { Kind } from "./engine/kind.ts";
import type { Schemas, TypeSchema } from "./engine/type-schema.ts";
import generated from "./generated/schemas.json" with { type: "json" };

type Types = Record<string, TypeSchema>;

// The file was written by scripts/generate.ts.
const builtinTypes = added(emptyTypes(), generated as unknown as Types);
added(
	builtinTypes,
	oldTypes((type) => builtinTypes[type] ?? {}),
);

/** The types of Kubernetes v1.36's stable APIs, and of older versions that are still served. */
export const builtinSchemas: Schemas = { type: (name) => builtinTypes[name], fillsZeros: true };

/** By the types that kinds define, which kinds of a group share. */
const extended = new WeakMap<NonNullable<Kind["types"] | Kind["schemas"]>, Schemas>();

/** The types of a kind's objects: its own, and those that every API server has. */
export function schemasOf({ types, schemas: own }: Pick<Kind, "types" | "schemas">): Schemas {
	const extension = own ?? types;
	if (extension === undefined) return builtinSchemas;
	let schemas = extended.get(extension);
	if (schemas === undefined) {
		schemas = own === undefined ? extendedBy(types ?? {}) : { type: (name) => own.type(name) ?? builtinTypes[name] };
		extended.set(extension, schemas);
	}
	return schemas;
}

function extendedBy(types: NonNullable<Kind["types"]>): Schemas {
	const own = added(emptyTypes(), typeSchemas(types));
	return { type: (name) => own[name] ?? builtinTypes[name], fillsZeros: true };
}

/** The types of the objects of all these kinds. */
export function schemasOfAll(kinds: readonly Pick<Kind, "types">[]): Schemas {
	return schemasOf({ types: Object.assign({}, ...kinds.map(({ types }) => types)) });
}

/** Without a prototype: a client's field named `constructor` must not be found. */
function emptyTypes(): Types {
	return Object.create(null);
}

function added(types: Types, more: Readonly<Types>): Types {
	for (const [name, fields] of Object.entries(more)) types[name] = Object.assign(emptyTypes(), fields);
	return types;
}
