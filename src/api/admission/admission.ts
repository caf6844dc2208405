/** Admission: what the server itself has to say about a write, step by step, before it is validated. */
import type { Kind } from "../../kinds/kind.ts";
import { namespaceLifecycle } from "./namespace.ts";
import type { AdmissionStep, Admitted } from "./step.ts";

/** Every step, in the order in which they are taken. */
export const admissionSteps: readonly AdmissionStep[] = [namespaceLifecycle];

/** @throws ApiError of the first step that refuses */
export function admit(request: Admitted): void {
	for (const step of stepsFor(request)) step.admit(request);
}

/** Steps by what they look at: made once for each kind, because most steps concern few kinds. */
const selected = new WeakMap<Kind, Map<string, readonly AdmissionStep[]>>();

function stepsFor({ kind, operation, subresource }: Admitted): readonly AdmissionStep[] {
	let ofKind = selected.get(kind);
	if (ofKind === undefined) {
		ofKind = new Map();
		selected.set(kind, ofKind);
	}
	const what = subresource === undefined ? operation : `${operation}/subresource`;
	let steps = ofKind.get(what);
	if (steps === undefined) {
		steps = admissionSteps.filter(({ on }) => {
			if (!on.operations.includes(operation) || (subresource !== undefined && on.subresources !== true)) return false;
			return (
				on.kinds === undefined || on.kinds.some(({ group, plural }) => group === kind.group && plural === kind.plural)
			);
		});
		ofKind.set(what, steps);
	}
	return steps;
}
