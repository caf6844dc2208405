/** Admission: what the server itself has to say about a write, step by step, before it is validated. */
import type { Kind } from "../../kinds/kind.ts";
import { certificateSubjectRestriction } from "./certificate-subject.ts";
import { limitRangeDefaults, limitRanger } from "./limit-ranger.ts";
import { namespaceLifecycle } from "./namespace.ts";
import { nodeRestriction } from "./node-restriction/node-restriction.ts";
import { defaultTolerationSeconds, priority } from "./pod-defaults.ts";
import { resourceQuota } from "./resource-quota.ts";
import { runtimeClass } from "./runtime-class.ts";
import { serviceAccount } from "./service-account.ts";
import { serviceAddresses } from "./service-addresses.ts";
import type { AdmissionStep, Admitted } from "./step.ts";
import { defaultStorageClass, storageObjectInUseProtection } from "./storage.ts";

/** Every step that may refuse or change what was sent, in the order in which they are taken. */
export const admissionSteps: readonly AdmissionStep[] = [
	namespaceLifecycle,
	serviceAccount,
	nodeRestriction,
	defaultTolerationSeconds,
	priority,
	runtimeClass,
	defaultStorageClass,
	storageObjectInUseProtection,
	limitRangeDefaults,
];

/** Steps that give an object what there is only so much of. They come after the kind has prepared the object. */
export const allocationSteps: readonly AdmissionStep[] = [serviceAddresses];

/**
 * Steps that change nothing more. They come last, when the object has its name and is valid: only what everything else lets
 * through is charged to quotas.
 */
export const checkingSteps: readonly AdmissionStep[] = [certificateSubjectRestriction, limitRanger, resourceQuota];

/** Undefined when every step is done; most never wait. @throws ApiError of the first step that refuses, at once or in the promise */
export function admit(request: Admitted): Promise<void> | undefined {
	return take(admitting.stepsFor(request), request);
}

/** @throws ApiError when there is nothing left, or somebody else has what was asked for */
export function allocate(request: Admitted): void {
	for (const step of allocating.stepsFor(request)) step.admit(request);
}

/** As `admit`. */
export function check(request: Admitted): Promise<void> | undefined {
	return take(checking.stepsFor(request), request);
}

/** One after the other: a later step sees what an earlier one has changed. */
function take(steps: readonly AdmissionStep[], request: Admitted, from = 0): Promise<void> | undefined {
	for (let index = from; index < steps.length; index++) {
		const pending = steps[index]?.admit(request);
		if (pending !== undefined) return pending.then(() => take(steps, request, index + 1));
	}
	return undefined;
}

/** Steps by what they look at: sorted out once for each kind, because most steps concern few kinds. */
class Steps {
	readonly #steps: readonly AdmissionStep[];
	readonly #selected = new WeakMap<Kind, Map<string, readonly AdmissionStep[]>>();

	constructor(steps: readonly AdmissionStep[]) {
		this.#steps = steps;
	}

	stepsFor({ kind, operation, subresource }: Admitted): readonly AdmissionStep[] {
		let ofKind = this.#selected.get(kind);
		if (ofKind === undefined) {
			ofKind = new Map();
			this.#selected.set(kind, ofKind);
		}
		const what = subresource === undefined ? operation : `${operation}/subresource`;
		let steps = ofKind.get(what);
		if (steps === undefined) {
			steps = this.#steps.filter(({ on }) => {
				if (!on.operations.includes(operation) || (subresource !== undefined && !on.subresources)) return false;
				return on.kinds?.some(({ group, plural }) => group === kind.group && plural === kind.plural) ?? true;
			});
			ofKind.set(what, steps);
		}
		return steps;
	}
}

const admitting = new Steps(admissionSteps);
const allocating = new Steps(allocationSteps);
const checking = new Steps(checkingSteps);
