/** Requests for certificates (PKCS #10, RFC 2986), as clients write them in PEM. Pure. */
import { createPublicKey, verify } from "node:crypto";
import { type DerValue, derObjectIdentifier, derTags, derValue, derValues } from "./der.ts";

export interface CertificateRequest {
	commonName: string;
	organizations: readonly string[];
	/** DER of the whole name. */
	subject: Buffer;
	/** DER of SubjectPublicKeyInfo. */
	publicKey: Buffer;
	/** Wanted alternative names, each as DER of a GeneralName; other kinds of names are left out. */
	dnsNames: readonly Buffer[];
	emailAddresses: readonly Buffer[];
	uris: readonly Buffer[];
	ipAddresses: readonly Buffer[];
}

const oids = {
	commonName: "2.5.4.3",
	organization: "2.5.4.10",
	extensionRequest: "1.2.840.113549.1.9.14",
	alternativeNames: "2.5.29.17",
} as const;

/** Signature algorithm → digest; null: the algorithm has its own. */
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
 * Reads a request and checks that it is signed with the key that it is about.
 * @throws Error that says what is wrong with it
 */
export function parseCertificateRequest(pem: string): CertificateRequest {
	const [, type, body = ""] = /-----BEGIN ([A-Z0-9 ]+)-----\s([\sA-Za-z0-9+/=]*)-----END \1-----/.exec(pem) ?? [];
	if (type !== "CERTIFICATE REQUEST") throw new Error("PEM block type must be CERTIFICATE REQUEST");
	const [info, algorithm, signature] = derValues(derValue(Buffer.from(body, "base64")).content);
	if (info === undefined || algorithm === undefined || signature === undefined)
		throw new Error("asn1: structure error: not a certificate request");
	const [, subject, publicKey, attributes] = derValues(info.content);
	if (subject === undefined || publicKey === undefined)
		throw new Error("asn1: structure error: not a certificate request");
	checkSignature(info.raw, publicKey.raw, algorithm, signature.content.subarray(1));
	const names = attributes === undefined ? [] : alternativeNames(attributes);
	const ofType = (tag: number) => names.filter((name) => name.tag === tag).map(({ raw }) => raw);
	const parts = nameParts(subject);
	return {
		commonName: parts.findLast(({ type }) => type === oids.commonName)?.text ?? "",
		organizations: parts.filter(({ type }) => type === oids.organization).map(({ text }) => text),
		subject: subject.raw,
		publicKey: publicKey.raw,
		emailAddresses: ofType(0x81),
		dnsNames: ofType(0x82),
		uris: ofType(0x86),
		ipAddresses: ofType(0x87),
	};
}

function checkSignature(signed: Buffer, publicKey: Buffer, algorithm: DerValue, signature: Buffer): void {
	const [type] = derValues(algorithm.content);
	const digest = type === undefined ? undefined : digests.get(derObjectIdentifier(type));
	if (digest === undefined) throw new Error("x509: cannot verify signature: algorithm unimplemented or insecure");
	const key = createPublicKey({ key: publicKey, format: "der", type: "spki" });
	if (!verify(digest, signed, key, signature))
		throw new Error(
			key.asymmetricKeyType === "ec" ? "x509: ECDSA verification failure" : "crypto/rsa: verification error",
		);
}

/** A name is a sequence of sets of pairs. */
function nameParts({ content }: DerValue): { type: string; text: string }[] {
	return derValues(content).flatMap((set) =>
		derValues(set.content).flatMap((pair) => {
			const [type, value] = derValues(pair.content);
			return type === undefined || value === undefined
				? []
				: [{ type: derObjectIdentifier(type), text: textOf(value) }];
		}),
	);
}

const bmpString = 0x1e;

function textOf({ tag, content }: DerValue): string {
	return tag === bmpString ? Buffer.from(content).swap16().toString("utf16le") : content.toString("utf8");
}

function alternativeNames({ content }: DerValue): DerValue[] {
	for (const attribute of derValues(content)) {
		const [type, set] = derValues(attribute.content);
		if (type === undefined || set === undefined || derObjectIdentifier(type) !== oids.extensionRequest) continue;
		for (const extension of derValues(derValue(set.content).content)) {
			const [name, ...rest] = derValues(extension.content);
			const value = rest.find(({ tag }) => tag === derTags.octetString);
			if (name === undefined || value === undefined || derObjectIdentifier(name) !== oids.alternativeNames) continue;
			return derValues(derValue(value.content).content);
		}
	}
	return [];
}
