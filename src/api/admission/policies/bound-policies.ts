/** Policies with their bindings, as they change. */
import { ApiError } from "../../../core/errors.ts";
import { lazy } from "../../../core/lazy.ts";
import type { KubeObject } from "../../../core/object.ts";
import type { Kind } from "../../../kinds/engine/kind.ts";
import type { Lookup } from "../../../kinds/engine/registry.ts";
import type { MatchResources, ParamKind, ParamRef } from "../../../kinds/generated/types.ts";
import type { WatchCache } from "../../cache/cache.ts";
import { keyPrefix } from "../../cache/keys.ts";
import type { KindCache } from "../../cache/kind-cache.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import { type Matcher, matcher } from "../dynamic/matching.ts";
import { ConfigurationError, paramKindOf, paramsOf } from "./params.ts";

/** The fields that both types of policies share. */
interface Policy extends KubeObject {
	spec: { matchConstraints?: MatchResources; paramKind?: ParamKind };
}

interface Binding extends KubeObject {
	spec: { policyName?: string; matchResources?: MatchResources; paramRef?: ParamRef };
}

export interface Bound<P extends Policy, B extends Binding, C> {
	policy: P;
	matcher: Matcher;
	/** Compiled for the first request that matches the policy. */
	compiled(): C;
	bindings: readonly BoundBinding<B>[];
}

interface BoundBinding<B extends Binding> {
	binding: B;
	/** Undefined if the binding restricts nothing. */
	matcher: Matcher | undefined;
}

/** Policies that have bindings, by name. */
export class BoundPolicies<P extends Policy, B extends Binding, C> {
	readonly #kinds: { policies: Kind<P>; bindings: Kind<B> };
	readonly #policies: KindCache<P>;
	readonly #bindings: KindCache<B>;
	readonly #compile: (policy: P) => C;
	#list: readonly Bound<P, B, C>[] = [];
	#readAt = "";

	/** @param cache must be filled */
	constructor(cache: WatchCache, kinds: { policies: Kind<P>; bindings: Kind<B> }, compile: (policy: P) => C) {
		this.#kinds = kinds;
		this.#policies = cache.resource(kinds.policies);
		this.#bindings = cache.resource(kinds.bindings);
		this.#compile = compile;
	}

	/** As they are now. */
	list(): readonly Bound<P, B, C>[] {
		const now = `${this.#policies.changeCount} ${this.#bindings.changeCount}`;
		if (now !== this.#readAt) {
			this.#list = this.#read();
			this.#readAt = now;
		}
		return this.#list;
	}

	#read(): Bound<P, B, C>[] {
		const bindings = new Map<string, BoundBinding<B>[]>();
		for (const { object: binding } of this.#bindings.range(keyPrefix(this.#kinds.bindings))) {
			const { policyName = "", matchResources } = binding.spec;
			const of = bindings.get(policyName) ?? [];
			of.push({ binding, matcher: matchResources && matcherOf(matchResources) });
			bindings.set(policyName, of);
		}
		const before = new Map(this.#list.map(({ policy, compiled }) => [policy, compiled]));
		const bound: Bound<P, B, C>[] = [];
		for (const { object: policy } of this.#policies.range(keyPrefix(this.#kinds.policies))) {
			const own = bindings.get(policy.metadata.name);
			if (own === undefined) continue;
			bound.push({
				policy,
				matcher: matcherOf(policy.spec.matchConstraints ?? {}),
				compiled: before.get(policy) ?? lazy(() => this.#compile(policy)),
				bindings: own,
			});
		}
		return bound;
	}
}

/** One evaluation of a policy for a binding, or why there is none. A problem without a binding concerns the policy. */
export type Use<B extends Binding> =
	| { binding: B; params: KubeObject | null; problem?: undefined }
	| { binding: B | undefined; problem: string };

/**
 * The evaluations of a policy's bindings, in their order: one for each parameter.
 * @returns a promise where a webhook converts parameters
 */
export function usesOf<B extends Binding>(
	request: AdmissionAttributes,
	{ policy, bindings }: Pick<Bound<Policy, B, unknown>, "policy" | "bindings">,
): readonly Use<B>[] | Promise<readonly Use<B>[]> {
	const { paramKind } = policy.spec;
	let lookup: Lookup | undefined;
	try {
		lookup = paramKind && paramKindOf(request, paramKind);
	} catch (error) {
		return [{ binding: undefined, problem: `failed to configure policy: ${configurationProblem(error)}` }];
	}
	const found = bindings.map((bound) => usesOfBinding(request, bound, lookup));
	return found.some((one) => one instanceof Promise)
		? Promise.all(found).then((all) => all.flat())
		: // None is a promise.
			(found as (readonly Use<B>[])[]).flat();
}

function usesOfBinding<B extends Binding>(
	request: AdmissionAttributes,
	{ binding, matcher: own }: BoundBinding<B>,
	lookup: Lookup | undefined,
): readonly Use<B>[] | Promise<readonly Use<B>[]> {
	const uses = (all: readonly (KubeObject | null)[]): readonly Use<B>[] => all.map((params) => ({ binding, params }));
	const failed = (error: unknown): readonly Use<B>[] => [
		{ binding, problem: `failed to configure binding: ${configurationProblem(error)}` },
	];
	try {
		if (own !== undefined && own.invocation(request) === undefined) return [];
		if (own !== undefined && !own.selects(request, request.server.cache)) return [];
		const params = paramsOf(request, lookup, binding.spec.paramRef);
		return params instanceof Promise ? params.then(uses).catch(failed) : uses(params);
	} catch (error) {
		return failed(error);
	}
}

/** @throws errors that are no ConfigurationError */
function configurationProblem(error: unknown): string {
	if (error instanceof ConfigurationError || error instanceof ApiError) return error.message;
	throw error;
}

function matcherOf(resources: MatchResources): Matcher {
	const { resourceRules, excludeResourceRules, matchPolicy, namespaceSelector, objectSelector } = resources;
	return matcher({
		// A binding without rules only restricts by its selectors.
		rules: resourceRules?.length ? resourceRules : undefined,
		excludedRules: excludeResourceRules,
		matchPolicy,
		namespaceSelector,
		objectSelector,
	});
}
