/** Permission to approve and sign is checked per signer (Kubernetes documentation, "Certificate Signing Requests"). */

import { sameJson } from "../../../core/equal.ts";
import { certificateSigningRequests } from "../../../kinds/certificates/certificatesigningrequest.ts";
import type { CertificateSigningRequest } from "../../../kinds/generated/types.ts";
import { type AdmissionStep, refused } from "../../server/admission-step.ts";
import type { AdmissionAttributes } from "../../server/server.ts";

export const certificateApproval: AdmissionStep = {
	name: "CertificateApproval",
	on: { operations: ["update"], kinds: [certificateSigningRequests], subresources: true },
	admit(request) {
		if (request.subresource !== "approval") return undefined;
		return demand(request, "approve");
	},
};

export const certificateSigning: AdmissionStep = {
	name: "CertificateSigning",
	on: { operations: ["update"], kinds: [certificateSigningRequests], subresources: true },
	admit(request) {
		if (request.subresource !== "status") return undefined;
		const [status, before] = [statusOf(request.object), statusOf(request.old)];
		if (status?.certificate === before?.certificate && sameJson(status?.conditions ?? [], before?.conditions ?? []))
			return undefined;
		return demand(request, "sign");
	},
};

function statusOf(object: AdmissionAttributes["old"]): CertificateSigningRequest["status"] {
	// Steps see the kinds that they ask for.
	return (object as CertificateSigningRequest | undefined)?.status;
}

/** For this signer, or for all of its domain: `example.com/*`. @throws ApiError Forbidden, in the promise */
async function demand(request: AdmissionAttributes, verb: "approve" | "sign"): Promise<void> {
	// The stored object: clients cannot choose the signer that is checked.
	const { signerName } = (request.old as CertificateSigningRequest).spec;
	const [domain = ""] = signerName.split("/", 1);
	for (const name of [signerName, `${domain}/*`]) {
		const resource = { group: "certificates.k8s.io", version: "*", plural: "signers", name };
		const { verdict } = await request.server.authorizer.authorize({ user: request.user, verb, path: "", resource });
		if (verdict === "allow") return;
	}
	throw refused(request, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`);
}
