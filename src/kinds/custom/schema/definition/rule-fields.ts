/** The fields of validation rules, apart from what their expressions say. */
import type { Cause } from "../../../../core/errors.ts";
import { invalidValue, notSupported, required } from "../../../../core/validation/field-errors.ts";
import { fieldPathProblem } from "../field-path.ts";
import type { SchemaProps, ValidationRule } from "../schema-props.ts";

const reasons = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

export function ruleFieldCauses(schema: SchemaProps, path: string): Cause[] {
	const rules = schema["x-kubernetes-validations"] ?? [];
	return rules.flatMap((rule, index) => {
		const at = `${path}.x-kubernetes-validations[${index}]`;
		return [...textCauses(rule, at), ...pathCauses(schema, rule.fieldPath ?? "", `${at}.fieldPath`)];
	});
}

function textCauses({ rule = "", message = "", messageExpression = "", reason }: ValidationRule, at: string): Cause[] {
	const causes: Cause[] = [];
	if (rule.trim() === "") causes.push(required(`${at}.rule`, "rule is not specified"));
	else if (message !== "" && message.trim() === "")
		causes.push(invalidValue(`${at}.message`, message, "must be non-empty if specified"));
	else if (hasLineBreaks(message.trim()))
		causes.push(invalidValue(`${at}.message`, message, "must not contain line breaks"));
	else if (hasLineBreaks(rule.trim()) && message === "")
		causes.push(required(`${at}.message`, "message must be specified if rule contains line breaks"));
	if (messageExpression !== "" && messageExpression.trim() === "")
		causes.push(required(`${at}.messageExpression`, "messageExpression must be non-empty if specified"));
	if (reason !== undefined && !reasons.includes(reason)) causes.push(notSupported(`${at}.reason`, reason, reasons));
	return causes;
}

function pathCauses(schema: SchemaProps, fieldPath: string, at: string): Cause[] {
	if (fieldPath === "") return [];
	const causes: Cause[] = [];
	if (fieldPath.trim() === "") causes.push(invalidValue(at, fieldPath, "must be non-empty if specified"));
	if (hasLineBreaks(fieldPath)) causes.push(invalidValue(at, fieldPath, "must not contain line breaks"));
	if (fieldPathProblem(fieldPath, schema) !== undefined)
		causes.push(invalidValue(at, fieldPath, "must be a valid path"));
	return causes;
}

function hasLineBreaks(text: string): boolean {
	return /[\n\r]/.test(text);
}
