/** Permission to approve and sign is checked per signer (Kubernetes documentation, "Certificate Signing Requests"). */

import { sameJson } from "../../../core/equal.ts";
import { certificateSigningRequests } from "../../../kinds/certificates/certificatesigningrequest.ts";
import { clusterTrustBundles } from "../../../kinds/certificates/clustertrustbundle.ts";
import type { CertificateSigningRequest, ClusterTrustBundle } from "../../../kinds/generated/types.ts";
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

/** Writes of a signer's bundle need permission for that signer. */
export const clusterTrustBundleAttest: AdmissionStep = {
	name: "ClusterTrustBundleAttest",
	on: { operations: ["create", "update"], kinds: [clusterTrustBundles] },
	async admit(request) {
		const { signerName } = (request.object as ClusterTrustBundle).spec;
		if (!signerName || (await mayFor(request, "attest", signerName))) return;
		throw refused(request, `user not permitted to attest for signerName ${JSON.stringify(signerName)}`);
	},
};

function statusOf(object: AdmissionAttributes["old"]): CertificateSigningRequest["status"] {
	// Steps see the kinds that they ask for.
	return (object as CertificateSigningRequest | undefined)?.status;
}

/** @throws ApiError Forbidden, in the promise */
async function demand(request: AdmissionAttributes, verb: "approve" | "sign"): Promise<void> {
	// The stored object: clients cannot choose the signer that is checked.
	const { signerName } = (request.old as CertificateSigningRequest).spec;
	if (await mayFor(request, verb, signerName)) return;
	throw refused(request, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`);
}

/** For this signer, or for all of its domain: `example.com/*`. */
async function mayFor({ server, user }: AdmissionAttributes, verb: string, signerName: string): Promise<boolean> {
	const [domain = ""] = signerName.split("/", 1);
	for (const name of [signerName, `${domain}/*`]) {
		const resource = { group: "certificates.k8s.io", version: "*", plural: "signers", name };
		if ((await server.authorizer.authorize({ user, verb, path: "", resource })).verdict === "allow") return true;
	}
	return false;
}
