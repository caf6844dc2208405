/** The cluster's own certificates (RFC 5280) and requests for certificates (RFC 2986), for keys on P-256. */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, type X509Certificate } from "node:crypto";
import {
	bitString,
	boolean,
	contentOf,
	elementsOf,
	integer,
	objectId,
	octetString,
	retagged,
	sequence,
	setOf,
	tagged,
	time,
	utf8String,
} from "./der.ts";
import type { KeyPair } from "./key-pair.ts";

const ids = {
	commonName: "2.5.4.3",
	organization: "2.5.4.10",
	ecdsaWithSha256: "1.2.840.10045.4.3.2",
	subjectKeyIdentifier: "2.5.29.14",
	keyUsage: "2.5.29.15",
	subjectAltName: "2.5.29.17",
	basicConstraints: "2.5.29.19",
	authorityKeyIdentifier: "2.5.29.35",
	extendedKeyUsage: "2.5.29.37",
	serverAuth: "1.3.6.1.5.5.7.3.1",
	clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** The byte of a key usage, and the number of unused bits at its end. */
const usages = { sign: [0x80, 7], signCertificates: [0x06, 1] } as const;

export interface SubjectName {
	organizations?: readonly string[];
	commonName: string;
}

export interface Validity {
	notBeforeMs: number;
	notAfterMs: number;
}

export interface ServerNames {
	dnsNames: readonly string[];
	/** IPv4. */
	addresses: readonly string[];
}

/** A new self-signed authority. */
export function makeAuthority(name: SubjectName, validity: Validity): KeyPair {
	const keys = newKeys();
	const subject = nameOf(name);
	const cert = certificate({
		issuer: subject,
		subject,
		validity,
		publicKey: keys.publicKey,
		signingKey: keys.privateKey,
		extensions: [
			extension(ids.basicConstraints, sequence(boolean(true)), true),
			usageExtension("signCertificates"),
			extension(ids.subjectKeyIdentifier, octetString(keyIdentifier(keys.publicKey))),
		],
	});
	return { key: privatePem(keys.privateKey), cert };
}

/**
 * A new certificate signed by the authority, and its key.
 * @param signingKey the authority's
 * @param leaf.server the names of a server; undefined: a client's certificate
 */
export function makeLeaf(
	authority: X509Certificate,
	signingKey: KeyObject,
	leaf: { name: SubjectName; server?: ServerNames | undefined; validity: Validity },
): KeyPair {
	const keys = newKeys();
	const { name, server, validity } = leaf;
	const issuer = readAuthority(authority);
	const cert = certificate({
		issuer: issuer.subject,
		subject: nameOf(name),
		validity,
		publicKey: keys.publicKey,
		signingKey,
		extensions: [
			extension(ids.basicConstraints, sequence(), true),
			usageExtension("sign"),
			extension(ids.extendedKeyUsage, sequence(objectId(server === undefined ? ids.clientAuth : ids.serverAuth))),
			...(issuer.keyIdentifier === undefined
				? []
				: [extension(ids.authorityKeyIdentifier, sequence(retagged(0, issuer.keyIdentifier)))]),
			...(server === undefined ? [] : [extension(ids.subjectAltName, alternativeNames(server))]),
		],
	});
	return { key: privatePem(keys.privateKey), cert };
}

/** A new key and a request for a certificate with this name, both in PEM. */
export function makeRequest(name: SubjectName): { key: string; request: string } {
	const { publicKey, privateKey } = newKeys();
	const version = integer(Buffer.of(0));
	const request = signed(sequence(version, nameOf(name), encodedKey(publicKey), tagged(0)), privateKey);
	return { key: privatePem(privateKey), request: pem("CERTIFICATE REQUEST", request) };
}

function certificate(parts: {
	issuer: Buffer;
	subject: Buffer;
	validity: Validity;
	publicKey: KeyObject;
	signingKey: KeyObject;
	extensions: readonly Buffer[];
}): string {
	const { issuer, subject, validity, publicKey, signingKey, extensions } = parts;
	const version3 = tagged(0, integer(Buffer.of(2)));
	const der = signed(
		sequence(
			version3,
			integer(randomBytes(16)),
			sequence(objectId(ids.ecdsaWithSha256)),
			issuer,
			sequence(time(validity.notBeforeMs), time(validity.notAfterMs)),
			subject,
			encodedKey(publicKey),
			tagged(3, sequence(...extensions)),
		),
		signingKey,
	);
	return pem("CERTIFICATE", der);
}

function signed(content: Buffer, key: KeyObject): Buffer {
	return sequence(content, sequence(objectId(ids.ecdsaWithSha256)), bitString(sign("sha256", content, key)));
}

function newKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
	return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

function encodedKey(publicKey: KeyObject): Buffer {
	return publicKey.export({ type: "spki", format: "der" });
}

function privatePem(key: KeyObject): string {
	return key.export({ type: "pkcs8", format: "pem" }).toString();
}

function pem(type: string, der: Buffer): string {
	const lines = der.toString("base64").replace(/.{64}(?=.)/g, "$&\n");
	return `-----BEGIN ${type}-----\n${lines}\n-----END ${type}-----\n`;
}

function nameOf({ organizations = [], commonName }: SubjectName): Buffer {
	const part = (type: string, text: string) => setOf(sequence(objectId(type), utf8String(text)));
	return sequence(
		...organizations.map((organization) => part(ids.organization, organization)),
		part(ids.commonName, commonName),
	);
}

function extension(id: string, value: Buffer, critical = false): Buffer {
	return sequence(objectId(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

function usageExtension(usage: keyof typeof usages): Buffer {
	const [bits, unused] = usages[usage];
	return extension(ids.keyUsage, bitString(Buffer.of(bits), unused), true);
}

function alternativeNames({ dnsNames, addresses }: ServerNames): Buffer {
	return sequence(
		...dnsNames.map((name) => retagged(2, Buffer.from(name))),
		...addresses.map((address) => retagged(7, Buffer.from(address.split(".").map(Number)))),
	);
}

/** The first method of RFC 5280 (4.2.1.2). */
function keyIdentifier(publicKey: KeyObject): Buffer {
	const [, key] = elementsOf(encodedKey(publicKey));
	// The first byte of a bit string is the number of unused bits.
	return createHash("sha1")
		.update(contentOf(key ?? Buffer.alloc(0)).subarray(1))
		.digest();
}

/** The parts of an authority that its certificates repeat byte for byte, whichever program created it. */
function readAuthority({ raw }: X509Certificate): { subject: Buffer; keyIdentifier: Buffer | undefined } {
	const [content = raw] = elementsOf(raw);
	const parts = elementsOf(content);
	// The first element is the version: certificates with extensions have one.
	const [, , , , , subject = content] = parts;
	const extensions = parts.at(-1);
	const [list] = extensions === undefined ? [] : elementsOf(extensions);
	const wanted = objectId(ids.subjectKeyIdentifier);
	for (const one of list === undefined ? [] : elementsOf(list)) {
		const [id, value] = elementsOf(one);
		if (id?.equals(wanted) && value !== undefined) return { subject, keyIdentifier: contentOf(contentOf(value)) };
	}
	return { subject, keyIdentifier: undefined };
}
