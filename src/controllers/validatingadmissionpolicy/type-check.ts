/**
 * Checks the expressions of a policy against the types of the objects that it matches, which changes nothing of what
 * the policy does (Kubernetes documentation, "Validating Admission Policy", "Type checking").
 */
import type { Type } from "../../core/cel/cel.ts";
import { admissionEnvironment, type Scope } from "../../kinds/admissionregistration/expressions.ts";
import type { Registry } from "../../kinds/engine/registry.ts";
import type {
	ExpressionWarning,
	NamedRuleWithOperations,
	ValidatingAdmissionPolicy,
} from "../../kinds/generated/types.ts";
import { declaredType } from "./declared-type.ts";

type Kinds = Pick<Registry, "kind" | "resource">;

/** A policy that matches more types is checked for the first ones; each takes as long as the validation of the policy. */
const mostTypes = 10;

interface CheckedKind {
	/** As messages name it: `apps/v1, Kind=Deployment`. */
	title: string;
	scope: Scope;
}

export function expressionWarnings({ spec }: ValidatingAdmissionPolicy, kinds: Kinds): ExpressionWarning[] {
	const { paramKind, matchConstraints, variables = [], validations = [] } = spec;
	const paramType = paramKind && kinds.kind(paramKind.apiVersion ?? "", paramKind.kind ?? "");
	const params = paramType && declaredType(paramType.kind, paramType.served?.schema);
	const checked = typesOf(matchConstraints?.resourceRules ?? [], kinds).map(([title, object]): CheckedKind => {
		const defined = new Map<string, Type>();
		const scope: Scope = {
			hasParams: paramKind !== undefined,
			hasAuthorizer: true,
			variables: defined,
			types: { object, ...(params !== undefined && { params }) },
		};
		for (const { name, expression } of variables) {
			const compiled = admissionEnvironment(scope).compile(expression);
			if ("program" in compiled) defined.set(name, compiled.program.type);
		}
		return { title, scope };
	});
	return validations.flatMap(({ expression, messageExpression = "" }, index) => [
		...warningOf(expression, `spec.validations[${index}].expression`, checked),
		...(messageExpression === ""
			? []
			: warningOf(messageExpression, `spec.validations[${index}].messageExpression`, checked)),
	]);
}

/** Types by title, sorted; none for rules with wildcards. */
function typesOf(rules: readonly NamedRuleWithOperations[], kinds: Kinds): [string, Type][] {
	const found = new Map<string, Type>();
	for (const { apiGroups = [], apiVersions = [], resources = [] } of rules) {
		if ([...apiGroups, ...apiVersions].some((name) => name.includes("*"))) continue;
		for (const group of [...apiGroups].sort())
			for (const version of [...apiVersions].sort())
				for (const resource of [...resources].sort()) {
					const { kind, served } = kinds.resource(group, version, resource) ?? {};
					if (kind === undefined || found.size >= mostTypes) continue;
					found.set(`${group}/${version}, Kind=${kind.kind}`, declaredType(kind, served?.schema));
				}
	}
	return [...found].sort(([a], [b]) => (a < b ? -1 : 1));
}

function warningOf(expression: string, fieldRef: string, checked: readonly CheckedKind[]): ExpressionWarning[] {
	const problems = checked.flatMap(({ title, scope }) => {
		const compiled = admissionEnvironment(scope).compile(expression);
		return "refusal" in compiled ? [`${title}: ${compiled.refusal.text}\n`] : [];
	});
	return problems.length === 0 ? [] : [{ fieldRef, warning: problems.join("\n") }];
}
