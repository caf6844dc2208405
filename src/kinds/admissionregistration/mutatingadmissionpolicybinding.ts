import { subdomainName } from "../../core/validation/field-checks.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { MutatingAdmissionPolicyBinding } from "../generated/types.ts";
import { setMatchResourcesDefaults, validateMatchResources } from "./match-resources.ts";
import { validateParamRef } from "./params.ts";

export const mutatingAdmissionPolicyBindings: Kind<MutatingAdmissionPolicyBinding> = {
	group: "admissionregistration.k8s.io",
	version: "v1",
	kind: "MutatingAdmissionPolicyBinding",
	plural: "mutatingadmissionpolicybindings",
	singular: "mutatingadmissionpolicybinding",
	shortNames: [],
	categories: ["api-extensions"],
	namespaced: false,
	schema: "MutatingAdmissionPolicyBinding",
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("PolicyName", "The policy that is bound.", ({ spec }) => spec.policyName ?? ""),
		column("ParamRef", "Where the policy's parameters are.", ({ spec: { paramRef } }) =>
			paramRef === undefined ? "<unset>" : [paramRef.namespace ?? "*", paramRef.name ?? "*"].join("/"),
		),
		ageColumn,
	],

	setDefaults({ spec }) {
		setMatchResourcesDefaults(spec.matchResources);
	},
	validate: ({ spec: { policyName, paramRef, matchResources } }) => [
		...subdomainName(policyName, "spec.policyName"),
		...(paramRef === undefined ? [] : validateParamRef(paramRef, "spec.paramRef")),
		...(matchResources === undefined ? [] : validateMatchResources(matchResources, "spec.matchResources")),
	],
};
