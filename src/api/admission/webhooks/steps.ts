/** Webhooks as steps of admission. */
import type { AdmissionStep } from "../../server/admission-step.ts";

const on = { operations: ["create", "update", "delete", "connect"], subresources: true } as const;

export const mutatingWebhooks: AdmissionStep = {
	name: "MutatingAdmissionWebhook",
	on,
	admit: (request) => request.server.dynamicAdmission.mutate(request),
};

export const validatingWebhooks: AdmissionStep = {
	name: "ValidatingAdmissionWebhook",
	on,
	admit: (request) => request.server.dynamicAdmission.validate(request),
};
