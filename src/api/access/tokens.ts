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
import type { Clock } from "../../core/clock.ts";
import type { User } from "../../core/exchange.ts";
import type { Secret, ServiceAccount } from "../../kinds/generated/types.ts";

/** Claims of a bound token (KEP-1205). */
export interface Claims {
	aud: string[];
	/** Undefined in the token of a Secret: it holds as long as that has it. */
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

export interface Tokens {
	readonly issuer: string;
	sign(claims: Claims): string;
	/** The claims of a token that this server signed and that has not run out. */
	verify(token: string): Claims | undefined;
	/** `/openid/v1/jwks`: the public key, for those who verify tokens themselves. */
	keySet(): object;
}

export function createTokens(clock: Clock, options: { signingKey?: string; issuer?: string } = {}): Tokens {
	const issuer = options.issuer ?? "https://kubernetes.default.svc.cluster.local";
	let keys: Keys | undefined;
	// Made when first needed: most in-process clusters never sign a token.
	const ready = () => {
		keys ??= keysOf(options.signingKey);
		return keys;
	};
	return {
		issuer,
		sign(claims) {
			const { key, algorithm, id } = ready();
			const head = encoded({ alg: algorithm, kid: id });
			const text = `${head}.${encoded(claims)}`;
			return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
		},
		verify(token) {
			const [head = "", body = "", signature = "", ...more] = token.split(".");
			if (more.length > 0 || signature === "") return undefined;
			const { publicKey, algorithm, id } = ready();
			const header = decoded(head);
			if (header?.["alg"] !== algorithm || header["kid"] !== id) return undefined;
			const key = { key: publicKey, dsaEncoding: "ieee-p1363" } as const;
			if (!verify("sha256", Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url"))) return undefined;
			// The signature says that this server wrote the claims.
			const claims = decoded(body) as Claims | undefined;
			if (claims?.iss !== issuer || (claims.exp ?? Number.POSITIVE_INFINITY) * 1000 <= clock.now()) return undefined;
			return claims;
		},
		keySet() {
			const { publicKey, algorithm, id } = ready();
			return { keys: [{ use: "sig", kid: id, alg: algorithm, ...publicKey.export({ format: "jwk" }) }] };
		},
	};
}

export function secretClaims(issuer: string, account: ServiceAccount, { metadata }: Secret): Claims {
	const { namespace = "", name, uid } = account.metadata;
	return {
		aud: [issuer],
		iss: issuer,
		"kubernetes.io": {
			namespace,
			serviceaccount: { name, uid },
			secret: { name: metadata.name, uid: metadata.uid },
		},
		sub: `system:serviceaccount:${namespace}:${name}`,
	};
}

/** Who presents the token. */
export function serviceAccountUser(claims: Claims): User {
	const { namespace, serviceaccount, pod, node } = claims["kubernetes.io"];
	return {
		name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
		uid: serviceaccount.uid,
		groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
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

function encoded(value: object): string {
	return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function decoded(part: string): Record<string, unknown> | undefined {
	try {
		const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
		// Fields are looked at one by one.
		return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
	} catch {
		return undefined;
	}
}
