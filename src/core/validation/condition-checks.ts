/** Conditions in a status: `meta/v1` Condition, as upstream's ValidateConditions checks it. */
import type { Cause } from "../errors.ts";
import { nonNegative } from "./field-checks.ts";
import { duplicate, invalidEach, invalidValue, notSupported, required, tooLongValue } from "./field-errors.ts";
import { patternProblem, qualifiedNameProblems } from "./names.ts";

interface Condition {
	type?: string;
	status?: string;
	observedGeneration?: number;
	lastTransitionTime?: string;
	reason?: string;
	message?: string;
}

const statuses = ["False", "True", "Unknown"];
/** In bytes. */
const longestReason = 1024;
const longestMessage = 32 * 1024;
const reasonPattern = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const reasonSyntax = new RegExp(`^${reasonPattern}$`);
const reasonProblem = patternProblem(
	"a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters " +
		"or '_,:', and must end with an alphanumeric character or '_'",
	reasonPattern,
	...["my_name", "MY_NAME", "MyName", "ReasonA,ReasonB", "ReasonA:ReasonB"],
);

/** One of each type. */
export function conditionsProblems(conditions: readonly Condition[] | undefined, path: string): Cause[] {
	const types = new Set<string>();
	return (conditions ?? []).flatMap((condition, index) => {
		const { type = "" } = condition;
		const at = `${path}[${index}]`;
		const twice = types.has(type) ? [duplicate(at, type)] : [];
		types.add(type);
		return [...twice, ...conditionProblems(condition, at)];
	});
}

function conditionProblems(condition: Condition, path: string): Cause[] {
	const { type, status, observedGeneration = 0, lastTransitionTime, reason, message = "" } = condition;
	const causes = type
		? invalidEach(`${path}.type`, type, qualifiedNameProblems(type))
		: [required(`${path}.type`, "is required")];
	if (!status) causes.push(required(`${path}.status`));
	else if (!statuses.includes(status)) causes.push(notSupported(`${path}.status`, status, statuses));
	causes.push(...nonNegative(observedGeneration, `${path}.observedGeneration`));
	if (!lastTransitionTime) causes.push(required(`${path}.lastTransitionTime`));
	if (!reason) causes.push(required(`${path}.reason`));
	else if (!reasonSyntax.test(reason)) causes.push(invalidValue(`${path}.reason`, reason, reasonProblem));
	if (Buffer.byteLength(reason ?? "") > longestReason) causes.push(tooLongValue(`${path}.reason`, longestReason));
	if (Buffer.byteLength(message) > longestMessage) causes.push(tooLongValue(`${path}.message`, longestMessage));
	return causes;
}
