/** Users cannot become administrators with a certificate that they request. */
import { parseCertificateRequest } from "../../../kinds/certificates/certificate-request.ts";
import { certificateSigningRequests } from "../../../kinds/certificates/certificatesigningrequest.ts";
import type { CertificateSigningRequest } from "../../../kinds/generated/types.ts";
import { type AdmissionStep, refused } from "../../server/admission-step.ts";

const signerName = "kubernetes.io/kube-apiserver-client";

export const certificateSubjectRestriction: AdmissionStep = {
	name: "CertificateSubjectRestriction",
	on: { operations: ["create"], kinds: [certificateSigningRequests] },
	admit(request) {
		const { spec } = request.object as CertificateSigningRequest;
		if (spec.signerName !== signerName) return;
		// The object is valid: checks run last.
		const { organizations } = parseCertificateRequest(Buffer.from(spec.request, "base64").toString());
		if (organizations.includes("system:masters"))
			throw refused(request, `use of ${signerName} signer with system:masters group is not allowed`);
	},
};
