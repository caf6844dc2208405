/** Certificate requests (PKCS #10, RFC 2986) in PEM. Pure. */
import { createPublicKey, verify } from "node:crypto";
import { isIP } from "node:net";
import type { CertificationRequest } from "@peculiar/asn1-csr";
import type { GeneralName, Name, SubjectPublicKeyInfo } from "@peculiar/asn1-x509";
import { certificateSchemas } from "./certificate-schemas.ts";

export interface CertificateRequest {
	commonName: string;
	organizations: readonly string[];
	/** The complete name. */
	subject: Name;
	publicKey: SubjectPublicKeyInfo;
	/** Requested alternative names; other types of names are left out. */
	dnsNames: readonly string[];
	emailAddresses: readonly string[];
	uris: readonly string[];
	ipAddresses: readonly string[];
}

const oids = {
	commonName: "2.5.4.3",
	organization: "2.5.4.10",
	extensionRequest: "1.2.840.113549.1.9.14",
} as const;

/** Signature algorithm → digest; null: the algorithm includes its own. */
const digests = new Map<string, string | null>([
	["1.2.840.113549.1.1.11", "sha256"],
	["1.2.840.113549.1.1.12", "sha384"],
	["1.2.840.113549.1.1.13", "sha512"],
	["1.2.840.10045.4.3.2", "sha256"],
	["1.2.840.10045.4.3.3", "sha384"],
	["1.2.840.10045.4.3.4", "sha512"],
	["1.3.101.112", null],
]);

/**
 * Parses a request and verifies its signature with its own key.
 * @throws Error that describes the problem
 */
export function parseCertificateRequest(pem: string): CertificateRequest {
	const [, type, body = ""] = /-----BEGIN ([A-Z0-9 ]+)-----\s([\sA-Za-z0-9+/=]*)-----END \1-----/.exec(pem) ?? [];
	if (type !== "CERTIFICATE REQUEST") throw new Error("PEM block type must be CERTIFICATE REQUEST");
	const { AsnConvert, csr } = certificateSchemas();
	const bytes = Buffer.from(body, "base64");
	const request = AsnConvert.parse(bytes, csr.CertificationRequest);
	// The library accepts input that is not DER, and ignores trailing data.
	if (!bytes.equals(Buffer.from(AsnConvert.serialize(request))))
		throw new Error("asn1: syntax error: not a certificate request in DER, or more than that");
	checkSignature(request);
	const { subject, subjectPKInfo } = request.certificationRequestInfo;
	checkTexts(subject);
	const names = alternativeNames(request);
	const ipAddresses = names.flatMap(({ iPAddress }) => iPAddress ?? []);
	for (const address of ipAddresses)
		if (isIP(address) === 0) throw new Error(`x509: cannot parse IP address ${JSON.stringify(address)}`);
	return {
		commonName: namesOf(subject, oids.commonName).at(-1) ?? "",
		organizations: namesOf(subject, oids.organization),
		subject,
		publicKey: subjectPKInfo,
		dnsNames: names.flatMap(({ dNSName }) => dNSName ?? []),
		emailAddresses: names.flatMap(({ rfc822Name }) => rfc822Name ?? []),
		uris: names.flatMap(({ uniformResourceIdentifier }) => uniformResourceIdentifier ?? []),
		ipAddresses,
	};
}

function checkSignature(request: CertificationRequest): void {
	const { AsnConvert } = certificateSchemas();
	const { certificationRequestInfo, certificationRequestInfoRaw, signatureAlgorithm, signature } = request;
	const digest = digests.get(signatureAlgorithm.algorithm);
	if (digest === undefined || certificationRequestInfoRaw === undefined)
		throw new Error("x509: cannot verify signature: algorithm unimplemented or insecure");
	const publicKey = Buffer.from(AsnConvert.serialize(certificationRequestInfo.subjectPKInfo));
	const key = createPublicKey({ key: publicKey, format: "der", type: "spki" });
	if (!verify(digest, Buffer.from(certificationRequestInfoRaw), key, Buffer.from(signature)))
		throw new Error(
			key.asymmetricKeyType === "ec" ? "x509: ECDSA verification failure" : "crypto/rsa: verification error",
		);
}

/**
 * Other software might read text that this parser does not, and identify the bearer as someone else.
 * @throws Error
 */
function checkTexts(name: Name): void {
	const isOther = name.some((set) => set.some(({ value }) => value.anyValue !== undefined));
	if (isOther) throw new Error("x509: invalid RDNSequence: unsupported string type");
}

/** Texts of a type in a name, which is a sequence of sets of pairs. */
function namesOf(name: Name, wanted: string): string[] {
	return name.flatMap((set) => set.filter(({ type }) => type === wanted).map(({ value }) => value.toString()));
}

function alternativeNames({ certificationRequestInfo }: CertificationRequest): readonly GeneralName[] {
	const { AsnConvert, x509 } = certificateSchemas();
	const wanted = certificationRequestInfo.attributes.find(({ type }) => type === oids.extensionRequest)?.values[0];
	if (wanted === undefined) return [];
	const extension = AsnConvert.parse(wanted, x509.Extensions).find(
		({ extnID }) => extnID === x509.id_ce_subjectAltName,
	);
	return extension === undefined ? [] : AsnConvert.parse(extension.extnValue, x509.SubjectAlternativeName);
}
