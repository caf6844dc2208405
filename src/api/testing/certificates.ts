/** Certificates for tests of sockets. */
import { webcrypto } from "node:crypto";
import "reflect-metadata";
import {
	BasicConstraintsExtension,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	type Extension,
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

interface Signer {
	name: string;
	key: webcrypto.CryptoKey;
}

export interface ClientOptions {
	/** Epoch milliseconds. */
	fromMs?: number;
	untilMs?: number;
	/** Default: for everything. */
	usage?: "client" | "server";
	/** Signed by an authority between, which comes along in `cert`. */
	chain?: true;
}

export interface TestCertificates {
	ca: string;
	server: Pair;
	/** @param name a subject such as `CN=ann, O=system:masters` */
	client(name: string, options?: ClientOptions): Promise<Pair>;
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
	const certify = (
		subject: string,
		keys: webcrypto.CryptoKeyPair,
		more: object,
		by: Signer,
	): Promise<X509Certificate> =>
		X509CertificateGenerator.create({
			...dates,
			serialNumber: String(serial++).padStart(2, "0"),
			subject,
			issuer: by.name,
			publicKey: keys.publicKey,
			signingKey: by.key,
			signingAlgorithm: algorithm,
			...more,
		});
	const root: Signer = { name: ca.subject, key: caKeys.privateKey };
	const issue = async (subject: string, extensions: Extension[], options: ClientOptions = {}): Promise<Pair> => {
		const keys = await keyPair();
		const { fromMs, untilMs, usage, chain } = options;
		const usages = { client: ExtendedKeyUsage.clientAuth, server: ExtendedKeyUsage.serverAuth };
		const more = {
			...(fromMs !== undefined && { notBefore: new Date(fromMs) }),
			...(untilMs !== undefined && { notAfter: new Date(untilMs) }),
			extensions: [...extensions, ...(usage === undefined ? [] : [new ExtendedKeyUsageExtension([usages[usage]])])],
		};
		const key = await keyText(keys.privateKey);
		if (chain !== true) return { cert: (await certify(subject, keys, more, root)).toString("pem"), key };
		const between = await keyPair();
		const isAuthority = { extensions: [new BasicConstraintsExtension(true, undefined, true)] };
		const middle = await certify("CN=between", between, isAuthority, root);
		const cert = await certify(subject, keys, more, { name: middle.subject, key: between.privateKey });
		return { cert: `${cert.toString("pem")}\n${middle.toString("pem")}`, key };
	};
	const names = new SubjectAlternativeNameExtension([
		{ type: "dns", value: "localhost" },
		{ type: "dns", value: "hook.default.svc" },
		{ type: "ip", value: "127.0.0.1" },
	]);
	return {
		ca: ca.toString("pem"),
		server: await issue("CN=localhost", [names]),
		client: (name, options) => issue(name, [], options),
	};
}

function keyPair(): Promise<webcrypto.CryptoKeyPair> {
	// With both usages the result is a pair.
	return webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<webcrypto.CryptoKeyPair>;
}

async function keyText(key: webcrypto.CryptoKey): Promise<string> {
	const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
	return `-----BEGIN PRIVATE KEY-----\n${bytes.toString("base64")}\n-----END PRIVATE KEY-----\n`;
}
