import { conditionOf } from "../../core/conditions.ts";
import type { Cause } from "../../core/errors.ts";
import { atLeast, oneOf, requiredOneOf, requiredText } from "../../core/validation/field-checks.ts";
import { invalidValue, required } from "../../core/validation/field-errors.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type {
	FlowcontrolSubject,
	FlowSchema,
	FlowSchemaCondition,
	PolicyRulesWithSubjects,
} from "../generated/types.ts";

const highestPrecedence = 10_000;
const defaultPrecedence = 1000;

export const flowSchemas: Kind<FlowSchema> = {
	group: "flowcontrol.apiserver.k8s.io",
	version: "v1",
	kind: "FlowSchema",
	plural: "flowschemas",
	singular: "flowschema",
	shortNames: [],
	categories: [],
	namespaced: false,
	schema: "FlowSchema",
	subresources: { status: true },
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("PriorityLevel", "Where its requests belong.", ({ spec }) => spec.priorityLevelConfiguration?.name ?? ""),
		column("MatchingPrecedence", "The lowest counts.", ({ spec }) => spec.matchingPrecedence ?? 0, "integer"),
		column("DistinguisherMethod", "What tells its flows apart.", ({ spec }) => {
			return spec.distinguisherMethod?.type ?? "<none>";
		}),
		ageColumn,
		column("MissingPL", "Whether the priority level is missing.", ({ status }) => {
			return conditionOf({ status }, "Dangling")?.status ?? "?";
		}),
	],

	setDefaults(schema) {
		schema.spec.matchingPrecedence ||= defaultPrecedence;
		for (const rules of schema.spec.rules ?? [])
			for (const rule of rules.resourceRules ?? []) rule.clusterScope ??= false;
	},
	prepareForCreate(schema, { now, requester }) {
		delete schema.status;
		// The server creates its own schemas together with their levels.
		if (requester.name === "system:apiserver") schema.status = { conditions: [dangling(schema, true, now)] };
	},
	validate({ metadata, spec }) {
		const { matchingPrecedence: precedence = defaultPrecedence } = spec;
		const causes: Cause[] = [
			...requiredText(spec.priorityLevelConfiguration?.name, "spec.priorityLevelConfiguration.name"),
			...atLeast(precedence, 1, "spec.matchingPrecedence"),
			...oneOf(spec.distinguisherMethod?.type, ["ByNamespace", "ByUser"], "spec.distinguisherMethod.type"),
		];
		if (precedence > highestPrecedence)
			causes.push(invalidValue("spec.matchingPrecedence", precedence, `must not be greater than ${highestPrecedence}`));
		if (precedence === 1 && metadata.name !== "exempt")
			causes.push(
				invalidValue(
					"spec.matchingPrecedence",
					precedence,
					"only the schema named 'exempt' may have matchingPrecedence 1",
				),
			);
		for (const [index, rules] of (spec.rules ?? []).entries())
			causes.push(...ruleProblems(rules, `spec.rules[${index}]`));
		return causes;
	},
};

/** The Dangling condition of a schema, about its priority level. */
export function dangling({ spec }: FlowSchema, levelExists: boolean, now: string): FlowSchemaCondition {
	const level = JSON.stringify(spec.priorityLevelConfiguration.name);
	const what = `This FlowSchema references the PriorityLevelConfiguration object named ${level}`;
	return {
		type: "Dangling",
		status: levelExists ? "False" : "True",
		lastTransitionTime: now,
		reason: levelExists ? "Found" : "NotFound",
		message: levelExists ? `${what} and it exists` : `${what} but there is no such object`,
	};
}

function ruleProblems(rules: PolicyRulesWithSubjects, path: string): Cause[] {
	const { subjects = [], resourceRules = [], nonResourceRules = [] } = rules;
	const causes: Cause[] = [];
	if (subjects.length === 0) causes.push(required(`${path}.subjects`, "subjects must contain at least one value"));
	for (const [index, subject] of subjects.entries())
		causes.push(...subjectProblems(subject, `${path}.subjects[${index}]`));
	if (resourceRules.length + nonResourceRules.length === 0)
		causes.push(required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"));
	for (const [index, rule] of resourceRules.entries()) {
		const at = `${path}.resourceRules[${index}]`;
		for (const field of ["verbs", "apiGroups", "resources"] as const)
			if ((rule[field] ?? []).length === 0)
				causes.push(required(`${at}.${field}`, `${field} must contain at least one value`));
		if ((rule.namespaces ?? []).length === 0 && rule.clusterScope !== true)
			causes.push(
				required(`${at}.namespaces`, "resource rules that are not cluster scoped must supply at least one namespace"),
			);
	}
	for (const [index, rule] of nonResourceRules.entries()) {
		const at = `${path}.nonResourceRules[${index}]`;
		for (const field of ["verbs", "nonResourceURLs"] as const)
			if ((rule[field] ?? []).length === 0)
				causes.push(required(`${at}.${field}`, `${field} must contain at least one value`));
	}
	return causes;
}

function subjectProblems({ kind, user, group, serviceAccount }: FlowcontrolSubject, path: string): Cause[] {
	const causes = requiredOneOf(kind, ["Group", "ServiceAccount", "User"], `${path}.kind`);
	if (kind === "User")
		causes.push(...(user === undefined ? [required(`${path}.user`)] : requiredText(user.name, `${path}.user.name`)));
	if (kind === "Group")
		causes.push(
			...(group === undefined ? [required(`${path}.group`)] : requiredText(group.name, `${path}.group.name`)),
		);
	if (kind === "ServiceAccount") {
		if (serviceAccount === undefined) causes.push(required(`${path}.serviceAccount`));
		else
			for (const field of ["name", "namespace"] as const)
				causes.push(...requiredText(serviceAccount[field], `${path}.serviceAccount.${field}`));
	}
	return causes;
}
