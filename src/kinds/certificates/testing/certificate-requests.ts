/** Certificate requests as created by clients, for tests. */
import { webcrypto } from "node:crypto";
import "reflect-metadata";
import {
	type JsonGeneralNames,
	Pkcs10CertificateRequestGenerator,
	SubjectAlternativeNameExtension,
} from "@peculiar/x509";

const algorithms = {
	ec: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
	rsa: {
		name: "RSASSA-PKCS1-v1_5",
		hash: "SHA-256",
		publicExponent: new Uint8Array([1, 0, 1]),
		modulusLength: 2048,
	},
} as const;

export interface TestRequest {
	pem: string;
	/** PEM of the private key. */
	key: string;
}

/** @param name a subject such as `CN=ann, O=system:nodes` */
export async function testRequest(
	name: string,
	names: JsonGeneralNames = [],
	type: keyof typeof algorithms = "ec",
): Promise<TestRequest> {
	const algorithm = algorithms[type];
	// With both usages the result is a pair.
	const keys = (await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"])) as webcrypto.CryptoKeyPair;
	const request = await Pkcs10CertificateRequestGenerator.create({
		name,
		keys,
		signingAlgorithm: algorithm,
		extensions: names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)],
	});
	const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
	return { pem: request.toString("pem"), key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n` };
}
