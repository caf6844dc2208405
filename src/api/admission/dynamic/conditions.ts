/** `matchConditions` of webhooks and policies. */
import { boolType, type Program } from "../../../core/cel/cel.ts";
import { compileExpression } from "../../../kinds/admissionregistration/expressions.ts";
import type { MatchCondition } from "../../../kinds/generated/types.ts";
import { type Activation, conditionsBudget, Evaluation } from "./activation.ts";

/** Whether all conditions hold; the failure policy decides about an error. */
export type ConditionOutcome = { matches: boolean; error?: undefined } | { error: string };

/** @returns undefined if there are none, so that nothing has to be evaluated */
export function compileConditions(
	conditions: readonly MatchCondition[] = [],
	hasParams = false,
): ((activation: Activation) => ConditionOutcome) | undefined {
	if (conditions.length === 0) return undefined;
	const programs = conditions.map(({ expression }) => compiled(expression.trim(), hasParams));
	return (activation) => {
		const evaluation = new Evaluation(activation, conditionsBudget);
		const errors: string[] = [];
		for (const program of programs) {
			if (typeof program === "string") errors.push(program);
			else {
				const { value, error } = evaluation.of(program);
				if (error !== undefined) errors.push(error);
				// One that does not hold decides, even if others fail.
				else if (value !== true) return { matches: false };
			}
		}
		if (errors.length === 0) return { matches: true };
		return { error: errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]` };
	};
}

/** An expression that an older server has accepted may be invalid: each evaluation then fails. */
function compiled(expression: string, hasParams: boolean): Program | string {
	const result = compileExpression(expression, { hasParams, hasAuthorizer: true }, [boolType]);
	return "program" in result ? result.program : result.problem;
}
