/** Certificates for tests of sockets. */
import { webcrypto } from "node:crypto";
import "reflect-metadata";
import {
	BasicConstraintsExtension,
	SubjectAlternativeNameExtension,
	type X509Certificate,
	X509CertificateGenerator,
} from "@peculiar/x509";

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const lifetimeMs = 24 * 3600 * 1000;

interface Pair {
	cert: string;
	key: string;
}

export interface TestCertificates {
	ca: string;
	server: Pair;
	/** @param name a subject such as `CN=ann, O=system:masters` */
	client(name: string): Promise<Pair>;
}

/** @param nowMs the certificates hold from an hour before it */
export async function testCertificates(nowMs: number, authority = "test-ca"): Promise<TestCertificates> {
	const caKeys = await keyPair();
	const dates = { notBefore: new Date(nowMs - 3_600_000), notAfter: new Date(nowMs + lifetimeMs) };
	const ca = await X509CertificateGenerator.createSelfSigned({
		...dates,
		serialNumber: "01",
		name: `CN=${authority}`,
		keys: caKeys,
		signingAlgorithm: algorithm,
		extensions: [new BasicConstraintsExtension(true, undefined, true)],
	});
	let serial = 2;
	const issue = async (subject: string, names: SubjectAlternativeNameExtension[]): Promise<Pair> => {
		const keys = await keyPair();
		const certificate: X509Certificate = await X509CertificateGenerator.create({
			...dates,
			serialNumber: String(serial++).padStart(2, "0"),
			subject,
			issuer: ca.subject,
			publicKey: keys.publicKey,
			signingKey: caKeys.privateKey,
			signingAlgorithm: algorithm,
			extensions: names,
		});
		return { cert: certificate.toString("pem"), key: await keyText(keys.privateKey) };
	};
	const names = new SubjectAlternativeNameExtension([
		{ type: "dns", value: "localhost" },
		{ type: "ip", value: "127.0.0.1" },
	]);
	return { ca: ca.toString("pem"), server: await issue("CN=localhost", [names]), client: (name) => issue(name, []) };
}

function keyPair(): Promise<webcrypto.CryptoKeyPair> {
	// With both usages the result is a pair.
	return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;
}

async function keyText(key: webcrypto.CryptoKey): Promise<string> {
	const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
	return `-----BEGIN PRIVATE KEY-----\n${bytes.toString("base64")}\n-----END PRIVATE KEY-----\n`;
}
