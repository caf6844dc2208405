/** Service account tokens: JSON Web Tokens that this server signs and recognises. */
import {
	createHash,
	createPrivateKey,
	createPublicKey,
	generateKeyPairSync,
	type KeyObject,
	sign,
	verify,
} from "node:crypto";
import type { User } from "../../core/exchange.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { Secret, ServiceAccount } from "../../kinds/generated/types.ts";
import { RecentTokens } from "./recent-tokens.ts";

/** The default lifetime of tokens. */
export const defaultIssuer = "https://kubernetes.default.svc.cluster.local";

/** Claims of a bound token (KEP-1205). */
export interface Claims {
	aud: string[];
	/** Undefined in the token of a Secret: it is valid as long as the Secret contains it. */
	exp?: number;
	iat?: number;
	iss: string;
	jti?: string;
	nbf?: number;
	sub: string;
	"kubernetes.io": {
		namespace: string;
		serviceaccount: { name: string; uid: string };
		pod?: { name: string; uid: string };
		node?: { name: string; uid?: string };
		secret?: { name: string; uid: string };
	};
}

/** A token with this server's signature. Its validity and its user are checked separately. */
export interface SignedToken {
	readonly claims: Claims;
	/** The user. */
	readonly user: User;
	/** Those of its audiences that are the API server's; empty if it is only for others. */
	readonly apiAudiences: readonly string[];
}

export interface Tokens {
	readonly issuer: string;
	/** A token for this server must have one of these audiences. */
	readonly audiences: readonly string[];
	sign(claims: Claims): string;
	/** Undefined for a token that this server did not sign. */
	verify(token: string): SignedToken | undefined;
	/** `/openid/v1/jwks`: the public key, for clients that verify tokens themselves. */
	keySet(): object;
	/** Of signatures: `ES256` or `RS256`. */
	algorithm(): string;
}

export interface TokenOptions {
	/** PEM of a private key, EC P-256 or RSA, that signs tokens. Default: a key made for this process. */
	signingKey?: string | undefined;
	/** Default `https://kubernetes.default.svc.cluster.local`. */
	issuer?: string | undefined;
}

/** @param apiAudiences default: the issuer alone */
export function createTokens(clock: Clock, options: TokenOptions = {}, apiAudiences?: readonly string[]): Tokens {
	const issuer = options.issuer ?? defaultIssuer;
	const audiences = apiAudiences === undefined || apiAudiences.length === 0 ? [issuer] : apiAudiences;
	const recent = new RecentTokens<SignedToken>(clock);
	let keys: Keys | undefined;
	// Created when first needed: most in-process clusters never sign a token.
	const ready = () => {
		keys ??= keysOf(options.signingKey);
		return keys;
	};
	const claimsOf = (token: string): Claims | undefined => {
		// Nothing but the three parts: Node's decoder skips what is not base64url, so one token could be written in
		// many ways.
		const [, head = "", body = "", signature = ""] = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token) ?? [];
		if (signature === "") return undefined;
		const { publicKey, algorithm, id } = ready();
		const header = decoded(head);
		if (header?.["alg"] !== algorithm || header["kid"] !== id) return undefined;
		// No extensions are supported that a header may require (RFC 7515, 4.1.11).
		if (header["crit"] !== undefined) return undefined;
		const key = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
		if (!verify("sha256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"))) return undefined;
		const claims = decoded(body);
		return claims !== undefined && isClaims(claims) && claims.iss === issuer ? claims : undefined;
	};
	return {
		issuer,
		audiences,
		sign(claims) {
			const { key, algorithm, id } = ready();
			const head = encoded({ alg: algorithm, kid: id });
			const text = `${head}.${encoded(claims)}`;
			return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
		},
		verify(token) {
			const known = recent.find(token);
			if (known !== undefined) return known;
			const claims = claimsOf(token);
			if (claims === undefined) return undefined;
			const { namespace, serviceaccount } = claims["kubernetes.io"];
			if (claims.sub !== `system:serviceaccount:${namespace}:${serviceaccount.name}`) return undefined;
			const signed: SignedToken = {
				claims,
				user: serviceAccountUser(claims),
				apiAudiences: audiences.filter((audience) => claims.aud.includes(audience)),
			};
			recent.remember(token, signed);
			return signed;
		},
		keySet() {
			const { publicKey, algorithm, id } = ready();
			return { keys: [{ use: "sig", kid: id, alg: algorithm, ...publicKey.export({ format: "jwk" }) }] };
		},
		algorithm: () => ready().algorithm,
	};
}

/** The claims of a token that is valid as long as its Secret exists. */
export function secretClaims(
	{ issuer, audiences }: Pick<Tokens, "issuer" | "audiences">,
	account: ServiceAccount,
	{ metadata }: Secret,
): Claims {
	const { namespace = "", name, uid } = account.metadata;
	return {
		aud: [...audiences],
		iss: issuer,
		"kubernetes.io": {
			namespace,
			serviceaccount: { name, uid },
			secret: { name: metadata.name, uid: metadata.uid },
		},
		sub: `system:serviceaccount:${namespace}:${name}`,
	};
}

/** Groups of every service account of a namespace. */
export function serviceAccountGroups(namespace: string): string[] {
	return ["system:serviceaccounts", `system:serviceaccounts:${namespace}`];
}

function serviceAccountUser(claims: Claims): User {
	const { namespace, serviceaccount, pod, node } = claims["kubernetes.io"];
	return {
		name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
		uid: serviceaccount.uid,
		groups: [...serviceAccountGroups(namespace), "system:authenticated"],
		extra: {
			...(claims.jti !== undefined && { "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`] }),
			...(pod && {
				"authentication.kubernetes.io/pod-name": [pod.name],
				"authentication.kubernetes.io/pod-uid": [pod.uid],
			}),
			...(node && { "authentication.kubernetes.io/node-name": [node.name] }),
			...(node?.uid && { "authentication.kubernetes.io/node-uid": [node.uid] }),
		},
	};
}

interface Keys {
	key: KeyObject;
	publicKey: KeyObject;
	algorithm: "ES256" | "RS256";
	id: string;
}

function keysOf(pem: string | undefined): Keys {
	const key = pem === undefined ? generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey : createPrivateKey(pem);
	const publicKey = createPublicKey(key);
	const id = createHash("sha256")
		.update(publicKey.export({ type: "spki", format: "der" }))
		.digest("base64url");
	return { key, publicKey, algorithm: key.asymmetricKeyType === "ec" ? "ES256" : "RS256", id };
}

/** Others may sign with the same key: an end that is no number would never come. */
function isClaims(claims: Record<string, unknown>): claims is Record<string, unknown> & Claims {
	const { aud, exp, nbf, sub, "kubernetes.io": own } = claims;
	const areTimes = [exp, nbf].every((time) => time === undefined || typeof time === "number");
	if (!areTimes || typeof sub !== "string") return false;
	if (!Array.isArray(aud) || !aud.every((audience) => typeof audience === "string")) return false;
	if (!isRecord(own) || typeof own["namespace"] !== "string" || !isReference(own["serviceaccount"])) return false;
	return ["pod", "node", "secret"].every((kind) => own[kind] === undefined || isReference(own[kind]));
}

function isReference(value: unknown): boolean {
	if (!isRecord(value)) return false;
	const { name, uid } = value;
	return typeof name === "string" && (uid === undefined || typeof uid === "string");
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null;
}

function encoded(value: object): string {
	return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decoded(part: string): Record<string, unknown> | undefined {
	try {
		const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
		return isRecord(value) ? value : undefined;
	} catch {
		return undefined;
	}
}
