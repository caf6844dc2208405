/** A ValidatingAdmissionPolicy, ready to be evaluated. */
import { boolType, Failure, nullType, type Program, stringType, type Type } from "../../../core/cel/cel.ts";
import { compileExpression, type Scope } from "../../../kinds/admissionregistration/expressions.ts";
import type { ValidatingAdmissionPolicy } from "../../../kinds/generated/types.ts";
import { type Activation, Evaluation, policyBudget } from "../dynamic/activation.ts";
import { compileConditions } from "../dynamic/conditions.ts";

/** What a validation comes to when it does not hold. */
export interface Denial {
	/** Of the validation in its policy. */
	index: number;
	message: string;
	reason: string;
	/** The expression could not be evaluated: the failure policy has been applied. */
	isError: boolean;
}

export interface Verdict {
	denials: readonly Denial[];
	/** Key and value. */
	auditAnnotations: readonly (readonly [string, string])[];
}

/** An expression, or what is wrong with one that an older server has taken. */
type Compiled = Program | string;

const nothing: Verdict = { denials: [], auditAnnotations: [] };
const longestMessageBytes = 5 * 1024;

export class CompiledPolicy {
	readonly #spec: ValidatingAdmissionPolicy["spec"];
	readonly #conditions;
	readonly #variables: ReadonlyMap<string, Compiled>;
	readonly #validations: readonly { expression: Compiled; message: Compiled | undefined }[];
	readonly #annotations: readonly { key: string; value: Compiled }[];

	constructor({ spec }: ValidatingAdmissionPolicy) {
		this.#spec = spec;
		const hasParams = spec.paramKind !== undefined;
		this.#conditions = compileConditions(spec.matchConditions, hasParams);
		const [types, variables] = [new Map<string, Type>(), new Map<string, Compiled>()];
		const scope: Scope = { hasParams, hasAuthorizer: true, ...(spec.variables?.length && { variables: types }) };
		for (const { name, expression } of spec.variables ?? []) {
			const program = compiled(expression, scope, undefined);
			variables.set(name, program);
			if (typeof program !== "string") types.set(name, program.type);
		}
		this.#variables = variables;
		const ofMessages = { ...scope, hasAuthorizer: false };
		this.#validations = (spec.validations ?? []).map(({ expression, messageExpression = "" }) => ({
			expression: compiled(expression, scope, [boolType]),
			message: messageExpression === "" ? undefined : compiled(messageExpression, ofMessages, [stringType]),
		}));
		this.#annotations = (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
			key,
			value: compiled(valueExpression, scope, [stringType, nullType]),
		}));
	}

	get failsOpen(): boolean {
		return this.#spec.failurePolicy === "Ignore";
	}

	/** @param params null for none */
	evaluate(request: Activation, params: unknown): Verdict {
		const activation: Record<string, unknown> = Object.create(request);
		activation["params"] = params;
		const conditions = this.#conditions?.(activation);
		if (conditions?.error !== undefined) return { ...nothing, denials: this.#failure(0, conditions.error) };
		if (conditions?.matches === false) return nothing;
		const evaluation = new Evaluation(activation, policyBudget);
		if (this.#variables.size > 0) activation["variables"] = this.#composed(evaluation);
		const denials: Denial[] = [];
		for (const [index, { expression, message }] of this.#validations.entries()) {
			if (typeof expression === "string") denials.push(...this.#failure(index, expression));
			else {
				const { value, error } = evaluation.of(expression);
				if (error !== undefined) denials.push(...this.#failure(index, error));
				else if (value !== true) denials.push(this.#denial(index, message, evaluation));
			}
		}
		return { denials, auditAnnotations: this.#annotate(activation, denials) };
	}

	#failure(index: number, message: string): Denial[] {
		return this.failsOpen ? [] : [{ index, message, reason: "Invalid", isError: true }];
	}

	#denial(index: number, expression: Compiled | undefined, evaluation: Evaluation): Denial {
		const validation = this.#spec.validations?.[index];
		const { message = "", reason = "Invalid", expression: rule = "" } = validation ?? {};
		const said = expression === undefined || typeof expression === "string" ? "" : messageOf(evaluation.of(expression));
		const text = said || message.trim() || `failed expression: ${rule.trim()}`;
		return { index, message: text, reason, isError: false };
	}

	/** Evaluated when an expression first names them, and once. */
	#composed(evaluation: Evaluation): object {
		const values = {};
		for (const [name, program] of this.#variables) {
			const value = once(() => {
				if (typeof program === "string") throw failed(name, "compile", program);
				const outcome = evaluation.of(program);
				if (outcome.error !== undefined) throw failed(name, "evaluate", outcome.error);
				return outcome.value;
			});
			Object.defineProperty(values, name, { get: value, enumerable: true });
		}
		return values;
	}

	/** Errors become denials, where the policy does not fail open. */
	#annotate(activation: Activation, denials: Denial[]): [string, string][] {
		if (this.#annotations.length === 0) return [];
		const evaluation = new Evaluation(activation, policyBudget);
		const annotations: [string, string][] = [];
		for (const { key, value: program } of this.#annotations) {
			const outcome = typeof program === "string" ? { error: program } : evaluation.of(program);
			if (outcome.error !== undefined) denials.push(...this.#failure(0, outcome.error));
			else if (typeof outcome.value === "string" && outcome.value.trim() !== "")
				annotations.push([key, outcome.value.trim()]);
		}
		return annotations;
	}
}

function compiled(expression: string, scope: Scope, results: readonly Type[] | undefined): Compiled {
	const result = compileExpression(expression, scope, results);
	return "program" in result ? result.program : result.problem;
}

/** Empty where the expression has no message to give. */
function messageOf({ value, error }: { value?: unknown; error?: string | undefined }): string {
	if (error !== undefined || typeof value !== "string") return "";
	const text = value.trim();
	return text.includes("\n") || Buffer.byteLength(text) > longestMessageBytes ? "" : text;
}

function failed(name: string, what: string, why: string): Failure {
	return new Failure(`composited variable ${JSON.stringify(name)} fails to ${what}: ${why}`);
}

function once<T>(make: () => T): () => T {
	let outcome: { value: T } | { error: unknown } | undefined;
	return () => {
		if (outcome === undefined)
			try {
				outcome = { value: make() };
			} catch (error) {
				outcome = { error };
			}
		if ("error" in outcome) throw outcome.error;
		return outcome.value;
	};
}
