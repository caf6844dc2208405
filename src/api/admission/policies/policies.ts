/** Validating admission policies of a server, with their bindings, as they change. */
import { ApiError, type Reason } from "../../../core/errors.ts";
import { validatingAdmissionPolicies } from "../../../kinds/admissionregistration/validatingadmissionpolicy.ts";
import { validatingAdmissionPolicyBindings } from "../../../kinds/admissionregistration/validatingadmissionpolicybinding.ts";
import type {
	MatchResources,
	ValidatingAdmissionPolicy,
	ValidatingAdmissionPolicyBinding,
} from "../../../kinds/generated/types.ts";
import type { WatchCache } from "../../cache/cache.ts";
import { keyPrefix } from "../../cache/keys.ts";
import { refused } from "../../server/admission-step.ts";
import type { AdmissionAttributes, DynamicAdmission } from "../../server/server.ts";
import { type Activation, activationOf } from "../dynamic/activation.ts";
import { type Invocation, isExempt, type Matcher, matcher } from "../dynamic/matching.ts";
import { CompiledPolicy, type Denial } from "./compiled-policy.ts";
import { ConfigurationError, paramKindOf, paramsOf } from "./params.ts";

interface Bound {
	policy: ValidatingAdmissionPolicy;
	matcher: Matcher;
	/** Compiled for the first request that the policy is about. */
	compiled: CompiledPolicy | undefined;
	bindings: readonly { binding: ValidatingAdmissionPolicyBinding; matcher: Matcher | undefined }[];
}

/** What refuses a request, and for which policy and binding. */
interface Refusal {
	policy: string;
	binding: string | undefined;
	message: string;
	reason: string;
}

const longestAnnotation = 10 * 1024;

/** @param cache has been filled already */
export function policyAdmission(cache: WatchCache): DynamicAdmission {
	const policies = new Policies(cache);
	return {
		mutate: () => undefined,
		validate(request) {
			const bound = policies.list();
			if (bound.length === 0 || isExempt(request)) return undefined;
			const activations = new Map<Invocation["served"], Activation>();
			const refusals: Refusal[] = [];
			for (const one of bound) {
				const invocation = one.matcher.invocation(request);
				if (invocation === undefined || !one.matcher.selects(request, cache)) continue;
				let activation = activations.get(invocation.served);
				if (activation === undefined) {
					activation = activationOf(request, invocation);
					activations.set(invocation.served, activation);
				}
				refusals.push(...refusalsOf(request, one, activation));
			}
			const [first] = refusals;
			if (first !== undefined) throw denied(request, first);
			return undefined;
		},
		close() {},
	};
}

function refusalsOf(request: AdmissionAttributes, bound: Bound, activation: Activation): Refusal[] {
	const { policy } = bound;
	const { name } = policy.metadata;
	bound.compiled ??= new CompiledPolicy(policy);
	const { compiled } = bound;
	const refusals: Refusal[] = [];
	const annotations = new Map<string, Set<string>>();
	const misconfigured = (what: string, error: unknown, binding?: string) => {
		if (!(error instanceof ConfigurationError || error instanceof ApiError)) throw error;
		const message = `failed to configure ${what}: ${error.message}`;
		if (!compiled.failsOpen) refusals.push({ policy: name, binding, message, reason: "Invalid" });
	};
	try {
		const { paramKind } = policy.spec;
		const lookup = paramKind && paramKindOf(request, paramKind);
		for (const { binding, matcher: own } of bound.bindings) {
			if (own !== undefined && own.invocation(request) === undefined) continue;
			try {
				if (own !== undefined && !own.selects(request, request.server.cache)) continue;
				for (const params of paramsOf(request, lookup, binding.spec.paramRef)) {
					const { denials, auditAnnotations } = compiled.evaluate(activation, params);
					for (const denial of denials) refusals.push(...enforced(request, name, binding, denial));
					for (const [key, value] of auditAnnotations)
						annotations.set(key, (annotations.get(key) ?? new Set()).add(value.slice(0, longestAnnotation)));
				}
			} catch (error) {
				misconfigured("binding", error, binding.metadata.name);
			}
		}
	} catch (error) {
		misconfigured("policy", error);
	}
	for (const [key, values] of annotations) request.audit?.annotate(`${name}/${key}`, [...values].join(", "));
	return refusals;
}

