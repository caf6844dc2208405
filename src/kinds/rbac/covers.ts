/** Whether rules cover other rules, and what they do not cover. Pure. */
import type { PolicyRule } from "../generated/types.ts";

/** The maximum number of individual permissions of a rule to check; a larger rule is considered not covered. */
const mostRights = 10_000;

/**
 * The permissions in `wanted` that `held` does not contain, as rules with one permission each: one group, resource,
 * verb and name, or one path and verb. A rule with too many permissions is returned as a whole.
 */
export function uncoveredRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
	const uncovered: PolicyRule[] = [];
	let rights = 0;
	for (const rule of wanted) {
		if (held.some((one) => ruleCovers(one, rule))) continue;
		rights += rightsOf(rule);
		if (rights > mostRights) uncovered.push(rule);
		else for (const right of singleRights(rule)) if (!held.some((one) => ruleCovers(one, right))) uncovered.push(right);
	}
	return uncovered;
}

function rightsOf({ verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] }: PolicyRule) {
	const ofResources = apiGroups.length * resources.length * Math.max(1, resourceNames.length);
	return verbs.length * (ofResources + nonResourceURLs.length);
}

function* singleRights(rule: PolicyRule): Iterable<PolicyRule> {
	const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
	for (const group of apiGroups)
		for (const resource of resources)
			for (const verb of verbs) {
				const right = { apiGroups: [group], resources: [resource], verbs: [verb] };
				if (resourceNames.length === 0) yield right;
				else for (const name of resourceNames) yield { ...right, resourceNames: [name] };
			}
	for (const url of nonResourceURLs) for (const verb of verbs) yield { nonResourceURLs: [url], verbs: [verb] };
}

/** Whether a single rule covers another one. */
function ruleCovers(held: PolicyRule, wanted: PolicyRule): boolean {
	return (
		hasAll(held.verbs, wanted.verbs) &&
		hasAll(held.apiGroups, wanted.apiGroups) &&
		(wanted.resources ?? []).every((resource) => coversResource(held.resources ?? [], resource)) &&
		(wanted.nonResourceURLs ?? []).every((url) => coversPath(held.nonResourceURLs ?? [], url)) &&
		coversNames(held.resourceNames ?? [], wanted.resourceNames ?? [])
	);
}

function hasAll(held: readonly string[] = [], wanted: readonly string[] = []): boolean {
	return held.includes("*") || wanted.every((one) => held.includes(one));
}

function coversResource(held: readonly string[], resource: string): boolean {
	if (held.includes("*") || held.includes(resource)) return true;
	const slash = resource.indexOf("/");
	return slash >= 0 && held.includes(`*${resource.slice(slash)}`);
}

function coversPath(held: readonly string[], url: string): boolean {
	return held.some((one) => one === url || (one.endsWith("*") && url.startsWith(one.replace(/\*+$/, ""))));
}

/** No names mean all names. */
function coversNames(held: readonly string[], wanted: readonly string[]): boolean {
	if (held.length === 0) return true;
	return wanted.length > 0 && wanted.every((name) => held.includes(name));
}

/** Combines rules that differ only in their verb. */
export function compactRules(rules: readonly PolicyRule[]): PolicyRule[] {
	const compact: PolicyRule[] = [];
	const byTarget = new Map<string, { verbs: string[]; seen: Set<string> }>();
	for (const rule of rules) {
		const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
		const isSimple = apiGroups.length === 1 && resources.length === 1 && resourceNames.length <= 1;
		if (!isSimple || nonResourceURLs.length > 0) {
			compact.push(rule);
			continue;
		}
		const target = JSON.stringify([apiGroups, resources, resourceNames]);
		const found = byTarget.get(target);
		if (found === undefined) {
			const verbs = [...rule.verbs];
			byTarget.set(target, { verbs, seen: new Set(verbs) });
			compact.push({ ...rule, verbs });
		} else
			for (const verb of rule.verbs) {
				if (!found.seen.has(verb)) found.verbs.push(verb);
				found.seen.add(verb);
			}
	}
	return compact;
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`, the format of Kubernetes. */
export function ruleText({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
	const parts = [
		["APIGroups", apiGroups],
		["Resources", resources],
		["NonResourceURLs", nonResourceURLs],
		["ResourceNames", resourceNames],
		["Verbs", verbs],
	] as const;
	const texts = parts.flatMap(([name, values]) => (values && values.length > 0 ? [`${name}:${listText(values)}`] : []));
	return `{${texts.join(", ")}}`;
}

/** `["a" "b"]` */
export function listText(values: readonly string[]): string {
	return `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
}
