/** What is wrong with a FlowSchema, in upstream's order and words. */
import { semanticEqual } from "../../core/equal.ts";
import type { Cause } from "../../core/errors.ts";
import { requiredText } from "../../core/validation/field-checks.ts";
import { forbidden, invalidEach, invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../../core/validation/names.ts";
import type {
	FlowcontrolSubject,
	FlowSchema,
	NonResourcePolicyRule,
	PolicyRulesWithSubjects,
	ResourcePolicyRule,
} from "../generated/types.ts";
import { bootstrapFlowSchemas, mandatory } from "./bootstrap.ts";
import { conditionsProblems } from "./conditions.ts";

const highestPrecedence = 10_000;
const distinguishers = ["ByNamespace", "ByUser"];
const verbs = ["create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"];

export function flowSchemaProblems(schema: FlowSchema): Cause[] {
	const { metadata, spec, status } = schema;
	const causes = precedenceProblems(spec.matchingPrecedence ?? 0, metadata.name);
	const { distinguisherMethod: method } = spec;
	if (method !== undefined && !distinguishers.includes(method.type))
		causes.push(notSupported("spec.distinguisherMethod.type", method, distinguishers));
	const level = spec.priorityLevelConfiguration?.name ?? "";
	const at = "spec.priorityLevelConfiguration.name";
	if (level === "") causes.push(required(at, "must reference a priority level"));
	else causes.push(...invalidEach(at, level, dnsSubdomainProblems(level)));
	for (const [index, rules] of (spec.rules ?? []).entries())
		causes.push(...rulesProblems(rules, `spec.rules[${index}]`));
	const fixed = bootstrapFlowSchemas.find((one) => one.metadata.name === metadata.name)?.spec;
	if (mandatory.includes(metadata.name) && !semanticEqual(spec, fixed))
		causes.push(invalidValue("spec", spec, `spec of '${metadata.name}' must equal the fixed value`));
	return causes.concat(conditionsProblems(status?.conditions));
}

function precedenceProblems(precedence: number, name: string): Cause[] {
	const at = "spec.matchingPrecedence";
	if (precedence <= 0) return [invalidValue(at, precedence, "must be a positive value")];
	if (precedence > highestPrecedence)
		return [invalidValue(at, precedence, `must not be greater than ${highestPrecedence}`)];
	if (precedence !== 1 || name === "exempt") return [];
	return [invalidValue(at, precedence, "only the schema named 'exempt' may have matchingPrecedence 1")];
}

function rulesProblems(rules: PolicyRulesWithSubjects, path: string): Cause[] {
	const { subjects = [], resourceRules = [], nonResourceRules = [] } = rules;
	const causes = subjects.flatMap((subject, index) => subjectProblems(subject, `${path}.subjects[${index}]`));
	if (subjects.length === 0) causes.push(required(`${path}.subjects`, "subjects must contain at least one value"));
	if (resourceRules.length + nonResourceRules.length === 0)
		causes.push(required(path, "at least one of resourceRules and nonResourceRules has to be non-empty"));
	for (const [index, rule] of resourceRules.entries())
		causes.push(...resourceProblems(rule, `${path}.resourceRules[${index}]`));
	for (const [index, rule] of nonResourceRules.entries())
		causes.push(...nonResourceProblems(rule, `${path}.nonResourceRules[${index}]`));
	return causes;
}

/** Kind of a subject → the field that describes it. */
const subjectFields = { ServiceAccount: "serviceAccount", User: "user", Group: "group" } as const;

function subjectProblems(subject: FlowcontrolSubject, path: string): Cause[] {
	const { kind, serviceAccount } = subject;
	const fields = new Map<string, "serviceAccount" | "user" | "group">(Object.entries(subjectFields));
	const field = fields.get(kind);
	if (field === undefined) return [notSupported(`${path}.kind`, kind ?? "", [...fields.keys()].sort())];
	const causes: Cause[] = [];
	if (subject[field] === undefined)
		causes.push(required(`${path}.${field}`, `${field} is required when subject kind is '${kind}'`));
	else if (kind === "ServiceAccount") causes.push(...accountProblems(serviceAccount ?? {}, `${path}.serviceAccount`));
	else causes.push(...requiredText(subject[field].name, `${path}.${field}.name`));
	for (const [other, otherField] of fields)
		if (other !== kind && subject[otherField] !== undefined) {
			const why = `${otherField} is forbidden when subject kind is not '${other}'`;
			causes.push(forbidden(`${path}.${otherField}`, why));
		}
	return causes;
}

function accountProblems({ name, namespace }: { name?: string; namespace?: string }, path: string): Cause[] {
	const causes = requiredText(name, `${path}.name`);
	if (name && name !== "*") causes.push(...invalidEach(`${path}.name`, name, dnsSubdomainProblems(name)));
	if (namespace) causes.push(...invalidEach(`${path}.namespace`, namespace, dnsLabelProblems(namespace)));
	else causes.push(required(`${path}.namespace`, "must specify namespace for service account"));
	return causes;
}

function resourceProblems(rule: ResourcePolicyRule, path: string): Cause[] {
	const { apiGroups = [], resources = [], namespaces = [] } = rule;
	const causes = verbProblems(rule.verbs, path);
	const none = (what: string) => `resource rules must supply at least one ${what}`;
	causes.push(...listProblems(apiGroups, `${path}.apiGroups`, none("api group"), "api groups"));
	causes.push(...listProblems(resources, `${path}.resources`, none("resource"), "resources"));
	const at = `${path}.namespaces`;
	if (namespaces.length > 0 || rule.clusterScope !== true) {
		const why = "resource rules that are not cluster scoped must supply at least one namespace";
		causes.push(...listProblems(namespaces, at, why, "namespaces"));
	}
	if (namespaces.includes("*")) return causes;
	for (const [index, namespace] of namespaces.entries())
		for (const problem of dnsLabelProblems(namespace)) {
			const why = `each member of this list must be '*' or a DNS-1123 label; ${problem}`;
			causes.push(invalidValue(`${at}[${index}]`, namespace, why));
		}
	return causes;
}

function nonResourceProblems({ verbs: list, nonResourceURLs = [] }: NonResourcePolicyRule, path: string): Cause[] {
	const at = `${path}.nonResourceURLs`;
	const causes = verbProblems(list, path);
	const none = "nonResourceURLs must contain at least one value";
	causes.push(...listProblems(nonResourceURLs, at, none, "non-resource URLs"));
	if (nonResourceURLs.includes("*")) return causes;
	for (const [index, url] of nonResourceURLs.entries()) {
		const problem = urlProblem(url);
		if (problem !== undefined) causes.push(invalidValue(`${at}[${index}]`, url, problem));
	}
	return causes;
}

function verbProblems(list: readonly string[] = [], path: string): Cause[] {
	const at = `${path}.verbs`;
	const causes = listProblems(list, at, "verbs must contain at least one value", "verbs");
	if (!list.includes("*") && list.some((verb) => !verbs.includes(verb))) causes.push(notSupported(at, list, verbs));
	return causes;
}

/** Of a list that has everything (`*`), or at least one. */
function listProblems(list: readonly string[], path: string, none: string, others: string): Cause[] {
	if (list.length === 0) return [required(path, none)];
	if (list.length === 1 || !list.includes("*")) return [];
	return [invalidValue(path, list, `if '*' is present, must not specify other ${others}`)];
}

function urlProblem(path: string): string | undefined {
	if (path === "") return "must not be empty";
	if (path === "/") return undefined;
	if (!path.startsWith("/")) return "must start with slash";
	if (path.includes(" ")) return "must not contain white-space";
	if (path.includes("//")) return "must not contain double slash";
	return /^[^*]*(\/\*)?$/.test(path) ? undefined : "wildcard can only do suffix matching";
}
