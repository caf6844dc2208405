/**
 * Which requests match a webhook or policy: rules, selectors, and the version in which it receives objects.
 */
import { ApiError, notFound } from "../../../core/errors.ts";
import type { KubeObject } from "../../../core/object.ts";
import { type LabelSelector, selectorFrom } from "../../../core/selection/selector.ts";
import { namespaces } from "../../../kinds/core/namespace.ts";
import type { Kind, ServedVersion } from "../../../kinds/engine/kind.ts";
import { isEmptySelector } from "../../../kinds/engine/label-selector.ts";
import type { NamedRuleWithOperations } from "../../../kinds/generated/types.ts";
import type { WatchCache } from "../../cache/cache.ts";
import type { AdmissionAttributes } from "../../server/server.ts";

/** The version in which a webhook receives objects. */
export interface Invocation {
	/** The kind of the request; for custom resources, whose versions are separate kinds, that of the version. */
	kind: Kind;
	/** A served version of a built-in kind; undefined: the stored one. */
	served: ServedVersion | undefined;
}

export interface MatchCriteria {
	/** Undefined: every request. */
	rules: readonly NamedRuleWithOperations[] | undefined;
	/** Requests that match one of these are excluded. */
	excludedRules?: readonly NamedRuleWithOperations[] | undefined;
	/** `Equivalent`: a rule for another version of the same resource matches, too. Default: Equivalent. */
	matchPolicy?: string | undefined;
	namespaceSelector?: LabelSelector | undefined;
	objectSelector?: LabelSelector | undefined;
}

type Criterion = (request: AdmissionAttributes, cache: WatchCache) => boolean;

export interface Matcher {
	/** By rules. Undefined for requests that match none. */
	invocation(request: AdmissionAttributes): Invocation | undefined;
	/** By the current labels. @throws ApiError NotFound for a missing namespace */
	selects(request: AdmissionAttributes, cache: WatchCache): boolean;
}

export function matcher(criteria: MatchCriteria): Matcher {
	const rules = criteria.rules?.map(ruleMatcher);
	const excluded = (criteria.excludedRules ?? []).map(ruleMatcher);
	const isEquivalent = criteria.matchPolicy !== "Exact";
	const selectors = [namespaceCriterion(criteria.namespaceSelector), objectCriterion(criteria.objectSelector)];
	return {
		invocation(request) {
			const invocation = rules === undefined ? ownInvocation(request) : invocationOf(request, rules, isEquivalent);
			if (invocation === undefined || excluded.length === 0) return invocation;
			return invocationOf(request, excluded, isEquivalent) === undefined ? invocation : undefined;
		},
		selects: (request, cache) => selectors.every((matches) => matches === undefined || matches(request, cache)),
	};
}

function invocationOf(
	request: AdmissionAttributes,
	rules: readonly RuleMatcher[],
	isEquivalent: boolean,
): Invocation | undefined {
	const { kind, served } = request;
	if (rules.some((matches) => matches(request, served ?? kind))) return ownInvocation(request);
	if (!isEquivalent) return undefined;
	const others = otherVersions(request);
	for (const matches of rules)
		for (const other of others) if (matches(request, other.served ?? other.kind)) return other;
	return undefined;
}

function ownInvocation({ kind, served }: AdmissionAttributes): Invocation {
	return { kind, served };
}

/** The versions of the resource other than that of the request. */
function otherVersions({ kind, served, server }: AdmissionAttributes): readonly Invocation[] {
	// The version in which a custom resource is stored knows of the others.
	const main = kind.custom === undefined ? kind : server.registry.groupKind(kind.group, kind.kind);
	if (main?.servedAs === undefined) return [];
	const all = [undefined, ...main.servedAs];
	if (kind.custom === undefined)
		return all.filter((version) => version !== served).map((version) => ({ kind, served: version }));
	const kinds = all.map((version) => version?.as ?? main);
	return kinds.filter(({ version }) => version !== kind.version).map((one) => ({ kind: one, served: undefined }));
}

/** @param version to find in the rule */
type RuleMatcher = (request: AdmissionAttributes, version: Pick<Kind, "group" | "version">) => boolean;

function ruleMatcher(rule: NamedRuleWithOperations): RuleMatcher {
	const contains = (values: readonly string[] = []) => {
		const set = new Set(values);
		return set.has("*") ? () => true : (value: string) => set.has(value);
	};
	const operations = contains(rule.operations?.map((operation) => operation.toLowerCase()));
	const groups = contains(rule.apiGroups);
	const versions = contains(rule.apiVersions);
	const names = rule.resourceNames === undefined ? undefined : new Set(rule.resourceNames);
	const resources = (rule.resources ?? []).map((text) => text.split("/") as [string, string?]);
	return ({ kind, name, operation, subresource = "", sent, namespace }, { group, version }) => {
		// The operation for such a subresource is CREATE, although the object is updated.
		if (!operations(sent === undefined ? operation : "create") || !groups(group) || !versions(version)) return false;
		if (names !== undefined && !names.has(name)) return false;
		if (rule.scope === "Cluster" && namespace !== undefined) return false;
		if (rule.scope === "Namespaced" && namespace === undefined) return false;
		return resources.some(
			([resource, part = ""]) =>
				(resource === "*" || resource === kind.plural) && (part === "*" || part === subresource),
		);
	};
}

/** Undefined if everything matches. */
function namespaceCriterion(labelSelector: LabelSelector | undefined): Criterion | undefined {
	if (labelSelector === undefined || isEmptySelector(labelSelector)) return undefined;
	const selector = selectorFrom(labelSelector);
	return ({ kind, namespace, object, operation }, cache) => {
		if (kind.plural === namespaces.plural && kind.group === "" && operation !== "connect")
			return selector.matches(object.metadata.labels);
		// Cluster-scoped objects have no namespace that a selector could exclude.
		if (namespace === undefined) return true;
		const found = cache.find(namespaces, undefined, namespace);
		if (found === undefined) throw notFound(namespaces, namespace);
		return selector.matches(found.metadata.labels);
	};
}

function objectCriterion(labelSelector: LabelSelector | undefined): Criterion | undefined {
	if (labelSelector === undefined || isEmptySelector(labelSelector)) return undefined;
	const selector = selectorFrom(labelSelector);
	return ({ object, old, sent, operation, subresource }) => {
		// Options of connections have no labels.
		if (operation === "connect") return false;
		// A Scale has none of the object's.
		if (subresource === "scale") return selector.matches(undefined);
		const matches = (one: KubeObject | undefined) =>
			one?.metadata !== undefined && selector.matches(one.metadata.labels);
		return sent === undefined ? matches(object) || matches(old) : matches(sent);
	};
}

/** Webhooks and policies do not apply to their own configurations, which must always be repairable. */
export function isExempt({ kind }: AdmissionAttributes): boolean {
	return kind.group === "admissionregistration.k8s.io";
}

/** Upstream's response to an invalid configuration. */
export function internalError(why: string): ApiError {
	return new ApiError("InternalError", `Internal error occurred: ${why}`);
}
