/** Certificates that the cluster's authority signs for requests (RFC 5280). */

import { createPrivateKey, randomBytes, sign, X509Certificate } from "node:crypto";
import type { Extension } from "@peculiar/asn1-x509";
import type { SignCertificate } from "../../controllers/certificatesigningrequest/signing.ts";
import { lookup } from "../../core/object.ts";
import type { CertificateRequest } from "../../kinds/certificates/certificate-request.ts";
import { certificateSchemas } from "../../kinds/certificates/certificate-schemas.ts";
import type { KeyPair } from "./key-pair.ts";

const signatureAlgorithms = {
	ecdsaWithSha256: "1.2.840.10045.4.3.2",
	sha256WithRsa: "1.2.840.113549.1.1.11",
} as const;

/** Bits, from the first; `signing` is upstream's other name for the first. */
const keyUsages: readonly string[] = [
	"digital signature",
	"content commitment",
	"key encipherment",
	"data encipherment",
	"key agreement",
	"cert sign",
	"crl sign",
	"encipher only",
	"decipher only",
];

const extendedKeyUsages: Readonly<Record<string, string>> = lookup({
	any: "2.5.29.37.0",
	"server auth": "1.3.6.1.5.5.7.3.1",
	"client auth": "1.3.6.1.5.5.7.3.2",
	"code signing": "1.3.6.1.5.5.7.3.3",
	"email protection": "1.3.6.1.5.5.7.3.4",
	"s/mime": "1.3.6.1.5.5.7.3.4",
	"ipsec end system": "1.3.6.1.5.5.7.3.5",
	"ipsec tunnel": "1.3.6.1.5.5.7.3.6",
	"ipsec user": "1.3.6.1.5.5.7.3.7",
	timestamping: "1.3.6.1.5.5.7.3.8",
	"ocsp signing": "1.3.6.1.5.5.7.3.9",
	"microsoft sgc": "1.3.6.1.4.1.311.10.3.3",
	"netscape sgc": "2.16.840.1.113730.4.1",
});

/** @param authority whose key signs; it is not exposed */
export function certificateSigner(authority: KeyPair): SignCertificate {
	const key = createPrivateKey(authority.key);
	const { raw, validTo } = new X509Certificate(authority.cert);
	const endMs = Date.parse(validTo);
	return (request, { usages, notBeforeMs, notAfterMs }) => {
		const { AsnConvert, x509 } = certificateSchemas();
		const { tbsCertificate: issuer } = AsnConvert.parse(raw, x509.Certificate);
		const signature =
			key.asymmetricKeyType === "ec"
				? new x509.AlgorithmIdentifier({ algorithm: signatureAlgorithms.ecdsaWithSha256 })
				: new x509.AlgorithmIdentifier({ algorithm: signatureAlgorithms.sha256WithRsa, parameters: null });
		const tbsCertificate = new x509.TBSCertificate({
			version: x509.Version.v3,
			serialNumber: serialNumber(),
			signature,
			issuer: issuer.subject,
			validity: new x509.Validity({
				notBefore: new Date(notBeforeMs),
				notAfter: new Date(Math.min(notAfterMs, endMs)),
			}),
			subject: request.subject,
			subjectPublicKeyInfo: request.publicKey,
			extensions: new x509.Extensions([
				...usageExtensions(usages),
				extension(x509.id_ce_basicConstraints, new x509.BasicConstraints(), true),
				...authorityExtensions(issuer.extensions ?? []),
				...nameExtensions(request),
			]),
		});
		const signatureValue = sign("sha256", Buffer.from(AsnConvert.serialize(tbsCertificate)), key);
		const certificate = new x509.Certificate({
			tbsCertificate,
			signatureAlgorithm: signature,
			signatureValue: Uint8Array.from(signatureValue).buffer,
		});
		return new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))).toString();
	};
}

function extension(extnID: string, value: unknown, critical = false): Extension {
	const { AsnConvert, OctetString, x509 } = certificateSchemas();
	return new x509.Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function usageExtensions(usages: readonly string[]): Extension[] {
	const { x509 } = certificateSchemas();
	const bits = new Set(usages.map((usage) => keyUsages.indexOf(usage === "signing" ? "digital signature" : usage)));
	const flags = [...bits].reduce((sum, bit) => (bit < 0 ? sum : sum | (1 << bit)), 0);
	const purposes = [...new Set(usages.flatMap((usage) => extendedKeyUsages[usage] ?? []))];
	return [
		...(flags === 0 ? [] : [extension(x509.id_ce_keyUsage, new x509.KeyUsage(flags), true)]),
		...(purposes.length === 0 ? [] : [extension(x509.id_ce_extKeyUsage, new x509.ExtendedKeyUsage(purposes))]),
	];
}

/** Identifies the key that has signed. */
function authorityExtensions(ofAuthority: readonly Extension[]): Extension[] {
	const { AsnConvert, x509 } = certificateSchemas();
	const found = ofAuthority.find(({ extnID }) => extnID === x509.id_ce_subjectKeyIdentifier);
	if (found === undefined) return [];
	const keyIdentifier = AsnConvert.parse(found.extnValue, x509.SubjectKeyIdentifier);
	return [extension(x509.id_ce_authorityKeyIdentifier, new x509.AuthorityKeyIdentifier({ keyIdentifier }))];
}

function nameExtensions({ subject, dnsNames, emailAddresses, ipAddresses, uris }: CertificateRequest): Extension[] {
	const { x509 } = certificateSchemas();
	const names = new x509.SubjectAlternativeName([
		...dnsNames.map((dNSName) => new x509.GeneralName({ dNSName })),
		...emailAddresses.map((rfc822Name) => new x509.GeneralName({ rfc822Name })),
		...ipAddresses.map((iPAddress) => new x509.GeneralName({ iPAddress })),
		...uris.map((uniformResourceIdentifier) => new x509.GeneralName({ uniformResourceIdentifier })),
	]);
	// Critical if the subject is empty (RFC 5280, 4.2.1.6).
	return names.length === 0 ? [] : [extension(x509.id_ce_subjectAltName, names, subject.length === 0)];
}

/** Positive, without leading zeros. */
function serialNumber(): ArrayBuffer {
	const bytes = new Uint8Array(randomBytes(16));
	bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
	return bytes.buffer;
}
