/** What is wrong with a definition, in upstream's order and words. */
import type { Cause } from "../../core/errors.ts";
import { immutable, requiredOneOf, requiredText } from "../../core/validation/field-checks.ts";
import { invalidValue, required } from "../../core/validation/field-errors.ts";
import { dns1035LabelProblems, dnsSubdomainProblems } from "../../core/validation/names.ts";
import { versionCauses } from "../custom/version-causes.ts";
import type {
	CustomResourceDefinition,
	CustomResourceDefinitionNames,
	CustomResourceDefinitionSpec,
	CustomResourceDefinitionStatus,
} from "../generated/types.ts";
import { approvalProblems } from "./approval.ts";
import { conditionHolds } from "./conditions.ts";
import { conversionProblems } from "./validate-conversion.ts";
import { versionsProblems } from "./validate-versions.ts";

/** @param old before an update: what was accepted once stays */
export function definitionProblems(definition: CustomResourceDefinition, old?: CustomResourceDefinition): Cause[] {
	const { metadata, spec, status } = definition;
	const causes: Cause[] = [];
	if (metadata.name !== `${spec.names.plural}.${spec.group}`)
		causes.push(invalidValue("metadata.name", metadata.name, 'must be spec.names.plural+"."+spec.group'));
	causes.push(...specProblems(definition, old), ...statusProblems(status), ...storedVersionsProblems(spec, status));
	causes.push(...approvalProblems(definition, old));
	if (spec.preserveUnknownFields)
		causes.push(
			invalidValue(
				"spec.preserveUnknownFields",
				true,
				"cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
			),
		);
	return causes;
}

/** Besides what is wrong with any definition. */
export function definitionUpdateProblems(definition: CustomResourceDefinition, old: CustomResourceDefinition): Cause[] {
	const { spec } = definition;
	const causes: Cause[] = [];
	if (conditionHolds(old, "Established")) {
		causes.push(...immutable(spec.scope, old.spec.scope, "spec.scope"));
		causes.push(...immutable(spec.names.kind, old.spec.names.kind, "spec.names.kind"));
	}
	causes.push(...immutable(spec.group, old.spec.group, "spec.group"));
	causes.push(...immutable(spec.names.plural, old.spec.names.plural, "spec.names.plural"));
	return causes;
}

function specProblems(definition: CustomResourceDefinition, old: CustomResourceDefinition | undefined): Cause[] {
	const { spec } = definition;
	const causes: Cause[] = [];
	const { group, names } = spec;
	const groupProblems = dnsSubdomainProblems(group);
	if (!group) causes.push(required("spec.group"));
	else if (groupProblems.length > 0) causes.push(invalidValue("spec.group", group, groupProblems.join(",")));
	else if (!group.includes("."))
		causes.push(invalidValue("spec.group", group, "should be a domain with at least one dot"));
	causes.push(...requiredOneOf(spec.scope, ["Cluster", "Namespaced"], "spec.scope"));
	causes.push(...versionsProblems(spec), ...versionCauses(definition, old));
	for (const field of ["plural", "singular", "kind", "listKind"] as const)
		causes.push(...requiredText(names[field], `spec.names.${field}`));
	causes.push(...namesProblems(names, "spec.names"));
	causes.push(...conversionProblems(spec.conversion, "spec.conversion"));
	return causes;
}

export function statusProblems(status: CustomResourceDefinitionStatus | undefined): Cause[] {
	return namesProblems(status?.acceptedNames, "status.acceptedNames");
}

const mixedCase = "may have mixed case, but should otherwise match: ";

/** Of names as far as they are there. */
function namesProblems(names: CustomResourceDefinitionNames | undefined, path: string): Cause[] {
	if (names === undefined) return [];
	const causes: Cause[] = [];
	const label = (text: string | undefined, at: string, before = "") => {
		if (!text) return;
		const problems = dns1035LabelProblems(before === "" ? text : text.toLowerCase());
		if (problems.length > 0) causes.push(invalidValue(`${path}.${at}`, text, before + problems.join(",")));
	};
	const labels = (list: readonly string[] | undefined, at: string) => {
		for (const [index, text] of (list ?? []).entries()) {
			const problems = dns1035LabelProblems(text);
			if (problems.length > 0) causes.push(invalidValue(`${path}.${at}[${index}]`, text, problems.join(",")));
		}
	};
	label(names.plural, "plural");
	label(names.singular, "singular");
	label(names.kind, "kind", mixedCase);
	label(names.listKind, "listKind", mixedCase);
	labels(names.shortNames, "shortNames");
	if (names.kind && names.kind === names.listKind)
		causes.push(invalidValue(`${path}.listKind`, names.listKind, "kind and listKind may not be the same"));
	labels(names.categories, "categories");
	return causes;
}

function storedVersionsProblems(
	{ versions = [] }: CustomResourceDefinitionSpec,
	status: CustomResourceDefinitionStatus | undefined,
): Cause[] {
	const path = "status.storedVersions";
	const stored = status?.storedVersions ?? [];
	if (stored.length === 0) return [invalidValue(path, stored, "must have at least one stored version")];
	const causes: Cause[] = [];
	for (const { name, storage } of versions)
		if (storage && !stored.includes(name))
			causes.push(invalidValue(path, stored, `must have the storage version ${name}`));
	const known = new Set(versions.map(({ name }) => name));
	for (const [index, name] of stored.entries()) {
		if (known.has(name)) continue;
		const why =
			`missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until ` +
			`a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
		causes.push(invalidValue(`${path}[${index}]`, name, why));
	}
	return causes;
}
