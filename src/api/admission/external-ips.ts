/** Rejects services with external IPs, which could intercept traffic (CVE-2020-8554). */
import type { Service } from "../../kinds/generated/types.ts";
import { services } from "../../kinds/networking/service.ts";
import { type AdmissionStep, refused } from "../server/admission-step.ts";

export const denyServiceExternalIPs: AdmissionStep = {
	name: "DenyServiceExternalIPs",
	isOptional: true,
	on: { operations: ["create", "update"], kinds: [services] },
	admit(request) {
		// Steps see the kinds that they ask for.
		const [service, before] = [request.object as Service, request.old as Service | undefined];
		const had = new Set(before?.spec.externalIPs ?? []);
		if ((service.spec.externalIPs ?? []).every((address) => had.has(address))) return undefined;
		throw refused(request, "Use of external IPs is denied by admission control");
	},
};
