import type { Type } from "../types/type.ts";

/** What an expression may name: variables, types by their names, and the fields of types that it may make. */
export interface Declarations {
	readonly variables: ReadonlyMap<string, Type>;
	/** Names of types, as `type(x) == int` uses them. */
	readonly typeNames: ReadonlyMap<string, Type>;
	/** Types of objects that an expression may make (`Object.spec{…}`); undefined for other names. */
	readonly objectType: (name: string) => Type | undefined;
}

export type Reference =
	| { readonly kind: "loop variable"; readonly name: string }
	| { readonly kind: "variable"; readonly name: string }
	| { readonly kind: "type"; readonly name: string };

/** The variables of the loops around the current place, innermost last, and those of the environment. */
export class Scope {
	private readonly declarations: Declarations;
	private readonly locals: { name: string; type: Type }[] = [];
	/** First parts of names with dots, so that few paths are looked up. */
	private readonly dottedRoots: ReadonlySet<string>;

	constructor(declarations: Declarations) {
		this.declarations = declarations;
		this.dottedRoots = dottedRootsOf(declarations);
	}

	within<T>(variables: readonly { name: string; type: Type }[], action: () => T): T {
		this.locals.push(...variables);
		const result = action();
		this.locals.length -= variables.length;
		return result;
	}

	/** What a name means; undefined when nothing has it. */
	find(name: string): { reference: Reference; type: Type } | undefined {
		if (name.startsWith(".")) return this.findGlobal(name.slice(1));
		const local = this.locals.findLast((variable) => variable.name === name);
		if (local !== undefined) return { reference: { kind: "loop variable", name }, type: local.type };
		return this.findGlobal(name);
	}

	/** As `find` for a path (`google.protobuf.Timestamp`), which no loop's variable hides or has. */
	findPath(path: readonly string[]): { reference: Reference; type: Type } | undefined {
		const root = path[0]?.replace(/^\./, "");
		if (root === undefined || !this.dottedRoots.has(root)) return undefined;
		if (this.locals.some((variable) => variable.name === path[0])) return undefined;
		return this.findGlobal(path.join(".").replace(/^\./, ""));
	}

	private findGlobal(name: string): { reference: Reference; type: Type } | undefined {
		const variable = this.declarations.variables.get(name);
		if (variable !== undefined) return { reference: { kind: "variable", name }, type: variable };
		const type = this.declarations.typeNames.get(name);
		return type && { reference: { kind: "type", name }, type: { kind: "type", name: "type", parameters: [type] } };
	}
}

const rootsByDeclarations = new WeakMap<Declarations, ReadonlySet<string>>();

function dottedRootsOf(declarations: Declarations): ReadonlySet<string> {
	let roots = rootsByDeclarations.get(declarations);
	if (roots === undefined) {
		const names = [...declarations.variables.keys(), ...declarations.typeNames.keys()];
		roots = new Set(names.filter((name) => name.includes(".")).map((name) => name.slice(0, name.indexOf("."))));
		rootsByDeclarations.set(declarations, roots);
	}
	return roots;
}
