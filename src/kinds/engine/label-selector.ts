import type { Cause } from "../../core/errors.ts";
import { type LabelSelector, selectorFrom } from "../../core/selection/selector.ts";
import { labels } from "../../core/validation/field-checks.ts";
import { forbidden, invalidEach, notSupported, required } from "../../core/validation/field-errors.ts";
import { labelValueProblems, qualifiedNameProblems } from "../../core/validation/names.ts";

/** Validates a label selector; an absent one is valid here. */
export function validateLabelSelector(selector: LabelSelector | undefined, path: string): Cause[] {
	if (selector === undefined) return [];
	const causes = labels(selector.matchLabels, `${path}.matchLabels`);
	for (const [index, { key, operator, values }] of (selector.matchExpressions ?? []).entries()) {
		const at = `${path}.matchExpressions[${index}]`;
		const count = values?.length ?? 0;
		if (operator === "In" || operator === "NotIn") {
			if (count === 0) causes.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
		} else if (operator === "Exists" || operator === "DoesNotExist") {
			if (count > 0)
				causes.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
		} else {
			causes.push(notSupported(`${at}.operator`, operator, operators));
		}
		causes.push(...invalidEach(`${at}.key`, key, qualifiedNameProblems(key)));
		for (const [position, value] of (values ?? []).entries())
			causes.push(...invalidEach(`${at}.values[${position}]`, value, labelValueProblems(value)));
	}
	return causes;
}

/** Whether a selector has neither labels nor expressions. */
export function isEmptySelector(selector: LabelSelector): boolean {
	return Object.keys(selector.matchLabels ?? {}).length === 0 && (selector.matchExpressions ?? []).length === 0;
}

/** Whether labels match; an invalid selector matches, so that its mistake is reported only once. */
export function matchesOrBroken(selector: LabelSelector, labelsToMatch: Readonly<Record<string, string>>): boolean {
	if (hasUnknownOperator(selector)) return true;
	return selectorFrom(selector).matches(labelsToMatch);
}

const operators = ["DoesNotExist", "Exists", "In", "NotIn"];

/** Whether a selector cannot be evaluated because of an unknown operator. */
export function hasUnknownOperator(selector: LabelSelector): boolean {
	return selector.matchExpressions?.some(({ operator }) => !operators.includes(operator)) ?? false;
}
