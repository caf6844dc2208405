import type { FunctionDeclaration, Overload } from "../library/function.ts";
import { dynType, sameType, type Type } from "../types/type.ts";
import { mapParameters, type Unifier } from "./unify.ts";

/**
 * The overloads that arguments of these types may choose, and the type of the result: dyn when they differ in it.
 * Undefined when there are none.
 */
export function resolveOverloads(
	unifier: Unifier,
	declaration: FunctionDeclaration,
	types: readonly Type[],
	member: boolean,
): { overloads: Overload[]; result: Type } | undefined {
	const overloads: Overload[] = [];
	let result: Type | undefined;
	for (const overload of declaration.overloads) {
		if (overload.member !== member || overload.parameters.length !== types.length) continue;
		const signature = instantiated(unifier, overload);
		if (!unifier.allFit(types, signature.parameters)) continue;
		overloads.push(overload);
		const type = unifier.resolved(signature.result);
		if (result === undefined) result = type;
		else if (result.kind !== "dyn" && !sameType(type, result)) result = dynType;
	}
	return result && { overloads, result };
}

const isGeneric = new WeakMap<Overload, boolean>();

function mentionsParameter(type: Type): boolean {
	return type.kind === "parameter" || type.parameters.some(mentionsParameter);
}

/** The signature with fresh type parameters for this call. */
function instantiated(unifier: Unifier, overload: Overload): Pick<Overload, "parameters" | "result"> {
	let generic = isGeneric.get(overload);
	if (generic === undefined) {
		generic = [...overload.parameters, overload.result].some(mentionsParameter);
		isGeneric.set(overload, generic);
	}
	if (!generic) return overload;
	const fresh = new Map<string, Type>();
	const replace = (type: Type): Type => {
		if (type.kind !== "parameter") return mapParameters(type, replace);
		const parameter = fresh.get(type.name) ?? unifier.newParameter();
		fresh.set(type.name, parameter);
		return parameter;
	};
	return { parameters: overload.parameters.map(replace), result: replace(overload.result) };
}
