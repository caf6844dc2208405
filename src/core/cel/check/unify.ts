import {
	dynType,
	isDynOrError,
	listType,
	mapType,
	opaqueType,
	optionalType,
	sameType,
	type Type,
	typeType,
} from "../types/type.ts";

/**
 * Which types fit where, with type parameters found on the way (`list(A)` takes a `list(int)` and A is int). What an
 * attempt that failed has found is forgotten.
 */
export class Unifier {
	private readonly bindings = new Map<string, Type>();
	/** What the current attempt has replaced. */
	private journal: [string, Type | undefined][] = [];
	private fresh = 0;

	newParameter(): Type {
		return { kind: "parameter", name: `_var${this.fresh++}`, parameters: [] };
	}

	/** Whether a value of type `a` fits where `b` is wanted, or the other way round. */
	fits(a: Type, b: Type): boolean {
		return this.attempt(() => this.assignable(a, b));
	}

	/** As `fits` for each pair, all or none. */
	allFit(a: readonly Type[], b: readonly Type[]): boolean {
		return a.length === b.length && this.attempt(() => this.allAssignable(a, b));
	}

	private attempt(test: () => boolean): boolean {
		const before = this.journal;
		this.journal = [];
		const result = test();
		if (!result)
			for (const [name, type] of this.journal.reverse()) {
				if (type === undefined) this.bindings.delete(name);
				else this.bindings.set(name, type);
			}
		this.journal = before;
		return result;
	}

	private bind(name: string, type: Type): void {
		this.journal.push([name, this.bindings.get(name)]);
		this.bindings.set(name, type);
	}

	/** The type with the parameters that are known replaced. @param unknownAsDyn whether the others become dyn */
	resolved(type: Type, unknownAsDyn = false): Type {
		if (type.kind === "parameter") {
			const bound = this.bindings.get(type.name);
			if (bound !== undefined) return this.resolved(bound, unknownAsDyn);
			return unknownAsDyn ? dynType : type;
		}
		return mapParameters(type, (parameter) => this.resolved(parameter, unknownAsDyn));
	}

	private assignable(a: Type, b: Type): boolean {
		if (a === b && a.parameters.length === 0 && a.kind !== "parameter") return true;
		if (b.kind === "parameter") {
			const verdict = this.substitutable(a, b);
			if (verdict !== "unbound") return verdict === "yes";
		}
		if (a.kind === "parameter") return this.substitutable(b, a) === "yes";
		if (isDynOrError(a) || isDynOrError(b)) return true;
		if (a.kind === "null") return isNullable(b);
		if (b.kind === "null") return isNullable(a);
		if (a.kind !== b.kind) return false;
		switch (a.kind) {
			case "type":
				return true;
			case "list":
			case "map":
			case "opaque":
				return a.name === b.name && this.allAssignable(a.parameters, b.parameters);
			default:
				return a.name === b.name;
		}
	}

	private allAssignable(a: readonly Type[], b: readonly Type[]): boolean {
		if (a.length !== b.length) return false;
		for (let index = 0; index < a.length; index++) {
			const [left, right] = [a[index], b[index]];
			if (left === undefined || right === undefined || !this.assignable(left, right)) return false;
		}
		return true;
	}

	/** Whether `type` may stand for the parameter; "unbound" when it cannot because it contains it. */
	private substitutable(type: Type, parameter: Type): "yes" | "no" | "unbound" {
		if (sameType(type, parameter)) return "yes";
		const bound = this.bindings.get(parameter.name);
		if (bound === undefined) {
			if (this.occurs(parameter, type)) return "unbound";
			this.bind(parameter.name, type);
			return "yes";
		}
		if (sameType(type, bound)) return "yes";
		if (!this.assignable(type, bound)) return "no";
		const general = moreGeneral(type, bound);
		if (!this.occurs(parameter, general)) this.bind(parameter.name, general);
		return "yes";
	}

	private occurs(parameter: Type, within: Type): boolean {
		if (sameType(parameter, within)) return true;
		if (within.kind === "parameter") {
			const bound = this.bindings.get(within.name);
			return bound !== undefined && this.occurs(parameter, bound);
		}
		return within.parameters.some((inner) => this.occurs(parameter, inner));
	}
}

function isNullable(type: Type): boolean {
	return ["null", "opaque", "object", "duration", "timestamp"].includes(type.kind);
}

/** The less specific of two types that are compatible. */
export function moreGeneral(a: Type, b: Type): Type {
	return saysLess(a, b) ? a : b;
}

function saysLess(a: Type, b: Type): boolean {
	if (a.kind === "dyn" || a.kind === "parameter") return true;
	if (b.kind === "dyn" || b.kind === "parameter" || a.kind !== b.kind) return false;
	if (a.kind === "type") return true;
	if (a.parameters.length === 0) return a.name === b.name;
	if (a.name !== b.name || a.parameters.length !== b.parameters.length) return false;
	return a.parameters.every((parameter, index) => saysLess(parameter, b.parameters[index] ?? dynType));
}

/** The type with each parameter replaced; the type itself when none changes. */
export function mapParameters(type: Type, replace: (parameter: Type) => Type): Type {
	if (type.parameters.length === 0) return type;
	const parameters = type.parameters.map(replace);
	if (parameters.every((parameter, index) => parameter === type.parameters[index])) return type;
	const [first = dynType, second = dynType] = parameters;
	switch (type.kind) {
		case "list":
			return listType(first, type.maxSize, type.semantics);
		case "map":
			return mapType(first, second, type.maxSize);
		case "type":
			return typeType(first);
		default:
			return type.name === "optional_type" ? optionalType(first) : opaqueType(type.name, ...parameters);
	}
}
