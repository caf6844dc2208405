/** Applies mutating admission policies to objects. */
import { ApiError, messageOf } from "../../../core/errors.ts";
import { mutatingAdmissionPolicies } from "../../../kinds/admissionregistration/mutatingadmissionpolicy.ts";
import { mutatingAdmissionPolicyBindings } from "../../../kinds/admissionregistration/mutatingadmissionpolicybinding.ts";
import { builtinSchemas, schemasOf } from "../../../kinds/builtin-schemas.ts";
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding } from "../../../kinds/generated/types.ts";
import type { WatchCache } from "../../cache/cache.ts";
import { refused } from "../../server/admission-step.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import { activationOf } from "../dynamic/activation.ts";
import { isScale, seenAs } from "../dynamic/admission-request.ts";
import { type Invocation, isExempt } from "../dynamic/matching.ts";
import { isMutable, replaceObject } from "../dynamic/mutation.ts";
import { asked, beginRound, endRound, isAsked } from "../dynamic/reinvocation.ts";
import { viewOf } from "../dynamic/view.ts";
import { type Bound, BoundPolicies, usesOf } from "./bound-policies.ts";
import { CompiledMutations, type ObjectType } from "./compiled-mutations.ts";

type BoundPolicy = Bound<MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, CompiledMutations>;

/** @param cache must be filled @returns undefined if no policy matches the request */
export function mutatingPolicies(cache: WatchCache): (request: AdmissionAttributes) => Promise<void> | undefined {
	const kinds = { policies: mutatingAdmissionPolicies, bindings: mutatingAdmissionPolicyBindings };
	const policies = new BoundPolicies(cache, kinds, (policy) => new CompiledMutations(policy));
	return (request) => {
		const bound = policies.list();
		if (bound.length === 0 || isExempt(request) || !isMutable(request)) return undefined;
		const concerned = bound.flatMap((one) => {
			const invocation = one.matcher.invocation(request);
			return invocation === undefined ? [] : [{ bound: one, invocation }];
		});
		return concerned.length === 0 ? undefined : applyAll(request, concerned, cache);
	};
}

async function applyAll(
	request: AdmissionAttributes,
	concerned: readonly { bound: BoundPolicy; invocation: Invocation }[],
	cache: WatchCache,
): Promise<void> {
	const reinvocation = beginRound(request);
	for (const { bound, invocation } of concerned) {
		const id = `policy/${bound.policy.metadata.name}`;
		if (!isAsked(reinvocation, id) || !bound.matcher.selects(request, cache)) continue;
		const changed = await apply(request, bound, invocation);
		asked(reinvocation, id, changed, bound.compiled().isReinvocable);
	}
	endRound(request, reinvocation);
}

/** @returns whether the object has changed @throws ApiError Forbidden if a policy fails whose failurePolicy is Fail */
async function apply(request: AdmissionAttributes, bound: BoundPolicy, invocation: Invocation): Promise<boolean> {
	const compiled = bound.compiled();
	const policy = bound.policy.metadata.name;
	let hasChanged = false;
	const failed = (message: string, binding?: MutatingAdmissionPolicyBinding) => {
		if (compiled.failsOpen) return;
		const by = binding === undefined ? `'${policy}'` : `'${policy}' with binding '${binding.metadata.name}'`;
		throw denied(request, `policy ${by} denied request: ${message}`);
	};
	for (const use of await usesOf(request, bound)) {
		if (use.problem !== undefined) {
			failed(use.problem, use.binding);
			continue;
		}
		const { binding, params } = use;
		try {
			let view = await viewOf(request, invocation);
			if (!compiled.applies(activationOf(view, invocation), params)) continue;
			for (let index = 0; index < compiled.count; index++) {
				if (index > 0) view = await viewOf(request, invocation);
				const object = seenAs(view, invocation, view.object);
				const type = typeOf(view, invocation);
				const made = compiled.mutated(index, object, type, activationOf(view, invocation), params);
				if (await replaceObject(request, view, invocation, made)) hasChanged = true;
			}
		} catch (error) {
			failed(messageOf(error), binding);
		}
	}
	return hasChanged;
}

function typeOf(request: AdmissionAttributes, { served }: Invocation): ObjectType {
	const { kind } = request;
	if (isScale(request)) return { schema: "Scale", schemas: builtinSchemas };
	return { schema: served?.schema ?? kind.schema, schemas: schemasOf(kind) };
}

/** Upstream's response lacks the usual prefix of refusals. */
function denied(request: AdmissionAttributes, message: string): ApiError {
	const { details } = refused(request, message);
	return new ApiError("Forbidden", message, { ...details, causes: [{ reason: "", message }] });
}
