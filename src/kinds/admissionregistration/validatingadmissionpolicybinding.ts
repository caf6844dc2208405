import type { Cause } from "../../core/errors.ts";
import { duplicate, invalidEach, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { dnsSubdomainProblems } from "../../core/validation/names.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { ValidatingAdmissionPolicyBinding } from "../generated/types.ts";
import { setMatchResourcesDefaults, validateMatchResources } from "./match-resources.ts";
import { validateParamRef } from "./params.ts";

const actions = ["Audit", "Deny", "Warn"];

export const validatingAdmissionPolicyBindings: Kind<ValidatingAdmissionPolicyBinding> = {
	group: "admissionregistration.k8s.io",
	version: "v1",
	kind: "ValidatingAdmissionPolicyBinding",
	plural: "validatingadmissionpolicybindings",
	singular: "validatingadmissionpolicybinding",
	shortNames: [],
	categories: ["api-extensions"],
	namespaced: false,
	schema: "ValidatingAdmissionPolicyBinding",
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("PolicyName", "The policy that is bound.", ({ spec }) => spec.policyName),
		column("ParamRef", "Where the policy's parameters are.", ({ spec: { paramRef } }) =>
			paramRef === undefined ? "<unset>" : [paramRef.namespace ?? "*", paramRef.name ?? "*"].join("/"),
		),
		ageColumn,
	],

	setDefaults({ spec }) {
		setMatchResourcesDefaults(spec.matchResources);
	},
	validate({ spec }) {
		const { policyName, paramRef, matchResources, validationActions } = spec;
		const causes: Cause[] = [];
		if (policyName === "") causes.push(required("spec.policyName"));
		else causes.push(...invalidEach("spec.policyName", policyName, dnsSubdomainProblems(policyName)));
		if (paramRef !== undefined) causes.push(...validateParamRef(paramRef, "spec.paramRef"));
		if (matchResources !== undefined) causes.push(...validateMatchResources(matchResources, "spec.matchResources"));
		return causes.concat(validateActions(validationActions ?? [], "spec.validationActions"));
	},
};

function validateActions(chosen: readonly string[], path: string): Cause[] {
	if (chosen.length === 0) return [required(path, "at least one validation action is required")];
	const causes: Cause[] = [];
	for (const [index, action] of chosen.entries()) {
		if (!actions.includes(action)) causes.push(notSupported(`${path}[${index}]`, action, actions));
		if (chosen.indexOf(action) < index) causes.push(duplicate(`${path}[${index}]`, action));
	}
	if (chosen.includes("Deny") && chosen.includes("Warn"))
		causes.push(
			invalidValue(
				path,
				chosen,
				"must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)",
			),
		);
	return causes;
}
