import { boolType, nullType, stringType } from "../../core/cel/cel.ts";
import type { Cause } from "../../core/errors.ts";
import {
	duplicate,
	invalidEach,
	invalidValue,
	notSupported,
	required,
	tooLongValue,
} from "../../core/validation/field-errors.ts";
import { qualifiedNameProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { AuditAnnotation, ValidatingAdmissionPolicy, Validation } from "../generated/types.ts";
import { expressionCauses, type Scope } from "./expressions.ts";
import { setMatchResourcesDefaults } from "./match-resources.ts";
import { checkPolicy } from "./policy-spec.ts";

type Spec = ValidatingAdmissionPolicy["spec"];

const mostAnnotations = 20;
const longestValueExpression = 5 * 1024;
const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];

export const validatingAdmissionPolicies: Kind<ValidatingAdmissionPolicy> = {
	group: "admissionregistration.k8s.io",
	version: "v1",
	kind: "ValidatingAdmissionPolicy",
	plural: "validatingadmissionpolicies",
	singular: "validatingadmissionpolicy",
	shortNames: [],
	categories: ["api-extensions"],
	namespaced: false,
	schema: "ValidatingAdmissionPolicy",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column(
			"Validations",
			"How many validations the policy has.",
			({ spec }) => spec.validations?.length ?? 0,
			"integer",
		),
		column("ParamKind", "Kind of the policy's parameters.", ({ spec: { paramKind } }) =>
			paramKind === undefined ? "<unset>" : `${paramKind.apiVersion}/${paramKind.kind}`,
		),
		ageColumn,
	],

	setDefaults({ spec }) {
		spec.failurePolicy ??= "Fail";
		setMatchResourcesDefaults(spec.matchConstraints);
	},
	prepareForCreate(policy) {
		delete policy.status;
	},
	validate: ({ spec, metadata }) => validateSpec(spec, metadata.name),
};

function validateSpec(spec: Spec, policyName: string): Cause[] {
	const { validations = [], auditAnnotations = [] } = spec;
	const { causes, scope } = checkPolicy(spec);
	if (validations.length === 0 && auditAnnotations.length === 0)
		for (const field of ["validations", "auditAnnotations"])
			causes.push(required(`spec.${field}`, "validations or auditAnnotations must contain at least one item"));
	for (const [index, validation] of validations.entries())
		causes.push(...validateValidation(validation, `spec.validations[${index}]`, scope));
	return causes.concat(validateAnnotations(auditAnnotations, policyName, scope));
}

function validateValidation(validation: Validation, path: string, scope: Scope): Cause[] {
	const { expression, message = "", messageExpression = "", reason } = validation;
	const causes = expressionCauses(expression, `${path}.expression`, scope, [boolType]);
	if (messageExpression !== "" && messageExpression.trim() === "")
		causes.push(invalidValue(`${path}.messageExpression`, messageExpression, "must be non-empty if specified"));
	else if (messageExpression !== "") {
		const at = `${path}.messageExpression`;
		causes.push(...expressionCauses(messageExpression, at, { ...scope, hasAuthorizer: false }, [stringType]));
	}
	if (message !== "" && message.trim() === "")
		causes.push(invalidValue(`${path}.message`, message, "message must be non-empty if specified"));
	else if (/[\n\r]/.test(message.trim()))
		causes.push(invalidValue(`${path}.message`, message, "message must not contain line breaks"));
	if (reason !== undefined && !reasons.includes(reason)) causes.push(notSupported(`${path}.reason`, reason, reasons));
	return causes;
}

function validateAnnotations(annotations: readonly AuditAnnotation[], policyName: string, scope: Scope): Cause[] {
	const causes: Cause[] = [];
	const path = "spec.auditAnnotations";
	if (annotations.length > mostAnnotations)
		causes.push(invalidValue(path, annotations, `must not have more than ${mostAnnotations} auditAnnotations`));
	const keys = new Set<string>();
	for (const [index, { key, valueExpression }] of annotations.entries()) {
		const at = `${path}[${index}]`;
		if (key === "") causes.push(required(`${at}.key`));
		// The policy's name stands before it.
		else if (policyName !== "")
			causes.push(...invalidEach(`${at}.key`, key, qualifiedNameProblems(`${policyName}/${key}`)));
		const expressionPath = `${at}.valueExpression`;
		if (valueExpression.trim() === "") causes.push(required(expressionPath));
		else if (valueExpression.trim().length > longestValueExpression)
			causes.push(tooLongValue(expressionPath, longestValueExpression));
		else causes.push(...expressionCauses(valueExpression, expressionPath, scope, [stringType, nullType]));
		if (keys.has(key)) causes.push(duplicate(`${at}.key`, key));
		keys.add(key);
	}
	return causes;
}
