/** Requests that a role allows, and their neighbours that it does not: made from the role's rules. */
import type { Json } from "./harness.ts";

export interface Attempt {
	verb: string;
	/** A path that is no resource; otherwise the rest says which resource. */
	path?: string;
	group: string;
	/** `pods/log` */
	resource: string;
	name: string;
	namespace: string;
}

const verbs = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
/** What most roles say nothing of. */
const others = [
	{ group: "", resource: "secrets" },
	{ group: "", resource: "nodes" },
	{ group: "rbac.authorization.k8s.io", resource: "clusterroles" },
	{ group: "apps", resource: "deployments/scale" },
];
const unknownName = "no-such-name";

/** @param namespaces where the role holds, and where it may not */
export function attemptsOf(rules: readonly Json[], namespaces: readonly [string, string]): Attempt[] {
	const attempts = rules.flatMap((rule) =>
		rule.nonResourceURLs ? pathAttempts(rule) : ruleAttempts(rule, namespaces),
	);
	return [...new Map(attempts.map((attempt) => [JSON.stringify(attempt), attempt])).values()];
}

function ruleAttempts(rule: Json, [inside, outside]: readonly [string, string]): Attempt[] {
	const resource = concrete(rule.resources.at(-1), "configmaps");
	const target = {
		group: concrete(rule.apiGroups[0], ""),
		resource,
		name: rule.resourceNames?.[0] ?? unknownName,
		namespace: inside,
	};
	const verb = concrete(rule.verbs[0], "get");
	const asSaid = rule.verbs.map((each: string) => ({ ...target, verb: concrete(each, "get") }));
	return [
		...asSaid,
		{ ...target, verb: verbs.find((each) => !rule.verbs.includes(each)) ?? "get" },
		{ ...target, verb, namespace: outside },
		{ ...target, verb, group: "example.com" },
		{ ...target, verb, resource: resource.includes("/") ? (resource.split("/")[0] ?? "") : `${resource}/status` },
		{ ...target, verb, name: "another" },
		...others.map((other) => ({
			...target,
			...other,
			name: unknownName,
			verb: rule.verbs.includes("list") ? "get" : verb,
		})),
	];
}

/** `*` stands for everything; one thing is asked for. */
function concrete(word: string, example: string): string {
	return word === "*" ? example : word.replace("*/", "deployments/");
}

function pathAttempts(rule: Json): Attempt[] {
	const none = { group: "", resource: "", name: "", namespace: "" };
	return rule.nonResourceURLs.flatMap((url: string) => [
		{ ...none, path: url.replace("*", "x"), verb: "get" },
		{ ...none, path: url.replace("*", "x"), verb: "post" },
		{ ...none, path: `${url.replace("*", "x")}z`, verb: "get" },
	]);
}

/** What Kubernetes' documentation says that rules allow, written down without looking at how the server does it. */
export function isAllowed(rules: readonly Json[], attempt: Attempt): boolean {
	return rules.some((rule) => {
		const has = (list: string[] = [], word = "") => list.includes("*") || list.includes(word);
		if (!has(rule.verbs, attempt.verb)) return false;
		if (attempt.path !== undefined) return (rule.nonResourceURLs ?? []).some(pathMatches(attempt.path));
		const [, subresource] = attempt.resource.split("/");
		const names = rule.resourceNames ?? [];
		const hasName = !["list", "watch", "deletecollection"].includes(attempt.verb) && attempt.verb !== "create";
		const name = hasName || subresource !== undefined ? attempt.name : "";
		return (
			has(rule.apiGroups, attempt.group) &&
			(has(rule.resources, attempt.resource) ||
				(subresource !== undefined && has(rule.resources, `*/${subresource}`))) &&
			(names.length === 0 || names.includes(name))
		);
	});
}

function pathMatches(path: string): (url: string) => boolean {
	return (url) => (url.endsWith("*") ? path.startsWith(url.slice(0, -1)) : path === url);
}
