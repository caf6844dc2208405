/** Webhooks and policies as steps of admission. */
import type { AdmissionStep } from "../../server/admission-step.ts";

const on = { operations: ["create", "update", "delete", "connect"], subresources: true } as const;

export const mutatingWebhooks: AdmissionStep = {
	name: "MutatingAdmissionWebhook",
	on,
	admit: (request) => request.server.webhooks.mutate(request),
};

export const validatingWebhooks: AdmissionStep = {
	name: "ValidatingAdmissionWebhook",
	on,
	admit: (request) => request.server.webhooks.validate(request),
};

export const validatingPolicies: AdmissionStep = {
	name: "ValidatingAdmissionPolicy",
	on,
	admit: (request) => request.server.policies.validate(request),
};

export const mutatingPolicies: AdmissionStep = {
	name: "MutatingAdmissionPolicy",
	on,
	admit: (request) => request.server.policies.mutate(request),
};
