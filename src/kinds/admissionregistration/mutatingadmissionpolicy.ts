import { listType } from "../../core/cel/cel.ts";
import type { Cause } from "../../core/errors.ts";
import { invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { MutatingAdmissionPolicy, Mutation } from "../generated/types.ts";
import { expressionCauses, jsonPatchType, rootObjectType, type Scope } from "./expressions.ts";
import { setMatchResourcesDefaults } from "./match-resources.ts";
import { checkPolicy } from "./policy-spec.ts";

export const mutatingAdmissionPolicies: Kind<MutatingAdmissionPolicy> = {
	group: "admissionregistration.k8s.io",
	version: "v1",
	kind: "MutatingAdmissionPolicy",
	plural: "mutatingadmissionpolicies",
	singular: "mutatingadmissionpolicy",
	shortNames: [],
	categories: ["api-extensions"],
	namespaced: false,
	schema: "MutatingAdmissionPolicy",
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("Mutations", "How many mutations the policy has.", ({ spec }) => spec.mutations?.length ?? 0, "integer"),
		column("ParamKind", "Kind of the policy's parameters.", ({ spec: { paramKind } }) =>
			paramKind === undefined ? "<unset>" : `${paramKind.apiVersion}/${paramKind.kind}`,
		),
		ageColumn,
	],

	setDefaults({ spec }) {
		spec.failurePolicy ??= "Fail";
		setMatchResourcesDefaults(spec.matchConstraints);
	},
	validate({ spec }) {
		const { causes, scope } = checkPolicy(spec, true);
		const { mutations = [], reinvocationPolicy = "" } = spec;
		if (mutations.length === 0) causes.push(required("spec.mutations", "mutations must contain at least one item"));
		for (const [index, mutation] of mutations.entries())
			causes.push(...validateMutation(mutation, `spec.mutations[${index}]`, scope));
		if (reinvocationPolicy === "") causes.push(required("spec.reinvocationPolicy"));
		else if (reinvocationPolicy !== "IfNeeded" && reinvocationPolicy !== "Never")
			causes.push(notSupported("spec.reinvocationPolicy", reinvocationPolicy, ["IfNeeded", "Never"]));
		return causes;
	},
};

function validateMutation({ patchType, applyConfiguration, jsonPatch }: Mutation, path: string, scope: Scope): Cause[] {
	if (patchType === "ApplyConfiguration") {
		if (jsonPatch !== undefined) return [invalidValue(`${path}.jsonPatch`, jsonPatch, "must not be specified")];
		if (applyConfiguration === undefined)
			return [required(`${path}.applyConfiguration`, "must be specified when patchType is ApplyConfiguration")];
		const at = `${path}.applyConfiguration.expression`;
		return expressionCauses(applyConfiguration.expression ?? "", at, scope, [rootObjectType]);
	}
	if (patchType === "JSONPatch") {
		if (applyConfiguration !== undefined)
			return [invalidValue(`${path}.applyConfiguration`, applyConfiguration, "must not be specified")];
		if (jsonPatch === undefined)
			return [required(`${path}.jsonPatch`, "must be specified when patchType is JSONPatch")];
		const at = `${path}.jsonPatch.expression`;
		return expressionCauses(jsonPatch.expression ?? "", at, scope, [listType(jsonPatchType)]);
	}
	if (patchType === "") return [required(`${path}.patchType`)];
	return [notSupported(`${path}.patchType`, patchType, ["ApplyConfiguration", "JSONPatch"])];
}
