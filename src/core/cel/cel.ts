/**
 * The Common Expression Language as Kubernetes uses it: expressions over JSON, checked against the types of schemas,
 * and stopped when they cost too much. An `Environment` says what expressions may use; it compiles them to programs.
 */
import { check } from "./check/checker.ts";
import { literalIssues } from "./check/literals.ts";
import type { CheckerEnvironment } from "./check/loops.ts";
import type { Range } from "./cost/range.ts";
import { estimate } from "./estimate/estimate.ts";
import { declaredSizes, type SizeBounds } from "./estimate/sizes.ts";
import { type Built, build } from "./evaluate/build.ts";
import type { Frame } from "./evaluate/frame.ts";
import { type FunctionDeclaration, functionTable } from "./library/function.ts";
import { kubernetesFunctions, kubernetesTypes } from "./library/kubernetes/kubernetes.ts";
import { type Issue, issuesText, SyntaxIssue } from "./parse/issue.ts";
import { parse, type SyntaxOptions } from "./parse/parser.ts";
import type { Node } from "./parse/syntax.ts";
import type { Type } from "./types/type.ts";
import { Cancellation, Failure } from "./values/failure.ts";
import { beginWork, costLimitExceeded, endWork } from "./values/work.ts";

export type { Range } from "./cost/range.ts";
export type { Path, SizeBounds } from "./estimate/sizes.ts";
export type { FunctionDeclaration } from "./library/function.ts";
export {
	type AccessAnswer,
	type AccessQuestion,
	type AnswerAccess,
	Authorizer,
	authorizerType,
	ResourceCheck,
	resourceCheckType,
} from "./library/kubernetes/authorizer.ts";
export { patchFunctions } from "./library/kubernetes/kubernetes.ts";
export { quantityOf, quantityType } from "./library/kubernetes/quantity.ts";
export { semverOf } from "./library/kubernetes/semver.ts";
export type { Issue } from "./parse/issue.ts";
export { escapeName, unescapeName } from "./types/escaping.ts";
export * from "./types/type.ts";
export { Duration } from "./values/duration.ts";
export { Cancellation, Failure } from "./values/failure.ts";
export { jsonOf } from "./values/json.ts";
export type { ListSemantics } from "./values/list-semantics.ts";
export { MapWithDefault } from "./values/map-with-default.ts";
export { Timestamp } from "./values/timestamp.ts";
export { CelValue, Double, MadeObject, Optional, Uint } from "./values/value.ts";

export interface EnvironmentOptions {
	/** Variables by name, with their types. */
	readonly variables: Readonly<Record<string, Type>>;
	/** Functions besides those of Kubernetes. */
	readonly functions?: readonly FunctionDeclaration[];
	/** Types of objects that an expression may make (`Object.spec{…}`), by name; undefined for other names. */
	readonly objectType?: (name: string) => Type | undefined;
	/** Largest sizes of values, for estimates. Those that the declared types have when absent. */
	readonly sizes?: SizeBounds;
	/** Whether field names may stand in backticks, which Kubernetes does not enable. */
	readonly escapedNames?: boolean;
	/** Whether `cel.bind(name, value, body)` names a value, which Kubernetes enables for devices only. */
	readonly namedValues?: boolean;
}

export type Compiled = { readonly program: Program } | { readonly refusal: Refusal };

/** Why an expression is refused. */
export interface Refusal {
	readonly issues: readonly Issue[];
	/** All of them with the lines that they are in, as Kubernetes shows them. */
	readonly text: string;
}

export interface EvaluationOptions {
	/** The most that the evaluation may cost, in upstream's units; 1,000,000 when absent, as for one call upstream. */
	readonly costLimit?: number;
}

export type Outcome =
	| {
			/** As JSON has it, where JSON has it; see `values/value.ts`. */
			readonly value: unknown;
			readonly error: undefined;
			readonly cost: number;
			readonly limitExceeded: false;
	  }
	| {
			readonly value: undefined;
			readonly error: string;
			readonly cost: number;
			/** Whether it cost more than it may; no further expression should be evaluated then. */
			readonly limitExceeded: boolean;
	  };

