import type { FunctionDeclaration } from "../library/function.ts";
import type { Call, Item, ListLiteral, Logic, MapLiteral, Node, ObjectLiteral, Select } from "../parse/syntax.ts";
import {
	boolType,
	dynType,
	errorType,
	type Field,
	isDynOrError,
	listType,
	mapType,
	optionalType,
	type Type,
	typeText,
	valueOfOptional,
} from "../types/type.ts";
import type { CheckResult, Resolution } from "./checked.ts";
import { type CheckerEnvironment, LoopChecker } from "./loops.ts";
import { resolveOverloads } from "./overloads.ts";
import type { Reference } from "./scope.ts";
import { moreGeneral } from "./unify.ts";

/** The types of a tree. Goes on after a mistake, so that all are reported together. */
export function check(root: Node, environment: CheckerEnvironment): CheckResult {
	const checker = new Checker(environment);
	checker.check(root);
	return {
		issues: checker.issues,
		checked: {
			root,
			typeOf: (node) => checker.typeOf(node),
			referenceOf: (node) => checker.references.get(node),
			fieldOf: (node) => checker.fields.get(node),
			resolutionOf: (call) => checker.resolutionOf(call),
		},
	};
}

class Checker extends LoopChecker {
	readonly references = new Map<Node, Reference>();
	readonly fields = new Map<Node, Field>();
	private readonly types = new Map<Node, Type>();
	private readonly resolutions = new Map<Node, Resolution>();

	/** The type of a node once all is checked; what is still open is dyn. */
	typeOf(node: Node): Type {
		return node.kind === "literal" ? node.type : this.unifier.resolved(this.types.get(node) ?? errorType, true);
	}

	resolutionOf(call: Call): Resolution {
		const resolution = this.resolutions.get(call);
		if (resolution === undefined) throw new Error(`a call of ${call.name} that was not checked`);
		return resolution;
	}

	check(node: Node): Type {
		if (node.kind === "literal") return node.type;
		const type = this.typeFor(node);
		this.types.set(node, type);
		return type;
	}

	private typeFor(node: Node): Type {
		switch (node.kind) {
			case "literal":
				return node.type;
			case "identifier":
				return this.identifier(node, node.name);
			case "select":
				return this.select(node);
			case "call":
				return this.call(node);
			case "logic":
				return this.logic(node);
			case "list":
				return this.list(node);
			case "map":
				return this.map(node);
			case "object":
				return this.object(node);
			case "comprehension":
				return this.comprehension(node);
			case "binding":
				return this.binding(node);
		}
	}

	private identifier(node: Node, name: string): Type {
		const found = this.scope.find(name);
		if (found === undefined) return this.undeclared(node.at, name);
		this.references.set(node, found.reference);
		return found.type;
	}

	private select(node: Select): Type {
		const path = node.mode === "value" ? pathOf(node) : undefined;
		const found = path && this.scope.findPath(path);
		if (found !== undefined) {
			this.references.set(node, found.reference);
			return found.type;
		}
		const type = this.fieldType(node, this.unifier.resolved(this.check(node.operand)));
		return node.mode === "has" ? boolType : this.unifier.resolved(type);
	}

	private fieldType(node: Select, operand: Type): Type {
		const target = valueOfOptional(operand);
		const type = this.fieldOfType(node, target ?? operand);
		return node.mode === "optional" || target !== undefined ? optionalType(type) : type;
	}

	private fieldOfType(node: Select, target: Type): Type {
		switch (target.kind) {
			case "map":
				return target.parameters[1] ?? dynType;
			case "object": {
				const field = target.fields?.field(node.field);
				if (field === undefined) {
					this.report(node.at, `undefined field '${node.field}'`);
					return errorType;
				}
				this.fields.set(node, field);
				return field.type;
			}
			case "parameter":
				// What it is later may have other fields: nothing is known from here on.
				this.unifier.fits(dynType, target);
				return dynType;
			default:
				if (!isDynOrError(target)) this.report(node.at, `type '${typeText(target)}' does not support field selection`);
				return dynType;
		}
	}

