/** Authorization: the question that every entry point asks, and the authorizers that answer it. */
import type { User } from "../../core/exchange.ts";
import { parseFieldSelector } from "../../core/selection/field-selector.ts";
import type { RequestInfo } from "./request-info.ts";

/** What a user asks to do. */
export interface Attributes {
	user: User;
	/** `get`, `list`, `impersonate`, …; for a path that is no resource, the method in lower case. */
	verb: string;
	/** As the request has it, without its query; empty when the question is about a resource and has no path. */
	path: string;
	/** Undefined for a path that is no resource, such as `/version`. */
	resource?: ResourceAttributes;
}

export interface ResourceAttributes {
	/** Empty for the core group. */
	group: string;
	version: string;
	plural: string;
	/** `log` of `pods/log`. */
	subresource?: string;
	/** Undefined or empty: cluster-scoped, or all namespaces. */
	namespace?: string;
	/** Undefined or empty: no object of that name, or none yet. */
	name?: string;
	/** As a list, a watch or a deletecollection restricts itself, in the form of the query. */
	fieldSelector?: string;
	/** The same by labels. */
	labelSelector?: string;
}

export interface Decision {
	/** `none`: this authorizer has no opinion. What no authorizer allows is refused. */
	verdict: "allow" | "deny" | "none";
	/** For people; may be empty. */
	reason: string;
}

/** `authorization.k8s.io/v1 ResourceRule` */
export interface ResourceRule {
	verbs: readonly string[];
	apiGroups: readonly string[];
	resources: readonly string[];
	resourceNames?: readonly string[];
}

/** `authorization.k8s.io/v1 NonResourceRule` */
export interface NonResourceRule {
	verbs: readonly string[];
	nonResourceURLs: readonly string[];
}

/** What an authorizer knows to be allowed to a user in one namespace. */
export interface SubjectRules {
	resourceRules: readonly ResourceRule[];
	nonResourceRules: readonly NonResourceRule[];
	/** Whether there may be more than the lists say. */
	incomplete: boolean;
	/** Why, when something went wrong. */
	evaluationError?: string;
}

export interface Authorizer {
	/**
	 * Synchronous if possible, because every request is authorized. Never throws or rejects: a failed lookup results in
	 * `none`, with the reason.
	 */
	authorize(attributes: Attributes): Decision | Promise<Decision>;
	rulesFor(user: User, namespace: string): Promise<SubjectRules>;
}

/** The users who may do everything, regardless of roles. */
export const mastersGroup = "system:masters";

/**
 * The question whether a user may make a request. A namespace is in itself, so that roles of its own can speak of it.
 */
export function attributesOf(user: User, info: RequestInfo): Attributes {
	const { verb, path, resource } = info;
	if (resource === undefined) return { user, verb: info.method, path };
	const { group, plural, name, fieldSelector } = resource;
	if (fieldSelector !== undefined && name === undefined) {
		// Roles for objects of some names let those be listed and watched, too.
		const chosen = chosenName(fieldSelector);
		if (chosen !== undefined) return { user, verb, path, resource: { ...resource, name: chosen } };
	}
	if (plural === "namespaces" && group === "" && name !== undefined)
		return { user, verb, path, resource: { ...resource, namespace: name } };
	return { user, verb, path, resource };
}

/** The one name that a field selector leaves. What cannot be read is refused later, by those who select. */
function chosenName(fieldSelector: string): string | undefined {
	if (!fieldSelector.includes("metadata.name")) return undefined;
	try {
		const { requirements } = parseFieldSelector(fieldSelector);
		return requirements.find(({ path, operator }) => path === "metadata.name" && operator === "=")?.value || undefined;
	} catch {
		return undefined;
	}
}

/** The first that allows or denies decides; when none does, the reasons of all are joined. Rules are those of all. */
export function union(authorizers: readonly Authorizer[]): Authorizer {
	return {
		authorize: (attributes) => firstOpinion(authorizers, attributes, 0, ""),
		async rulesFor(user, namespace) {
			const all = await Promise.all(authorizers.map((authorizer) => authorizer.rulesFor(user, namespace)));
			const errors = all.flatMap(({ evaluationError }) => evaluationError ?? []);
			return {
				resourceRules: all.flatMap(({ resourceRules }) => resourceRules),
				nonResourceRules: all.flatMap(({ nonResourceRules }) => nonResourceRules),
				incomplete: all.some(({ incomplete }) => incomplete),
				...(errors.length === 0 ? {} : { evaluationError: errors.join(", ") }),
			};
		},
	};
}

/** @param reasons why those before `from` have no opinion */
function firstOpinion(
	authorizers: readonly Authorizer[],
	attributes: Attributes,
	from: number,
	reasons: string,
): Decision | Promise<Decision> {
	for (let index = from; index < authorizers.length; index++) {
		const decision = authorizers[index]?.authorize(attributes) ?? noOpinion;
		if (decision instanceof Promise)
			return decision.then((later) =>
				later.verdict === "none"
					? firstOpinion(authorizers, attributes, index + 1, joined(reasons, later.reason))
					: later,
			);
		if (decision.verdict !== "none") return decision;
		reasons = joined(reasons, decision.reason);
	}
	return reasons === "" ? noOpinion : { verdict: "none", reason: reasons };
}

const noOpinion: Decision = { verdict: "none", reason: "" };

function joined(one: string, other: string): string {
	return one === "" || other === "" ? one + other : `${one}\n${other}`;
}