/** What one call may cost (upstream's PerCallLimit). */
const perCallCostLimit = 1_000_000;

/** What expressions may use. Immutable; programs of one environment share it. */
export class Environment {
	private readonly checkerEnvironment: CheckerEnvironment;
	private readonly sizes: SizeBounds;
	private readonly syntax: SyntaxOptions;

	constructor(options: EnvironmentOptions) {
		const variables = new Map(Object.entries(options.variables));
		this.checkerEnvironment = {
			variables,
			typeNames: kubernetesTypes,
			objectType: options.objectType ?? (() => undefined),
			functions:
				options.functions === undefined
					? kubernetesTable()
					: functionTable([...kubernetesFunctions, ...options.functions]),
		};
		this.sizes = options.sizes ?? declaredSizes(variables);
		this.syntax = { escapedNames: options.escapedNames ?? false, namedValues: options.namedValues ?? false };
	}

	/** @returns a program, or every mistake that its syntax, its types or its literals have */
	compile(expression: string): Compiled {
		let root: Node;
		try {
			root = parse(expression, this.syntax);
		} catch (error) {
			if (error instanceof SyntaxIssue) return refused(expression, [error.issue]);
			throw error;
		}
		const { checked, issues } = check(root, this.checkerEnvironment);
		if (issues.length > 0) return refused(expression, issues);
		const wrongLiterals = literalIssues(checked);
		if (wrongLiterals.length > 0) return refused(expression, wrongLiterals);
		try {
			const built = build(checked);
			return { program: new Program(expression, checked.typeOf(root), built, () => estimate(checked, this.sizes)) };
		} catch (error) {
			if (!(error instanceof Failure)) throw error;
			const message = `program instantiation failed: ${error.message}`;
			return { refusal: { issues: [{ at: -1, message }], text: message } };
		}
	}
}

function refused(expression: string, issues: readonly Issue[]): Compiled {
	return { refusal: { issues, text: issuesText(expression, issues) } };
}

let table: ReadonlyMap<string, FunctionDeclaration> | undefined;

function kubernetesTable(): ReadonlyMap<string, FunctionDeclaration> {
	table ??= functionTable(kubernetesFunctions);
	return table;
}

/** An expression that may be evaluated any number of times. */
export class Program {
	readonly expression: string;
	/** The type of its result; dyn when that shows only in an evaluation. */
	readonly type: Type;
	private readonly built: Built;
	private readonly estimated: () => Range;

	constructor(expression: string, type: Type, built: Built, estimated: () => Range) {
		this.expression = expression;
		this.type = type;
		this.built = built;
		this.estimated = estimated;
	}

	/** What an evaluation may cost, from the least to the most, for values of the largest sizes that are allowed. */
	estimatedCost(): Range {
		return this.estimated();
	}

	/**
	 * @param variables JSON by the names of variables. A property may be a getter, which runs when the expression reads
	 * it; a `Failure` that it throws is one of the expression
	 */
	evaluate(variables: Readonly<Record<string, unknown>>, options?: EvaluationOptions): Outcome {
		const limit = options?.costLimit ?? perCallCostLimit;
		const frame: Frame = { variables, locals: new Array(this.built.localCount), cost: 0, limit };
		const outerWork = beginWork();
		try {
			const value = this.built.evaluate(frame);
			if (frame.cost > limit) throw costLimitExceeded();
			return { value, error: undefined, cost: frame.cost, limitExceeded: false };
		} catch (error) {
			if (error instanceof Failure)
				return { value: undefined, error: error.message, cost: frame.cost, limitExceeded: false };
			// JavaScript throws this where the stack ends; upstream's is larger.
			const cancellation = error instanceof RangeError ? costLimitExceeded() : error;
			if (!(cancellation instanceof Cancellation)) throw error;
			return { value: undefined, error: cancellation.message, cost: frame.cost, limitExceeded: true };
		} finally {
			endWork(outerWork);
		}
	}
}
