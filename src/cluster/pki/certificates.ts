import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replaceFile } from "../../linux/replace-file.ts";
import type { Authority, FrontProxy } from "../control-plane/controllers.ts";
import { certificateSigner } from "./certificate-signer.ts";
import type { KeyPair } from "./key-pair.ts";
import { makeAuthority, makeLeaf, type ServerNames, type SubjectName } from "./make-certificates.ts";

export interface Certificates {
	/** The cluster's own authority, without its key. */
	authority: Authority;
	server: KeyPair;
	/** Member of system:masters. */
	admin: KeyPair;
	/** ES256 keys that sign and verify service account tokens. */
	serviceAccountKey: string;
	serviceAccountPublicKey: string;
}

const yearMs = 365 * 24 * 3600 * 1000;
/**
 * As with upstream's kubeadm: ten years for the authority, one for the others. These are renewed when a third of their
 * lifetime is left, also while the server is running.
 */
const authorityYears = 10;
const leafYears = 1;
/** The clocks of clients may be slightly behind. */
const backdateMs = 5 * 60 * 1000;

/**
 * The cluster's certificates, created on first use and kept in `directory` with mode 0600. A leaf is replaced if less
 * than a third of its lifetime is left, it is not valid yet, does not match its key, or lacks a name of the server.
 */
export function ensureCertificates(directory: string, names: ServerNames, nowMs: number): Certificates {
	mkdirSync(directory, { recursive: true, mode: 0o700 });
	const authority = ensureAuthority(directory, "ca", "coxswain-ca", nowMs);
	const server = ensureLeaf(directory, "server", authority, nowMs, {
		name: { commonName: "kube-apiserver" },
		server: names,
	});
	const admin = ensureLeaf(directory, "admin", authority, nowMs, {
		name: { organizations: ["system:masters"], commonName: "kubernetes-admin" },
	});
	return {
		authority: {
			ca: authority.cert,
			sign: certificateSigner(authority),
			frontProxy: ensureFrontProxy(directory, nowMs),
		},
		server,
		admin,
		...ensureTokenKeys(directory),
	};
}

/** With a separate authority: clients with one of its certificates can act as any user. */
function ensureFrontProxy(directory: string, nowMs: number): FrontProxy {
	const authority = ensureAuthority(directory, "front-proxy-ca", "front-proxy-ca", nowMs);
	const name = "front-proxy-client";
	const first = ensureLeaf(directory, name, authority, nowMs, { name: { commonName: name } });
	// Read each time: it may have been renewed.
	return { ca: authority.cert, name, client: () => readPair(directory, name, leafRemedy) ?? first };
}

/** @throws Error if it is incomplete or damaged: clients trust its certificate, so it is not replaced on its own */
function ensureAuthority(directory: string, file: string, commonName: string, nowMs: number): KeyPair {
	const existing = readPair(directory, file, authorityRemedy);
	if (existing !== undefined) return existing;
	const cert = join(directory, `${file}.crt`);
	// The certificate is written last, so an interrupted first start leaves none.
	if (existsSync(cert)) throw new Error(`${join(directory, `${file}.key`)} is missing: ${authorityRemedy(cert)}`);
	const validity = { notBeforeMs: nowMs - backdateMs, notAfterMs: nowMs + authorityYears * yearMs };
	return writePair(directory, file, makeAuthority({ commonName }, validity));
}

/** The remedy for an authority. */
function authorityRemedy(cert: string): string {
	return `put it back from a copy; or delete ${cert}: then the cluster makes a new certificate authority when it starts, and every client needs a new kubeconfig`;
}

/** The remedy for a certificate that the cluster issues itself. */
function leafRemedy(cert: string): string {
	return `delete ${cert}: the cluster makes a new one when it starts`;
}

function ensureLeaf(
	directory: string,
	name: string,
	authority: KeyPair,
	nowMs: number,
	leaf: { name: SubjectName; server?: ServerNames },
): KeyPair {
	const existing = readPair(directory, name, leafRemedy);
	if (existing !== undefined && isFresh(existing, authority, nowMs) && hasNames(existing, leaf.server)) return existing;
	const issuer = new X509Certificate(authority.cert);
	const notAfterMs = Math.min(nowMs + leafYears * yearMs, Date.parse(issuer.validTo));
	const validity = { notBeforeMs: nowMs - backdateMs, notAfterMs };
	return writePair(directory, name, makeLeaf(issuer, createPrivateKey(authority.key), { ...leaf, validity }));
}

function isFresh(pair: KeyPair, authority: KeyPair, nowMs: number): boolean {
	const certificate = new X509Certificate(pair.cert);
	const issuer = new X509Certificate(authority.cert);
	const [fromMs, toMs] = [Date.parse(certificate.validFrom), Date.parse(certificate.validTo)];
	// A certificate that expires with its authority cannot be extended.
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

/** @throws Error if the private key is missing or damaged: another one would make all tokens invalid */
function ensureTokenKeys(directory: string): Pick<Certificates, "serviceAccountKey" | "serviceAccountPublicKey"> {
	const keyFile = join(directory, "sa.key");
	const publicFile = join(directory, "sa.pub");
	const remedy = `put it back from a copy; or delete ${keyFile} and ${publicFile}: then the cluster makes new keys when it starts, and existing tokens of service accounts become invalid`;
	// The private key is written first, so an interrupted first start does not leave the public key alone.
	if (!existsSync(keyFile)) {
		if (existsSync(publicFile)) throw new Error(`${keyFile} is missing: ${remedy}`);
		const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
		replaceFile(keyFile, privateKey.export({ type: "pkcs8", format: "pem" }).toString());
	}
	const serviceAccountKey = readFileSync(keyFile, "utf8");
	const privateKey = readable(keyFile, "private key", remedy, () => createPrivateKey(serviceAccountKey));
	if (!existsSync(publicFile))
		replaceFile(publicFile, createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString());
	return { serviceAccountKey, serviceAccountPublicKey: readFileSync(publicFile, "utf8") };
}

/**
 * @param remedy for a damaged file
 * @returns undefined if one of the two files is missing
 * @throws Error that names the damaged file, and the remedy
 */
function readPair(directory: string, name: string, remedy: (cert: string) => string): KeyPair | undefined {
	const keyFile = join(directory, `${name}.key`);
	const certFile = join(directory, `${name}.crt`);
	if (!existsSync(keyFile) || !existsSync(certFile)) return undefined;
	const pair = { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") };
	readable(certFile, "certificate", remedy(certFile), () => new X509Certificate(pair.cert));
	readable(keyFile, "private key", remedy(certFile), () => createPrivateKey(pair.key));
	return pair;
}

/** @throws Error that names the file, and the remedy, if it cannot be read */
function readable<T>(file: string, what: string, remedy: string, read: () => T): T {
	try {
		return read();
	} catch {
		throw new Error(`${file} is damaged, it holds no ${what} in PEM: ${remedy}`);
	}
}

function writePair(directory: string, name: string, pair: KeyPair): KeyPair {
	replaceFile(join(directory, `${name}.key`), pair.key);
	replaceFile(join(directory, `${name}.crt`), pair.cert);
	return pair;
}
