import { createPrivateKey, generateKeyPairSync, randomBytes, webcrypto, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../linux/replace-file.ts";
import type { Authority } from "../control-plane/controllers.ts";
import { certificateSigner } from "./certificate-signer.ts";
import type { KeyPair } from "./key-pair.ts";

export interface Certificates {
	/** The cluster's own authority. Its key is not in here. */
	authority: Authority;
	server: KeyPair;
	/** Member of system:masters. */
	admin: KeyPair;
	/** ES256 keys that sign and verify service account tokens. */
	serviceAccountKey: string;
	serviceAccountPublicKey: string;
}

export interface ServerNames {
	dnsNames: readonly string[];
	addresses: readonly string[];
}

const yearMs = 365 * 24 * 3600 * 1000;
/**
 * What upstream's kubeadm gives: ten years for the authority, one for the rest. Ours are renewed when a third of their
 * life is left, while the server runs, too.
 */
const authorityYears = 10;
const leafYears = 1;
/** Clocks of clients may be a little behind. */
const backdateMs = 5 * 60 * 1000;
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/**
 * The cluster's certificates, made on first use and kept in `directory` with mode 0600. A leaf is replaced that has
 * less than a third of its life left, is not valid yet, does not belong to its key, or lacks a name of the server.
 */
export async function ensureCertificates(directory: string, names: ServerNames, nowMs: number): Promise<Certificates> {
	mkdirSync(directory, { recursive: true, mode: 0o700 });
	const authority = await ensureAuthority(directory, nowMs);
	const server = await ensureLeaf(directory, "server", authority, nowMs, {
		commonName: "kube-apiserver",
		server: names,
	});
	const admin = await ensureLeaf(directory, "admin", authority, nowMs, {
		commonName: "kubernetes-admin",
		organization: "system:masters",
	});
	return {
		authority: { ca: authority.cert, sign: certificateSigner(authority) },
		server,
		admin,
		...ensureTokenKeys(directory),
	};
}

interface Leaf {
	commonName: string;
	organization?: string;
	server?: ServerNames;
}

async function ensureAuthority(directory: string, nowMs: number): Promise<KeyPair> {
	const existing = readPair(directory, "ca");
	if (existing !== undefined) return existing;
	const { x509, keys } = await tools();
	const certificate = await x509.X509CertificateGenerator.createSelfSigned({
		serialNumber: serialNumber(),
		name: "CN=coxswain-ca",
		notBefore: new Date(nowMs - backdateMs),
		notAfter: new Date(nowMs + authorityYears * yearMs),
		signingAlgorithm: algorithm,
		keys,
		extensions: [
			new x509.BasicConstraintsExtension(true, undefined, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
			await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
		],
	});
	return writePair(directory, "ca", { key: await privatePem(keys), cert: certificate.toString("pem") });
}

async function ensureLeaf(
	directory: string,
	name: string,
	authority: KeyPair,
	nowMs: number,
	leaf: Leaf,
): Promise<KeyPair> {
	const existing = readPair(directory, name);
	if (existing !== undefined && isFresh(existing, authority, nowMs) && hasNames(existing, leaf.server)) return existing;
	const { x509, keys } = await tools();
	const issuer = new x509.X509Certificate(authority.cert);
	const signingKey = await webcrypto.subtle.importKey(
		"pkcs8",
		createPrivateKey(authority.key).export({ type: "pkcs8", format: "der" }),
		algorithm,
		false,
		["sign"],
	);
	const usage = leaf.server === undefined ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth;
	const certificate = await x509.X509CertificateGenerator.create({
		serialNumber: serialNumber(),
		subject: `${leaf.organization === undefined ? "" : `O=${leaf.organization}, `}CN=${leaf.commonName}`,
		issuer: issuer.subject,
		notBefore: new Date(nowMs - backdateMs),
		notAfter: new Date(Math.min(nowMs + leafYears * yearMs, Date.parse(new X509Certificate(authority.cert).validTo))),
		signingAlgorithm: algorithm,
		publicKey: keys.publicKey,
		signingKey,
		extensions: [
			new x509.BasicConstraintsExtension(false, undefined, true),
			new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
			new x509.ExtendedKeyUsageExtension([usage]),
			await x509.AuthorityKeyIdentifierExtension.create(issuer),
			...(leaf.server === undefined ? [] : [alternativeNames(x509, leaf.server)]),
		],
	});
	return writePair(directory, name, { key: await privatePem(keys), cert: certificate.toString("pem") });
}

/** The certificate library is large; it is loaded only when a certificate is to be made. */
async function tools() {
	await import("reflect-metadata");
	const x509 = await import("@peculiar/x509");
	const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
	return { x509, keys };
}

function alternativeNames(x509: typeof import("@peculiar/x509"), names: ServerNames) {
	return new x509.SubjectAlternativeNameExtension([
		...names.dnsNames.map((value) => ({ type: "dns" as const, value })),
		...names.addresses.map((value) => ({ type: "ip" as const, value })),
	]);
}

async function privatePem(keys: webcrypto.CryptoKeyPair): Promise<string> {
	const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
	return createPrivateKey({ key: der, format: "der", type: "pkcs8" })
		.export({ type: "pkcs8", format: "pem" })
		.toString();
}

/** Positive, as X.509 wants it: the first bit is cleared. */
function serialNumber(): string {
	const bytes = randomBytes(16);
	bytes.writeUInt8(bytes.readUInt8(0) & 0x7f, 0);
	return bytes.toString("hex");
}

function isFresh(pair: KeyPair, authority: KeyPair, nowMs: number): boolean {
	const certificate = new X509Certificate(pair.cert);
	const issuer = new X509Certificate(authority.cert);
	const [fromMs, toMs] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
	// One that ends with its authority cannot be had for longer.
	const isLongest = certificate.validTo === issuer.validTo;
	return (
		nowMs >= fromMs &&
		(isLongest || nowMs < toMs - (toMs - fromMs) / 3) &&
		certificate.checkPrivateKey(createPrivateKey(pair.key)) &&
		certificate.verify(issuer.publicKey)
	);
}

function hasNames(pair: KeyPair, names: ServerNames | undefined): boolean {
	if (names === undefined) return true;
	const certificate = new X509Certificate(pair.cert);
	return (
		names.dnsNames.every((name) => certificate.checkHost(name) !== undefined) &&
		names.addresses.every((address) => certificate.checkIP(address) !== undefined)
	);
}

function ensureTokenKeys(directory: string): Pick<Certificates, "serviceAccountKey" | "serviceAccountPublicKey"> {
	const keyFile = join(directory, "sa.key");
	const publicFile = join(directory, "sa.pub");
	if (!existsSync(keyFile) || !existsSync(publicFile)) {
		const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
		replaceFile(publicFile, publicKey.export({ type: "spki", format: "pem" }).toString());
		replaceFile(keyFile, privateKey.export({ type: "pkcs8", format: "pem" }).toString());
	}
	return {
		serviceAccountKey: readFileSync(keyFile, "utf8"),
		serviceAccountPublicKey: readFileSync(publicFile, "utf8"),
	};
}

function readPair(directory: string, name: string): KeyPair | undefined {
	const keyFile = join(directory, `${name}.key`);
	const certFile = join(directory, `${name}.crt`);
	if (!existsSync(keyFile) || !existsSync(certFile)) return undefined;
	return { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") };
}

function writePair(directory: string, name: string, pair: KeyPair): KeyPair {
	replaceFile(join(directory, `${name}.key`), pair.key);
	replaceFile(join(directory, `${name}.crt`), pair.cert);
	return pair;
}
