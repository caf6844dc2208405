/** Certificates that the cluster's authority gives to those who ask for one (RFC 5280). */
import { createPrivateKey, randomBytes, sign, X509Certificate } from "node:crypto";
import type { SignCertificate } from "../controllers/certificatesigningrequest/signing.ts";
import {
	type DerValue,
	derObjectIdentifier,
	derTags,
	derValue,
	derValues,
	encodeDer,
	encodeObjectIdentifier,
	encodeTime,
} from "../core/der.ts";
import type { KeyPair } from "./certificates.ts";

const { sequence, integer, boolean, bitString, octetString } = derTags;

const oids = {
	keyUsage: "2.5.29.15",
	alternativeNames: "2.5.29.17",
	basicConstraints: "2.5.29.19",
	authorityKeyIdentifier: "2.5.29.35",
	extendedKeyUsage: "2.5.29.37",
	subjectKeyIdentifier: "2.5.29.14",
	ecdsaWithSha256: "1.2.840.10045.4.3.2",
	sha256WithRsa: "1.2.840.113549.1.1.11",
} as const;

/** Bits, from the first. */
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

const extendedKeyUsages: Readonly<Record<string, string>> = {
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
};

/** @param authority whose key signs; it stays in here */
export function certificateSigner(authority: KeyPair): SignCertificate {
	const key = createPrivateKey(authority.key);
	const certificate = new X509Certificate(authority.cert);
	const { subject: issuer, keyIdentifier } = partsOf(certificate.raw);
	const endMs = Date.parse(certificate.validTo);
	const algorithm =
		key.asymmetricKeyType === "ec"
			? encodeDer(sequence, encodeObjectIdentifier(oids.ecdsaWithSha256))
			: encodeDer(sequence, encodeObjectIdentifier(oids.sha256WithRsa), Buffer.of(5, 0));
	return (request, { usages, notBeforeMs, notAfterMs }) => {
		const { dnsNames, emailAddresses, ipAddresses, uris } = request;
		const names = [...dnsNames, ...emailAddresses, ...ipAddresses, ...uris];
		const extensions = [
			...keyUsageExtensions(usages),
			extension(oids.basicConstraints, encodeDer(sequence), true),
			...(keyIdentifier === undefined
				? []
				: [extension(oids.authorityKeyIdentifier, encodeDer(sequence, encodeDer(0x80, keyIdentifier)))]),
			// Critical where it is all there is (RFC 5280, 4.2.1.6).
			...(names.length === 0
				? []
				: [extension(oids.alternativeNames, encodeDer(sequence, ...names), request.subject.length <= 2)]),
		];
		const signed = encodeDer(
			sequence,
			encodeDer(0xa0, encodeDer(integer, Buffer.of(2))),
			encodeDer(integer, serialNumber()),
			algorithm,
			issuer,
			encodeDer(sequence, encodeTime(notBeforeMs), encodeTime(Math.min(notAfterMs, endMs))),
			request.subject,
			request.publicKey,
			encodeDer(0xa3, encodeDer(sequence, ...extensions)),
		);
		const signature = encodeDer(bitString, Buffer.of(0), sign("sha256", signed, key));
		const text = encodeDer(sequence, signed, algorithm, signature).toString("base64");
		return `-----BEGIN CERTIFICATE-----\n${text.replace(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`;
	};
}

function partsOf(certificate: Buffer): { subject: Buffer; keyIdentifier: Buffer | undefined } {
	const [signed] = derValues(derValue(certificate).content);
	const parts = signed === undefined ? [] : derValues(signed.content);
	// Version, serial number, algorithm, issuer, validity, subject, key, extensions.
	const [subject, extensions] = [parts[5], parts.find(({ tag }) => tag === 0xa3)];
	if (subject === undefined) throw new Error("the authority's certificate has no subject");
	const found = extensions === undefined ? undefined : extensionOf(extensions, oids.subjectKeyIdentifier);
	return { subject: subject.raw, keyIdentifier: found === undefined ? undefined : derValue(found).content };
}

function extensionOf(extensions: DerValue, oid: string): Buffer | undefined {
	for (const { content } of derValues(derValue(extensions.content).content)) {
		const parts = derValues(content);
		if (parts[0] !== undefined && derObjectIdentifier(parts[0]) === oid) return parts.at(-1)?.content;
	}
	return undefined;
}

function extension(oid: string, value: Buffer, isCritical = false): Buffer {
	const critical = isCritical ? [encodeDer(boolean, Buffer.of(0xff))] : [];
	return encodeDer(sequence, encodeObjectIdentifier(oid), ...critical, encodeDer(octetString, value));
}

function keyUsageExtensions(usages: readonly string[]): Buffer[] {
	// Upstream's word for the same.
	const bits = usages.map((usage) => keyUsages.indexOf(usage === "signing" ? "digital signature" : usage));
	const wanted = bits.filter((bit) => bit >= 0);
	const purposes = [...new Set(usages.map((usage) => extendedKeyUsages[usage]).filter((oid) => oid !== undefined))];
	return [
		...(wanted.length === 0 ? [] : [extension(oids.keyUsage, encodeDer(bitString, bitsOf(wanted)), true)]),
		...(purposes.length === 0
			? []
			: [extension(oids.extendedKeyUsage, encodeDer(sequence, ...purposes.map(encodeObjectIdentifier)))]),
	];
}

/** As DER has named bits: without zeros at the end, after how many bits of the last byte are not used. */
function bitsOf(bits: readonly number[]): Buffer {
	const last = Math.max(...bits);
	const bytes = Buffer.alloc(1 + Math.floor(last / 8) + 1);
	bytes[0] = 7 - (last % 8);
	for (const bit of bits) {
		const at = 1 + Math.floor(bit / 8);
		bytes[at] = (bytes[at] ?? 0) | (0x80 >> (bit % 8));
	}
	return bytes;
}

/** Positive, and without zeros in front. */
function serialNumber(): Buffer {
	const bytes = randomBytes(16);
	bytes.writeUInt8((bytes.readUInt8(0) & 0x7f) | 0x40, 0);
	return bytes;
}
