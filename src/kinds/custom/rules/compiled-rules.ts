/** The rules of one part of a schema, as programs. */
import { Environment, optionalType, type Program, type Type } from "../../../core/cel/cel.ts";
import { messageOf } from "../../../core/errors.ts";
import { fieldPathIn } from "../schema/field-path.ts";
import type { SchemaProps, ValidationRule } from "../schema/schema-props.ts";
import { ruleType } from "./rule-types.ts";

export interface CompiledRule {
	readonly rule: ValidationRule;
	/** Undefined when the rule is refused, or empty. */
	readonly program: Program | undefined;
	/** Why the rule is refused. */
	readonly problem: string | undefined;
	/** Whether it compares with the old value: then it does not apply to a new value, unless `oldSelf` is optional. */
	readonly usesOldSelf: boolean;
	readonly message: Program | undefined;
	readonly messageProblem: string | undefined;
	/** Path of the field that the rule is about, relative to the rule: `spec.limits[cpu]`. */
	readonly fieldPath: string;
}

/** @returns undefined when no expression sees values of the schema, so that it cannot have rules */
export function compiledRules(schema: SchemaProps, isObject: boolean): CompiledRule[] | undefined {
	const self = ruleType(schema, "selfType", isObject);
	if (self === undefined) return undefined;
	const environments = environmentsOf(self);
	return (schema["x-kubernetes-validations"] ?? []).map((rule) => compiledRule(rule, schema, environments));
}

interface Environments {
	/** Without an old value. */
	readonly self: Environment;
	readonly oldSelf: Environment;
	readonly optionalOldSelf: Environment;
}

function environmentsOf(self: Type): Environments {
	return {
		self: new Environment({ variables: { self } }),
		oldSelf: new Environment({ variables: { self, oldSelf: self } }),
		optionalOldSelf: new Environment({ variables: { self, oldSelf: optionalType(self) } }),
	};
}

function compiledRule(rule: ValidationRule, schema: SchemaProps, environments: Environments): CompiledRule {
	const environment = rule.optionalOldSelf === true ? environments.optionalOldSelf : environments.oldSelf;
	const { program, problem } = compiled(rule.rule, environment, "bool", "");
	const message =
		program === undefined || (rule.messageExpression ?? "") === ""
			? {}
			: compiled(rule.messageExpression ?? "", environment, "string", "messageExpression ");
	return {
		rule,
		program,
		problem,
		usesOldSelf: program !== undefined && usesOldSelf(rule.rule, environments),
		message: message.program,
		messageProblem: message.problem,
		fieldPath: fieldPathOf(rule, schema),
	};
}

function compiled(
	expression: string,
	environment: Environment,
	wanted: "bool" | "string",
	what: string,
): { program?: Program; problem?: string } {
	if (expression.trim() === "") return {};
	const result = environment.compile(expression);
	if ("refusal" in result) return { problem: `${what}compilation failed: ${result.refusal.text}` };
	const { program } = result;
	if (program.type.kind === wanted) return { program };
	return { problem: wanted === "bool" ? "cel expression must evaluate to a bool" : `${what}must evaluate to a string` };
}

/** A field, a text or a variable of a loop may have the same name: then it can do without the old value. */
function usesOldSelf(expression: string, { self }: Environments): boolean {
	return expression.includes("oldSelf") && "refusal" in self.compile(expression);
}

function fieldPathOf({ fieldPath = "" }: ValidationRule, schema: SchemaProps): string {
	if (fieldPath === "") return "";
	try {
		return fieldPathIn(fieldPath, schema).text;
	} catch (error) {
		throw new Error(`a rule about ${fieldPath} was let through: ${messageOf(error)}`);
	}
}
