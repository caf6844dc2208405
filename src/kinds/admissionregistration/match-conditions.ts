/** Conditions that a request must meet besides the rules of a webhook or policy. */
import { boolType } from "../../core/cel/cel.ts";
import type { Cause } from "../../core/errors.ts";
import { duplicate, invalidEach, required, tooMany } from "../../core/validation/field-errors.ts";
import { qualifiedNameProblems } from "../../core/validation/names.ts";
import type { MatchCondition } from "../generated/types.ts";
import { expressionCauses } from "./expressions.ts";

const mostConditions = 64;

export function validateMatchConditions(
	conditions: readonly MatchCondition[] = [],
	path: string,
	hasParams = false,
): Cause[] {
	const causes: Cause[] = [];
	if (conditions.length > mostConditions) return [tooMany(path, conditions.length, mostConditions)];
	const names = new Set<string>();
	for (const [index, { name, expression }] of conditions.entries()) {
		const at = `${path}[${index}]`;
		if (expression.trim() === "") causes.push(required(`${at}.expression`));
		else {
			const scope = { hasParams, hasAuthorizer: true };
			causes.push(...expressionCauses(expression.trim(), `${at}.expression`, scope, [boolType]));
		}
		if (name === "") causes.push(required(`${at}.name`));
		else causes.push(...invalidEach(`${at}.name`, name, qualifiedNameProblems(name)));
		if (name !== "" && names.has(name)) causes.push(duplicate(`${at}.name`, name));
		names.add(name);
	}
	return causes;
}
