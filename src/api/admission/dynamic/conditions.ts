/** `matchConditions` of webhooks and policies. */
import { boolType, type Program } from "../../../core/cel/cel.ts";
import { compileExpression } from "../../../kinds/admissionregistration/expressions.ts";
import type { MatchCondition } from "../../../kinds/generated/types.ts";
import { type Activation, conditionsBudget, Evaluation } from "./activation.ts";

/** Whether all conditions hold; an error is for the failure policy. */
export type ConditionOutcome = { matches: boolean; error?: undefined } | { error: string };

/** @returns undefined where there are none, so that nothing has to be evaluated */
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
				// One that does not hold decides, whatever is wrong with others.
				else if (value !== true) return { matches: false };
			}
		}
		if (errors.length === 0) return { matches: true };
		return { error: errors.length === 1 ? (errors[0] ?? "") : `[${errors.join(", ")}]` };
	};
}

/** What is wrong with an expression that an older server has taken shows in each evaluation. */
function compiled(expression: string, hasParams: boolean): Program | string {
	const result = compileExpression(expression, { hasParams, hasAuthorizer: true }, [boolType]);
	return "program" in result ? result.program : result.problem;
}
