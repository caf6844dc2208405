/** The expressions of a policy, which share its parameters and variables. */
import { Failure, type Program, type Type } from "../../../core/cel/cel.ts";
import { lazy } from "../../../core/lazy.ts";
import { compileExpression, type Scope } from "../../../kinds/admissionregistration/expressions.ts";
import type { Variable } from "../../../kinds/generated/types.ts";
import { type Activation, Evaluation, policyBudget } from "../dynamic/activation.ts";

/** An expression, or the error of one that an older server has accepted. */
export type Compiled = Program | string;

export class Composition {
	readonly #variables = new Map<string, Compiled>();
	/** The names that the policy's expressions may use. */
	readonly scope: Scope;

	constructor(hasParams: boolean, variables: readonly Variable[] = [], makesObjects = false) {
		const types = new Map<string, Type>();
		this.scope = {
			hasParams,
			hasAuthorizer: true,
			...(makesObjects && { makesObjects }),
			...(variables.length > 0 && { variables: types }),
		};
		for (const { name, expression } of variables) {
			const program = compiled(expression, this.scope, undefined);
			this.#variables.set(name, program);
			if (typeof program !== "string") types.set(name, program.type);
		}
	}

	/** @param request with the parameters of an evaluation */
	begin(request: Activation): Evaluation {
		const activation: Record<string, unknown> = Object.create(request);
		const evaluation = new Evaluation(activation, policyBudget);
		if (this.#variables.size > 0) activation["variables"] = this.#composed(evaluation);
		return evaluation;
	}

	/** Evaluated once, when an expression first uses them. */
	#composed(evaluation: Evaluation): object {
		const values = {};
		for (const [name, program] of this.#variables) {
			const value = lazy(() => {
				if (typeof program === "string") throw failed(name, "compile", program);
				const outcome = evaluation.of(program);
				if (outcome.error !== undefined) throw failed(name, "evaluate", outcome.error);
				return outcome.value;
			});
			Object.defineProperty(values, name, { get: value, enumerable: true });
		}
		return values;
	}
}

/** @param params null for none */
export function withParams(request: Activation, params: unknown): Activation {
	return Object.create(request, { params: { value: params, enumerable: true } });
}

export function compiled(expression: string, scope: Scope, results: readonly Type[] | undefined): Compiled {
	const result = compileExpression(expression, scope, results);
	return "program" in result ? result.program : result.problem;
}

function failed(name: string, what: string, why: string): Failure {
	return new Failure(`composited variable ${JSON.stringify(name)} fails to ${what}: ${why}`);
}