	private call(node: Call): Type {
		const args = node.arguments.map((argument) => this.check(argument));
		const { target } = node;
		const path = target && pathOf(target);
		const namespaced = path && this.environment.functions.get(`${path.join(".").replace(/^\./, "")}.${node.name}`);
		if (namespaced !== undefined) return this.resolve(node, namespaced, args, false, true);
		const types = target === undefined ? args : [this.check(target), ...args];
		const declaration = this.environment.functions.get(target === undefined ? node.name.replace(/^\./, "") : node.name);
		if (declaration === undefined) return this.undeclared(node.at, node.name);
		return this.resolve(node, declaration, types, target !== undefined, false);
	}

	private resolve(
		node: Call,
		declaration: FunctionDeclaration,
		types: readonly Type[],
		member: boolean,
		namespaced: boolean,
	): Type {
		const resolved = resolveOverloads(this.unifier, declaration, types, member);
		if (resolved === undefined) return this.noOverload(node.at, declaration.name, types, member);
		this.resolutions.set(node, { declaration, overloads: resolved.overloads, namespaced });
		return resolved.result;
	}

	private logic(node: Logic): Type {
		let fits = true;
		for (const term of node.terms) if (!this.checkBool(term)) fits = false;
		return fits ? boolType : errorType;
	}

	/** The type of all of several values: dyn when they differ. */
	private join(known: Type | undefined, type: Type): Type {
		if (known === undefined) return type;
		return this.unifier.fits(known, type) ? moreGeneral(known, type) : dynType;
	}

	/** The type of an item, or of what the optional holds that may become one. */
	private item(item: Item): Type {
		const type = this.check(item.value);
		if (!item.optional) return type;
		const value = valueOfOptional(this.unifier.resolved(type));
		if (value === undefined && type.kind !== "dyn") this.mismatch(item.value.at, optionalType(type), type);
		return value ?? type;
	}

	private list(node: ListLiteral): Type {
		let items: Type | undefined;
		for (const item of node.items) items = this.join(items, this.item(item));
		return listType(items ?? this.unifier.newParameter());
	}

	private map(node: MapLiteral): Type {
		let keys: Type | undefined;
		let values: Type | undefined;
		for (const entry of node.entries) {
			keys = this.join(keys, this.check(entry.key));
			values = this.join(values, this.item(entry));
		}
		return mapType(keys ?? this.unifier.newParameter(), values ?? this.unifier.newParameter());
	}

	private object(node: ObjectLiteral): Type {
		const type = this.environment.objectType(node.name.replace(/^\./, ""));
		if (type === undefined) return this.notAnObject(node);
		for (const field of node.fields) {
			const found = this.item(field);
			const declared = type.fields?.field(field.name)?.type;
			if (declared === undefined) this.report(field.at, `undefined field '${field.name}'`);
			else if (!this.unifier.fits(declared, found)) this.wrongField(field.at, field.name, declared, found);
		}
		return type;
	}

	private notAnObject(node: ObjectLiteral): Type {
		const found = this.scope.find(node.name);
		if (found === undefined) return this.undeclared(node.at, node.name);
		const named = found.reference.kind === "type" ? found.type.parameters[0] : undefined;
		this.report(
			node.at,
			named === undefined ? `'${typeText(found.type)}' is not a type` : `'${typeText(named)}' is not a message type`,
		);
		return errorType;
	}
}

/** The names of a path of fields that begins with an identifier; undefined for other nodes. */
function pathOf(node: Node): string[] | undefined {
	if (node.kind === "identifier") return [node.name];
	if (node.kind !== "select" || node.mode !== "value") return undefined;
	const path = pathOf(node.operand);
	path?.push(node.field);
	return path;
}