/** Does what the binding says should be done about a denial. @returns it again where the request is to be refused */
function enforced(
	request: AdmissionAttributes,
	policy: string,
	{ metadata: { name: binding }, spec }: ValidatingAdmissionPolicyBinding,
	{ message, reason, index }: Denial,
): Refusal[] {
	const { validationActions = [] } = spec;
	if (validationActions.includes("Warn"))
		request.warnings.push(
			`Validation failed for ValidatingAdmissionPolicy '${policy}' with binding '${binding}': ${message}`,
		);
	if (validationActions.includes("Audit"))
		request.audit?.annotate(
			"validation.policy.admission.k8s.io/validation_failure",
			JSON.stringify([{ message, policy, binding, expressionIndex: index, validationActions }]),
		);
	return validationActions.includes("Deny") ? [{ policy, binding, message, reason }] : [];
}

function denied(request: AdmissionAttributes, { policy, binding, message, reason }: Refusal): ApiError {
	const by = binding === undefined ? `'${policy}'` : `'${policy}' with binding '${binding}'`;
	const why = `ValidatingAdmissionPolicy ${by} denied request: ${message}`;
	const { message: text, details } = refused(request, why);
	// The reasons that a policy may have were checked when it was written.
	return new ApiError(reason as Reason, text, { ...details, causes: [{ reason: "", message: why }] });
}

/** Policies that are bound to something, by name. */
class Policies {
	readonly #policies;
	readonly #bindings;
	#list: readonly Bound[] = [];
	#readAt = "";

	constructor(cache: WatchCache) {
		this.#policies = cache.resource(validatingAdmissionPolicies);
		this.#bindings = cache.resource(validatingAdmissionPolicyBindings);
	}

	list(): readonly Bound[] {
		const now = `${this.#policies.changeCount} ${this.#bindings.changeCount}`;
		if (now !== this.#readAt) {
			this.#list = this.#read();
			this.#readAt = now;
		}
		return this.#list;
	}

	#read(): Bound[] {
		const bindings = new Map<string, { binding: ValidatingAdmissionPolicyBinding; matcher: Matcher | undefined }[]>();
		for (const { object: binding } of this.#bindings.range(keyPrefix(validatingAdmissionPolicyBindings))) {
			const { policyName, matchResources } = binding.spec;
			const of = bindings.get(policyName) ?? [];
			of.push({ binding, matcher: matchResources && matcherOf(matchResources) });
			bindings.set(policyName, of);
		}
		const before = new Map(this.#list.map(({ policy, compiled }) => [policy, compiled]));
		const bound: Bound[] = [];
		for (const { object: policy } of this.#policies.range(keyPrefix(validatingAdmissionPolicies))) {
			const own = bindings.get(policy.metadata.name);
			if (own === undefined) continue;
			const { matchConstraints = { resourceRules: [] } } = policy.spec;
			bound.push({ policy, matcher: matcherOf(matchConstraints), compiled: before.get(policy), bindings: own });
		}
		return bound;
	}
}

function matcherOf(resources: MatchResources): Matcher {
	const { resourceRules, excludeResourceRules, matchPolicy, namespaceSelector, objectSelector } = resources;
	return matcher({
		// A binding without rules narrows by its selectors alone.
		rules: resourceRules?.length ? resourceRules : undefined,
		excludedRules: excludeResourceRules,
		matchPolicy,
		namespaceSelector,
		objectSelector,
	});
}
