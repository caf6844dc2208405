/** What the rules of a role allow (Kubernetes documentation, "Using RBAC Authorization"). Pure. */
import type { PolicyRule } from "../../../kinds/generated/types.ts";
import type { Attributes, ResourceAttributes } from "../../request/authorizer.ts";

/** The rules of one role, parsed once so that a request only compares whole words. */
export interface CompiledRules {
	readonly resources: readonly ResourceRules[];
	readonly paths: readonly PathRules[];
}

interface ResourceRules {
	readonly anyVerb: boolean;
	readonly verbs: readonly string[];
	readonly anyGroup: boolean;
	readonly groups: readonly string[];
	readonly anyResource: boolean;
	readonly resources: readonly NamedResource[];
	/** Empty: whatever the object's name. */
	readonly names: readonly string[];
}

interface NamedResource {
	/** Undefined: of every resource. */
	readonly plural: string | undefined;
	/** Empty: the object itself. */
	readonly subresource: string;
}

interface PathRules {
	readonly anyVerb: boolean;
	readonly verbs: readonly string[];
	readonly exact: ReadonlySet<string>;
	readonly prefixes: readonly string[];
}

export function compileRules(rules: readonly PolicyRule[] = []): CompiledRules {
	const resources: ResourceRules[] = [];
	const paths: PathRules[] = [];
	for (const {
		verbs,
		apiGroups = [],
		resources: named = [],
		resourceNames: names = [],
		nonResourceURLs = [],
	} of rules) {
		const anyVerb = verbs.includes("*");
		if (named.length > 0)
			resources.push({
				anyVerb,
				verbs,
				anyGroup: apiGroups.includes("*"),
				groups: apiGroups,
				anyResource: named.includes("*"),
				resources: named.map(namedResource),
				names,
			});
		if (nonResourceURLs.length > 0)
			paths.push({
				anyVerb,
				verbs,
				exact: new Set(nonResourceURLs),
				prefixes: nonResourceURLs.filter((url) => url.endsWith("*")).map((url) => url.replace(/\*+$/, "")),
			});
	}
	return { resources, paths };
}

/** `pods/log` is one subresource of one resource, `*\/scale` one of every resource; `pods/*` means nothing special. */
function namedResource(name: string): NamedResource {
	const slash = name.indexOf("/");
	if (slash < 0) return { plural: name, subresource: "" };
	const [plural, subresource] = [name.slice(0, slash), name.slice(slash + 1)];
	return { plural: plural === "*" ? undefined : plural, subresource };
}

export function rulesAllow(rules: CompiledRules, { verb, path, resource }: Attributes): boolean {
	if (resource === undefined) {
		for (const rule of rules.paths) if (pathRulesAllow(rule, verb, path)) return true;
		return false;
	}
	for (const rule of rules.resources) if (resourceRulesAllow(rule, verb, resource)) return true;
	return false;
}

function resourceRulesAllow(rule: ResourceRules, verb: string, resource: ResourceAttributes): boolean {
	if (!rule.anyVerb && !rule.verbs.includes(verb)) return false;
	if (!rule.anyGroup && !rule.groups.includes(resource.group)) return false;
	if (!rule.anyResource && !namesResource(rule.resources, resource)) return false;
	return rule.names.length === 0 || rule.names.includes(resource.name ?? "");
}

function namesResource(named: readonly NamedResource[], { plural, subresource = "" }: ResourceAttributes): boolean {
	for (const one of named)
		if (one.subresource === subresource && (one.plural === plural || (one.plural === undefined && subresource !== "")))
			return true;
	return false;
}

function pathRulesAllow(rule: PathRules, verb: string, path: string): boolean {
	if (!rule.anyVerb && !rule.verbs.includes(verb)) return false;
	if (rule.exact.has(path)) return true;
	for (const prefix of rule.prefixes) if (path.startsWith(prefix)) return true;
	return false;
}
