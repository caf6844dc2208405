/** Admission: the steps that change or reject a write before and after it is validated. */
import type { Kind } from "../../kinds/engine/kind.ts";
import type { AdmissionStep } from "../server/admission-step.ts";
import type { Admission, AdmissionAttributes } from "../server/server.ts";
import {
	certificateApproval,
	certificateSigning,
	clusterTrustBundleAttest,
} from "./certificates/certificate-signers.ts";
import { certificateSubjectRestriction } from "./certificates/certificate-subject.ts";
import { deviceAdminAccess } from "./devices/admin-access.ts";
import { claimStatusRights } from "./devices/claim-status.ts";
import { mutatingPolicies, mutatingWebhooks, validatingPolicies, validatingWebhooks } from "./dynamic/steps.ts";
import { denyServiceExternalIPs } from "./external-ips.ts";
import { defaultIngressClass } from "./ingress.ts";
import { namespaceLifecycle } from "./namespace.ts";
import { nodeRestriction } from "./node-restriction/node-restriction.ts";
import { notificationCount } from "./notifications/notification-count.ts";
import { notificationRights } from "./notifications/notification-rights.ts";
import { ownerReferencesPermissionEnforcement } from "./owner-references.ts";
import { podSecurityOfNamespaces } from "./pod-security/namespaces.ts";
import { podSecurityOfPods, podSecurityOfTemplates } from "./pod-security/pods.ts";
import { imageSource } from "./pods/image-source.ts";
import { defaultTolerationSeconds, priority } from "./pods/pod-defaults.ts";
import { oneDefaultPriority, systemPriorityClasses } from "./pods/priority-classes.ts";
import { runtimeClass } from "./pods/runtime-class.ts";
import { serviceAccount } from "./pods/service-account.ts";
import { limitRangeDefaults, limitRanger } from "./quota/limit-ranger.ts";
import { resourceQuota } from "./quota/resource-quota.ts";
import { bindingEscalation, roleEscalation } from "./role-escalation.ts";
import { selfHelp, workloadOrder } from "./self-help.ts";
import { serviceAddresses } from "./service-addresses.ts";
import { stepsInTurn } from "./steps-in-turn.ts";
import { defaultStorageClass, persistentVolumeClaimResize, storageObjectInUseProtection } from "./storage.ts";

/** Every step that may refuse or change what was sent, in the order in which they are taken. */
export const admissionSteps: readonly AdmissionStep[] = [
	namespaceLifecycle,
	serviceAccount,
	nodeRestriction,
	defaultTolerationSeconds,
	priority,
	systemPriorityClasses,
	oneDefaultPriority,
	runtimeClass,
	imageSource,
	defaultStorageClass,
	defaultIngressClass,
	storageObjectInUseProtection,
	limitRangeDefaults,
	workloadOrder,
	mutatingPolicies,
	mutatingWebhooks,
	roleEscalation,
	bindingEscalation,
];

/** Steps that allocate limited resources to an object. They run after the kind has prepared the object. */
export const allocationSteps: readonly AdmissionStep[] = [serviceAddresses];

/**
 * Steps that only check. They run last, when the object has its name and is valid: quotas are charged only for writes
 * that everything else accepts.
 */
export const checkingSteps: readonly AdmissionStep[] = [
	selfHelp,
	limitRanger,
	podSecurityOfNamespaces,
	podSecurityOfPods,
	podSecurityOfTemplates,
	ownerReferencesPermissionEnforcement,
	certificateApproval,
	certificateSigning,
	clusterTrustBundleAttest,
	deviceAdminAccess,
	claimStatusRights,
	certificateSubjectRestriction,
	denyServiceExternalIPs,
	persistentVolumeClaimResize,
	notificationCount,
	notificationRights,
	validatingPolicies,
	validatingWebhooks,
	resourceQuota,
];

/**
 * @param enabled names of optional steps
 * @param disabled names of steps that are left out
 */
export function createAdmission(enabled: Iterable<string> = [], disabled: Iterable<string> = []): Admission {
	const [added, left] = [new Set(enabled), new Set(disabled)];
	const isTaken = ({ name, isOptional }: AdmissionStep) => (!isOptional || added.has(name)) && !left.has(name);
	const taken = (list: readonly AdmissionStep[]): Admission["admit"] => {
		const steps = new Steps(list.filter(isTaken));
		return (request) => stepsInTurn(steps.stepsFor(request), request);
	};
	return { admit: twice(taken(admissionSteps)), allocate: taken(allocationSteps), check: taken(checkingSteps) };
}

/** Runs twice if webhooks have changed the object. */
function twice(admit: Admission["admit"]): Admission["admit"] {
	const again = (request: AdmissionAttributes) => {
		const { reinvocation } = request;
		if (!reinvocation?.isDue) return undefined;
		reinvocation.isDue = false;
		reinvocation.isUnderWay = true;
		return admit(request);
	};
	return (request) => {
		const pending = admit(request);
		return pending === undefined ? again(request) : pending.then(() => again(request));
	};
}

/** See `Admission`. */
export function admit(request: AdmissionAttributes): Promise<void> | undefined {
	return request.server.admission.admit(request);
}

/** See `Admission`. */
export function allocate(request: AdmissionAttributes): Promise<void> | undefined {
	return request.server.admission.allocate(request);
}

/** See `Admission`. */
export function check(request: AdmissionAttributes): Promise<void> | undefined {
	return request.server.admission.check(request);
}

/** Steps by the kinds that they check: selected once per kind, because most steps concern few kinds. */
class Steps {
	readonly #steps: readonly AdmissionStep[];
	readonly #selected = new WeakMap<Kind, Map<string, readonly AdmissionStep["admit"][]>>();

	constructor(steps: readonly AdmissionStep[]) {
		this.#steps = steps;
	}

	stepsFor({ kind, operation, subresource }: AdmissionAttributes): readonly AdmissionStep["admit"][] {
		let ofKind = this.#selected.get(kind);
		if (ofKind === undefined) {
			ofKind = new Map();
			this.#selected.set(kind, ofKind);
		}
		const what = subresource === undefined ? operation : `${operation}/subresource`;
		let steps = ofKind.get(what);
		if (steps === undefined) {
			const chosen = this.#steps.filter(({ on }) => {
				if (!on.operations.includes(operation) || (subresource !== undefined && !on.subresources)) return false;
				return on.kinds?.some(({ group, plural }) => group === kind.group && plural === kind.plural) ?? true;
			});
			steps = chosen.map((step) => (request: AdmissionAttributes) => step.admit(request));
			ofKind.set(what, steps);
		}
		return steps;
	}
}
