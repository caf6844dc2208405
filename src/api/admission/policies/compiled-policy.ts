/** A compiled ValidatingAdmissionPolicy. */
import { boolType, nullType, stringType } from "../../../core/cel/cel.ts";
import type { ValidatingAdmissionPolicy } from "../../../kinds/generated/types.ts";
import type { Activation, Evaluation } from "../dynamic/activation.ts";
import { compileConditions } from "../dynamic/conditions.ts";
import { type Compiled, Composition, compiled, withParams } from "./composition.ts";

/** The result of a validation that does not hold. */
export interface Denial {
	/** Of the validation in its policy. */
	index: number;
	message: string;
	reason: string;
}

export interface Verdict {
	denials: readonly Denial[];
	/** Key and value. */
	auditAnnotations: readonly (readonly [string, string])[];
}

const nothing: Verdict = { denials: [], auditAnnotations: [] };
const longestMessageBytes = 5 * 1024;

export class CompiledPolicy {
	readonly #spec: ValidatingAdmissionPolicy["spec"];
	readonly #conditions;
	readonly #composition: Composition;
	readonly #validations: readonly { expression: Compiled; message: Compiled | undefined }[];
	readonly #annotations: readonly { key: string; value: Compiled }[];

	constructor({ spec }: ValidatingAdmissionPolicy) {
		this.#spec = spec;
		const hasParams = spec.paramKind !== undefined;
		this.#conditions = compileConditions(spec.matchConditions, hasParams);
		this.#composition = new Composition(hasParams, spec.variables);
		const { scope } = this.#composition;
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
		const activation = withParams(request, params);
		const conditions = this.#conditions?.(activation);
		if (conditions?.error !== undefined) return { ...nothing, denials: this.#failure(0, conditions.error) };
		if (conditions?.matches === false) return nothing;
		const evaluation = this.#composition.begin(activation);
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
		return this.failsOpen ? [] : [{ index, message, reason: "Invalid" }];
	}

	#denial(index: number, expression: Compiled | undefined, evaluation: Evaluation): Denial {
		const validation = this.#spec.validations?.[index];
		const { message = "", reason = "Invalid", expression: rule = "" } = validation ?? {};
		const said = expression === undefined || typeof expression === "string" ? "" : messageOf(evaluation.of(expression));
		const text = said || message.trim() || `failed expression: ${rule.trim()}`;
		return { index, message: text, reason };
	}

	/** Errors are denials, unless the policy fails open. */
	#annotate(activation: Activation, denials: Denial[]): [string, string][] {
		if (this.#annotations.length === 0) return [];
		const evaluation = this.#composition.begin(activation);
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

/** Empty if the expression returns no message. */
function messageOf({ value, error }: { value?: unknown; error?: string | undefined }): string {
	if (error !== undefined || typeof value !== "string") return "";
	const text = value.trim();
	return text.includes("\n") || Buffer.byteLength(text) > longestMessageBytes ? "" : text;
}
