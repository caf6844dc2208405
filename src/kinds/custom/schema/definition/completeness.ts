/**
 * What allOf, anyOf, oneOf and not restrict must be there outside of them, too. Upstream asks that only of those at the
 * root, and of what is in them.
 */
import type { Cause } from "../../../../core/errors.ts";
import { required } from "../../../../core/validation/field-errors.ts";
import { itemsOf, propertyOf, type SchemaProps } from "../schema-props.ts";

export function completenessCauses(schema: SchemaProps, path: string): Cause[] {
	return junctorCauses(schema, schema, path, path);
}

/** @param structure what is there outside; undefined: nothing @param path of it @param at path of the restriction */
function junctorCauses(
	{ not, allOf = [], anyOf = [], oneOf = [] }: SchemaProps,
	structure: SchemaProps | undefined,
	path: string,
	at: string,
): Cause[] {
	const causes: Cause[] = [];
	if (not !== undefined) causes.push(...restrictionCauses(not, structure, path, `${at}.not`));
	for (const [name, schemas] of [
		["allOf", allOf],
		["anyOf", anyOf],
		["oneOf", oneOf],
	] as const)
		for (const [index, one] of schemas.entries())
			causes.push(...restrictionCauses(one, structure, path, `${at}.${name}[${index}]`));
	return causes;
}

function restrictionCauses(schema: SchemaProps, structure: SchemaProps | undefined, path: string, at: string): Cause[] {
	if (structure === undefined) return [required(path, `because it is defined in ${at}`)];
	const causes = junctorCauses(schema, structure, path, at);
	const items = itemsOf(schema);
	if (items !== undefined) causes.push(...restrictionCauses(items, itemsOf(structure), `${path}.items`, `${at}.items`));
	for (const [name, property] of Object.entries(schema.properties ?? {})) {
		const inside = `properties[${name}]`;
		causes.push(...restrictionCauses(property, propertyOf(structure, name), `${path}.${inside}`, `${at}.${inside}`));
	}
	return causes;
}
