/** Messages about rules that do not hold or cannot be evaluated, in upstream's words. */
import type { Outcome } from "../../../core/cel/cel.ts";
import type { Cause } from "../../../core/errors.ts";
import { duplicate, forbidden, invalidValue, required } from "../../../core/validation/field-errors.ts";
import { nowhere } from "../schema/causes.ts";
import type { SchemaNode } from "../schema/schema-node.ts";
import type { ValidationRule } from "../schema/schema-props.ts";
import type { CompiledRule } from "./compiled-rules.ts";

const longestMessageBytes = 5 * 1024;

export function outOfBudget(node: SchemaNode, path: string): Cause {
	return refused(
		node,
		path,
		"validation failed due to running out of cost budget, no further validation rules will be run",
	);
}

export function cannotBeEvaluated(
	node: SchemaNode,
	path: string,
	error: string,
	{ rule }: CompiledRule,
	limitExceeded: boolean,
): Cause {
	const text = shortText(rule);
	if (error.startsWith("no such overload")) {
		const why = "call arguments did not match a supported operator, function or macro signature for rule";
		return refused(node, path, `'${error}': ${why}: ${text}`);
	}
	if (limitExceeded) {
		const why = "no further validation rules will be run due to call cost exceeds limit for rule";
		return refused(node, path, `'${error}': ${why}: ${text}`);
	}
	return refused(node, path, `${error} evaluating rule: ${text}`);
}

/**
 * @param message what the rule's own expression for it gave
 * @returns isLast: the message cost so much that no rule is evaluated any more
 */
export function brokenRule(
	node: SchemaNode,
	path: string,
	value: unknown,
	{ rule, fieldPath }: CompiledRule,
	message: Outcome | undefined,
	budget: number,
): { cause: Cause; isLast: boolean } {
	const at = fieldPath === "" ? path : path === "" ? fieldPath : `${path}.${fieldPath}`;
	const costly = message && tooCostly(message, rule.messageExpression ?? "", budget);
	if (costly !== undefined) return { cause: refused(node, at, costly), isLast: true };
	const detail = (message && messageText(message)) ?? defaultMessage(rule);
	return { cause: causeOf(at === "" ? nowhere : at, value, node.type, detail, rule.reason), isLast: false };
}

function tooCostly(message: Outcome, expression: string, budget: number): string | undefined {
	if (message.cost > budget)
		return "messageExpression evaluation failed due to running out of cost budget, no further validation rules will be run";
	if (message.error === undefined || !message.limitExceeded) return undefined;
	const why = "no further validation rules will be run due to call cost exceeds limit for messageExpression";
	return `${why}: ${JSON.stringify(expression)}`;
}

/** Undefined for what is no message: then there is the one without an expression. */
function messageText({ error, ...outcome }: Outcome): string | undefined {
	const value = error === undefined && "value" in outcome ? outcome.value : undefined;
	if (typeof value !== "string") return undefined;
	const text = value.trim();
	return text === "" || text.includes("\n") || Buffer.byteLength(text) > longestMessageBytes ? undefined : text;
}

function defaultMessage(rule: ValidationRule): string {
	return (rule.message ?? "") === "" ? `failed rule: ${shortText(rule)}` : shortText(rule);
}

function shortText({ rule, message = "" }: ValidationRule): string {
	return (message === "" ? rule : message).trim();
}

/** Objects and lists are too large to be shown. */
function causeOf(field: string, value: unknown, type: string, detail: string, reason = "FieldValueInvalid"): Cause {
	const isShown = type !== "object" && type !== "array";
	switch (reason) {
		case "FieldValueForbidden":
			return forbidden(field, detail);
		case "FieldValueRequired":
			return required(field, detail);
		case "FieldValueDuplicate":
			return isShown ? duplicate(field, value) : { reason, message: "Duplicate value", field };
		default:
			return isShown
				? invalidValue(field, value, detail)
				: { reason: "FieldValueInvalid", message: `Invalid value: ${detail}`, field };
	}
}

function refused(node: SchemaNode, path: string, why: string): Cause {
	return invalidValue(path === "" ? nowhere : path, node.schema.type ?? "", why);
}
