import type { FunctionDeclaration } from "../library/function.ts";
import type { Binding, Comprehension, Node } from "../parse/syntax.ts";
import {
	boolType,
	dynType,
	errorType,
	intType,
	isDynOrError,
	listType,
	mapType,
	optionalType,
	type Type,
	typeText,
	valueOfOptional,
} from "../types/type.ts";
import { resolveOverloads } from "./overloads.ts";
import { CheckReport } from "./report.ts";
import { type Declarations, Scope } from "./scope.ts";

/** What an expression may use. */
export interface CheckerEnvironment extends Declarations {
	readonly functions: ReadonlyMap<string, FunctionDeclaration>;
}

/** The types of macros that declare variables: loops (`all`, `map`, …) and bindings (`cel.bind`, `optMap`, `sortBy`). */
export abstract class LoopChecker extends CheckReport {
	protected readonly environment: CheckerEnvironment;
	protected readonly scope: Scope;

	constructor(environment: CheckerEnvironment) {
		super();
		this.environment = environment;
		this.scope = new Scope(environment);
	}

	/** The type of a node, and of all below it. */
	abstract check(node: Node): Type;

	protected checkBool(node: Node): boolean {
		const type = this.check(node);
		if (this.unifier.fits(type, boolType)) return true;
		this.mismatch(node.at, boolType, type);
		return false;
	}

	protected comprehension(node: Comprehension): Type {
		const range = this.unifier.resolved(this.check(node.range));
		const [keys, values] = this.entryTypes(node.range.at, range);
		const first = node.variable2 === undefined ? (range.kind === "map" ? keys : values) : keys;
		const variables = [{ name: node.variable, type: first }];
		if (node.variable2 !== undefined) variables.push({ name: node.variable2, type: values });
		return this.unifier.resolved(this.scope.within(variables, () => this.loopType(node, first, keys)));
	}

	/** Types of the index or key and of the item or value. */
	private entryTypes(at: number, range: Type): [Type, Type] {
		switch (range.kind) {
			case "list":
				return [intType, range.parameters[0] ?? dynType];
			case "map":
				return [range.parameters[0] ?? dynType, range.parameters[1] ?? dynType];
			case "dyn":
			case "error":
			case "parameter":
				this.unifier.fits(dynType, range);
				return [dynType, dynType];
			default: {
				const type = typeText(range);
				this.report(
					at,
					`expression of type '${type}' cannot be range of a comprehension (must be list, map, or dynamic)`,
				);
				return [errorType, errorType];
			}
		}
	}

	private loopType(node: Comprehension, item: Type, key: Type): Type {
		const filter = node.filter && this.check(node.filter);
		if (node.loop === "all" || node.loop === "exists") {
			this.checkBool(node.body);
			return boolType;
		}
		const body = this.check(node.body);
		switch (node.loop) {
			case "existsOne":
				return this.chosen(node, body, intType) && boolType;
			case "filter":
				return this.chosen(node, body, listType(item));
			case "map":
			case "transformList":
				return this.chosen(node, filter, listType(body));
			case "transformMap":
				return this.chosen(node, filter, mapType(key, body));
			case "transformMapEntry": {
				const map = mapType(this.unifier.newParameter(), this.unifier.newParameter());
				if (!this.unifier.fits(body, map)) return this.noOverload(node.at, "cel.@mapInsert", [map, body], false);
				return this.chosen(node, filter, map);
			}
		}
	}

	/** The result, when what decides about each item is a boolean or absent. */
	private chosen(node: Comprehension, condition: Type | undefined, result: Type): Type {
		if (condition === undefined || this.unifier.fits(condition, boolType)) return result;
		return this.noOverload(node.at, "_?_:_", [condition, result, result], false);
	}

	protected binding(node: Binding): Type {
		const operand = this.unifier.resolved(this.check(node.operand));
		if (node.macro === "sortBy") return this.sortBy(node, operand);
		if (node.macro === "bind")
			return this.scope.within([{ name: node.variable, type: operand }], () => this.check(node.body));
		const value = valueOfOptional(operand) ?? (isDynOrError(operand) ? dynType : undefined);
		if (value === undefined) {
			this.noOverload(node.at, "hasValue", [operand], true);
			this.noOverload(node.at, "value", [operand], true);
		}
		const variables = [{ name: node.variable, type: value ?? errorType }];
		const body = this.scope.within(variables, () => this.check(node.body));
		if (node.macro === "optMap") return optionalType(body);
		const result = optionalType(this.unifier.newParameter());
		if (this.unifier.fits(body, result)) return this.unifier.resolved(result);
		return this.noOverload(node.at, "_?_:_", [boolType, body, result], false);
	}

	private sortBy(node: Binding, operand: Type): Type {
		const [, item] = this.entryTypes(node.operand.at, operand);
		const variables = [{ name: node.variable, type: item }];
		const keys = this.scope.within(variables, () => this.check(node.body));
		const name = "@sortByAssociatedKeys";
		const declaration = this.environment.functions.get(name);
		const types = [operand, listType(keys)];
		const resolved = declaration && resolveOverloads(this.unifier, declaration, types, true);
		return resolved?.result ?? this.noOverload(node.at, name, types, true);
	}
}
