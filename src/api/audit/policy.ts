/** Which requests are recorded, at which level: reads and checks a `Policy` of audit.k8s.io/v1. */

import type { Cause } from "../../core/errors.ts";
import type { User } from "../../core/exchange.ts";
import { ConfigField, causesText } from "../../core/validation/config-field.ts";
import { invalidValue, notSupported, required } from "../../core/validation/field-errors.ts";
import { dnsSubdomainProblems } from "../../core/validation/names.ts";
import type { Attributes, ResourceAttributes } from "../request/authorizer.ts";

/** From nothing to everything. */
export const levels = ["None", "Metadata", "Request", "RequestResponse"] as const;
export type Level = (typeof levels)[number];

export const stages = ["RequestReceived", "ResponseStarted", "ResponseComplete", "Panic"] as const;
export type Stage = (typeof stages)[number];

export interface AuditPolicy {
	/** The first that fits a request decides. Without one nothing is recorded. */
	readonly rules: readonly AuditRule[];
}

/** Empty lists match everything, but rules for resources match no other paths, and vice versa. */
export interface AuditRule {
	readonly level: Level;
	readonly users: readonly string[];
	readonly userGroups: readonly string[];
	readonly verbs: readonly string[];
	readonly resources: readonly { group: string; resources: readonly string[]; resourceNames: readonly string[] }[];
	readonly namespaces: readonly string[];
	readonly nonResourceURLs: readonly string[];
	/** The policy's and the rule's. */
	readonly omitStages: readonly Stage[];
	readonly omitManagedFields: boolean;
}

const ruleFields = [
	"level",
	"users",
	"userGroups",
	"verbs",
	"resources",
	"namespaces",
	"nonResourceURLs",
	"omitStages",
	"omitManagedFields",
];

/**
 * @param document what a policy file says
 * @throws Error that names every field that is wrong, in upstream's words where it has some
 */
export function auditPolicy(document: unknown): AuditPolicy {
	const causes: Cause[] = [];
	const root = new ConfigField(document, causes);
	root.knows(["apiVersion", "kind", "metadata", "rules", "omitStages", "omitManagedFields"]);
	root.expectType(["audit.k8s.io/v1"], "Policy");
	const omitStages = stagesOf(root.field("omitStages"));
	const omitManagedFields = root.field("omitManagedFields").truth() ?? false;
	const rules = root
		.field("rules")
		.list()
		.map((rule) => ruleOf(rule, omitStages, omitManagedFields));
	if (rules.length === 0) causes.push(required("rules", "a policy without rules records nothing"));
	if (causes.length > 0) throw new Error(causesText(causes));
	return { rules };
}

function ruleOf(rule: ConfigField, omitStages: readonly Stage[], omitManagedFields: boolean): AuditRule {
	rule.knows(ruleFields);
	const level = rule.field("level");
	if (level.text() === "") rule.wrong(required(level.path));
	else if (!isOneOf(levels, level.text())) rule.wrong(notSupported(level.path, level.value, levels));
	const urls = rule.field("nonResourceURLs");
	for (const url of urls.list()) checkUrl(url);
	const resources = rule.field("resources");
	const namespaces = rule.field("namespaces").texts();
	if (urls.list().length > 0 && (resources.list().length > 0 || namespaces.length > 0))
		rule.wrong(
			invalidValue(urls.path, urls.value, "rules cannot apply to both regular resources and non-resource URLs"),
		);
	return {
		// Everything else was complained of above.
		level: level.text() as Level,
		users: rule.field("users").texts(),
		userGroups: rule.field("userGroups").texts(),
		verbs: rule.field("verbs").texts(),
		resources: resources.list().map(resourcesOf),
		namespaces,
		nonResourceURLs: urls.texts(),
		omitStages: [...new Set([...omitStages, ...stagesOf(rule.field("omitStages"))])],
		omitManagedFields: rule.field("omitManagedFields").truth() ?? omitManagedFields,
	};
}

function resourcesOf(field: ConfigField): AuditRule["resources"][number] {
	field.knows(["group", "resources", "resourceNames"]);
	const group = field.field("group");
	if (group.text() !== "" && dnsSubdomainProblems(group.text()).length > 0)
		field.wrong(invalidValue(group.path, group.value, dnsSubdomainProblems(group.text()).join(",")));
	const resources = field.field("resources").texts();
	const names = field.field("resourceNames");
	if (names.texts().length > 0 && resources.length === 0)
		field.wrong(invalidValue(names.path, names.value, "using resourceNames requires at least one resource"));
	return { group: group.text(), resources, resourceNames: names.texts() };
}

function stagesOf(field: ConfigField): Stage[] {
	return field.list().flatMap((item) => {
		const stage = item.text();
		if (isOneOf(stages, stage)) return [stage];
		field.wrong(invalidValue(item.path, item.value, `allowed stages are ${stages.join(",")}`));
		return [];
	});
}

function checkUrl(field: ConfigField): void {
	const url = field.text();
	if (url === "*") return;
	if (!url.startsWith("/"))
		field.wrong(invalidValue(field.path, url, "non-resource URL rules must begin with a '/' character"));
	if (url.slice(0, -1).includes("*"))
		field.wrong(
			invalidValue(field.path, url, "non-resource URL wildcards '*' must be the final character of the rule"),
		);
}

function isOneOf<T extends string>(list: readonly T[], text: string): text is T {
	return (list as readonly string[]).includes(text);
}

/** The rule for a request; undefined if it is not recorded. */
export function ruleFor({ rules }: AuditPolicy, attributes: Attributes, user: User | undefined): AuditRule | undefined {
	const rule = rules.find((candidate) => fits(candidate, attributes, user));
	return rule === undefined || rule.level === "None" ? undefined : rule;
}

function fits(rule: AuditRule, { verb, path, resource }: Attributes, user: User | undefined): boolean {
	if (rule.users.length > 0 && (user === undefined || !rule.users.includes(user.name))) return false;
	if (rule.userGroups.length > 0 && !user?.groups.some((group) => rule.userGroups.includes(group))) return false;
	if (rule.verbs.length > 0 && !rule.verbs.includes(verb)) return false;
	if (rule.namespaces.length > 0 || rule.resources.length > 0)
		return resource !== undefined && fitsResource(rule, resource);
	if (rule.nonResourceURLs.length > 0)
		return resource === undefined && rule.nonResourceURLs.some((url) => fitsPath(url, path));
	return true;
}

function fitsPath(url: string, path: string): boolean {
	return url === path || (url.endsWith("*") && path.startsWith(url.slice(0, -1)));
}

/** The empty string for cluster-scoped resources. */
function fitsResource({ namespaces, resources }: AuditRule, asked: ResourceAttributes): boolean {
	if (namespaces.length > 0 && !namespaces.includes(asked.namespace ?? "")) return false;
	if (resources.length === 0) return true;
	const { group, plural, subresource = "", name = "" } = asked;
	const whole = subresource === "" ? plural : `${plural}/${subresource}`;
	return resources.some((rule) => {
		if (rule.group !== group) return false;
		if (rule.resources.length === 0) return true;
		if (rule.resourceNames.length > 0 && !rule.resourceNames.includes(name)) return false;
		return rule.resources.some(
			(wanted) =>
				wanted === "*" ||
				wanted === whole ||
				wanted === `${plural}/*` ||
				(subresource !== "" && wanted === `*/${subresource}`),
		);
	});
}
