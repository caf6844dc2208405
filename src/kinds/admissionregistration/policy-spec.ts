/** What validating and mutating policies have in common. */
import type { Type } from "../../core/cel/cel.ts";
import type { Cause } from "../../core/errors.ts";
import { invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import type { MatchCondition, MatchResources, ParamKind, Variable } from "../generated/types.ts";
import { compileExpression, expressionCauses, type Scope } from "./expressions.ts";
import { validateMatchConditions } from "./match-conditions.ts";
import { validateMatchResources } from "./match-resources.ts";
import { validateParamKind } from "./params.ts";

export interface PolicySpec {
	failurePolicy?: string;
	paramKind?: ParamKind;
	matchConstraints?: MatchResources;
	matchConditions?: MatchCondition[];
	variables?: Variable[];
}

const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;

/** @returns what is wrong, and what the policy's own expressions may name */
export function checkPolicy(spec: PolicySpec, makesObjects = false): { causes: Cause[]; scope: Scope } {
	const { failurePolicy = "", paramKind, matchConstraints, variables = [] } = spec;
	const causes: Cause[] = [];
	if (failurePolicy === "") causes.push(required("spec.failurePolicy"));
	else if (failurePolicy !== "Fail" && failurePolicy !== "Ignore")
		causes.push(notSupported("spec.failurePolicy", failurePolicy, ["Fail", "Ignore"]));
	if (paramKind !== undefined) causes.push(...validateParamKind(paramKind, "spec.paramKind"));
	if (matchConstraints === undefined) causes.push(required("spec.matchConstraints"));
	else {
		causes.push(...validateMatchResources(matchConstraints, "spec.matchConstraints"));
		if ((matchConstraints.resourceRules ?? []).length === 0)
			causes.push(required("spec.matchConstraints.resourceRules"));
	}
	const hasParams = paramKind !== undefined;
	causes.push(...validateMatchConditions(spec.matchConditions, "spec.matchConditions", hasParams));
	const defined = new Map<string, Type>();
	const scope: Scope = {
		hasParams,
		hasAuthorizer: true,
		...(makesObjects && { makesObjects }),
		...(variables.length > 0 && { variables: defined }),
	};
	for (const [index, variable] of variables.entries())
		causes.push(...defineVariable(variable, `spec.variables[${index}]`, scope, defined));
	return { causes, scope };
}

function defineVariable(
	{ name, expression }: Variable,
	path: string,
	scope: Scope,
	defined: Map<string, Type>,
): Cause[] {
	const causes: Cause[] = [];
	if (name.trim() === "") causes.push(required(`${path}.name`, "name is not specified"));
	else if (!identifier.test(name))
		causes.push(invalidValue(`${path}.name`, name, "name is not a valid CEL identifier"));
	causes.push(...expressionCauses(expression, `${path}.expression`, scope, undefined));
	const compiled = compileExpression(expression, scope, undefined);
	if ("program" in compiled) defined.set(name, compiled.program.type);
	return causes;
}
