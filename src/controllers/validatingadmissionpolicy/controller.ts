/** Reports in a ValidatingAdmissionPolicy's status what the types of its expressions are wrong about. */

import { validatingAdmissionPolicies } from "../../kinds/admissionregistration/validatingadmissionpolicy.ts";
import type { Registry } from "../../kinds/engine/registry.ts";
import type { ValidatingAdmissionPolicy } from "../../kinds/generated/types.ts";
import { updateStatus } from "../runtime/actions.ts";
import { type Controller, watchRule } from "../runtime/controller.ts";
import { expressionWarnings } from "./type-check.ts";

export function policyStatusController(
	kinds: Pick<Registry, "kind" | "resource">,
): Controller<ValidatingAdmissionPolicy> {
	return {
		name: "validatingadmissionpolicy-status",
		component: "validatingadmissionpolicy-status-controller",
		watches: [
			watchRule(validatingAdmissionPolicies, (current) => (current === undefined ? [] : [current.metadata.name])),
		],
		gather: (name, informers) => informers.of(validatingAdmissionPolicies).get(undefined, name),
		plan(policy) {
			const { metadata, status } = policy;
			const observedGeneration = metadata.generation ?? 0;
			if ((status?.observedGeneration ?? 0) >= observedGeneration) return { actions: [] };
			const warnings = expressionWarnings(policy, kinds);
			// Even an empty check says that it has been done.
			const typeChecking = warnings.length === 0 ? {} : { expressionWarnings: warnings };
			const next = { ...policy, status: { ...status, observedGeneration, typeChecking } };
			return { actions: [updateStatus(validatingAdmissionPolicies, next)] };
		},
	};
}
