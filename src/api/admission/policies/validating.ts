/** Evaluates validating admission policies. */
import { ApiError, type Reason } from "../../../core/errors.ts";
import { validatingAdmissionPolicies } from "../../../kinds/admissionregistration/validatingadmissionpolicy.ts";
import { validatingAdmissionPolicyBindings } from "../../../kinds/admissionregistration/validatingadmissionpolicybinding.ts";
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding } from "../../../kinds/generated/types.ts";
import type { WatchCache } from "../../cache/cache.ts";
import { refused } from "../../server/admission-step.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import { type Activation, activationOf } from "../dynamic/activation.ts";
import { type Invocation, isExempt } from "../dynamic/matching.ts";
import { type Views, viewIn, viewsOf } from "../dynamic/view.ts";
import { type Bound, BoundPolicies, type Use, usesOf } from "./bound-policies.ts";
import { CompiledPolicy, type Denial } from "./compiled-policy.ts";

/** A denial, with its policy and binding. */
interface Refusal {
	policy: string;
	binding: string | undefined;
	message: string;
	reason: string;
}

const longestAnnotation = 10 * 1024;

/** @param cache must be filled @returns undefined if no webhook has to convert the object */
export function validatingPolicies(cache: WatchCache): (request: AdmissionAttributes) => Promise<void> | undefined {
	const kinds = { policies: validatingAdmissionPolicies, bindings: validatingAdmissionPolicyBindings };
	const policies = new BoundPolicies(cache, kinds, (policy) => new CompiledPolicy(policy));
	return (request) => {
		const bound = policies.list();
		if (bound.length === 0 || isExempt(request)) return undefined;
		const concerned: Concerned[] = [];
		for (const one of bound) {
			const invocation = one.matcher.invocation(request);
			if (invocation !== undefined && one.matcher.selects(request, cache)) concerned.push({ bound: one, invocation });
		}
		if (concerned.length === 0) return undefined;
		const views = viewsOf(
			request,
			concerned.map(({ invocation }) => invocation),
		);
		if (views instanceof Promise) return views.then((all) => judge(request, concerned, all));
		return judge(request, concerned, views);
	};
}

interface Concerned {
	bound: BoundPolicy;
	invocation: Invocation;
}

/** @throws ApiError, or in the promise, if one of them denies the request */
function judge(
	request: AdmissionAttributes,
	concerned: readonly Concerned[],
	views: Views,
): Promise<undefined> | undefined {
	const activations = new Map<unknown, Activation>();
	const found = concerned.map(({ bound, invocation }) => {
		const version = invocation.served ?? invocation.kind;
		const activation = activations.get(version) ?? activationOf(viewIn(views, invocation), invocation);
		activations.set(version, activation);
		return refusalsOf(request, bound, activation);
	});
	const refuse = (all: readonly (readonly Refusal[])[]): undefined => {
		const [first] = all.flat();
		if (first !== undefined) throw denied(request, first);
	};
	if (found.some((one) => one instanceof Promise)) return Promise.all(found).then(refuse);
	// None of them is a promise.
	return refuse(found as Refusal[][]);
}

type BoundPolicy = Bound<ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding, CompiledPolicy>;

/** @returns a promise where parameters have to be converted */
function refusalsOf(
	request: AdmissionAttributes,
	bound: BoundPolicy,
	activation: Activation,
): Refusal[] | Promise<Refusal[]> {
	const uses = usesOf(request, bound);
	if (uses instanceof Promise) return uses.then((all) => refusalsOfUses(request, bound, activation, all));
	return refusalsOfUses(request, bound, activation, uses);
}

function refusalsOfUses(
	request: AdmissionAttributes,
	bound: BoundPolicy,
	activation: Activation,
	uses: readonly Use<ValidatingAdmissionPolicyBinding>[],
): Refusal[] {
	const policy = bound.policy.metadata.name;
	const compiled = bound.compiled();
	const refusals: Refusal[] = [];
	const annotations = new Map<string, Set<string>>();
	for (const use of uses) {
		if (use.problem !== undefined) {
			const { binding, problem } = use;
			if (compiled.failsOpen) continue;
			refusals.push({ policy, binding: binding?.metadata.name, message: problem, reason: "Invalid" });
			continue;
		}
		const { denials, auditAnnotations } = compiled.evaluate(activation, use.params);
		for (const denial of denials) refusals.push(...enforced(request, policy, use.binding, denial));
		for (const [key, value] of auditAnnotations)
			annotations.set(key, (annotations.get(key) ?? new Set()).add(value.slice(0, longestAnnotation)));
	}
	for (const [key, values] of annotations) request.audit?.annotate(`${policy}/${key}`, [...values].join(", "));
	return refusals;
}

/** Carries out the binding's actions for a denial. @returns the denial if the request is to be rejected */
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
