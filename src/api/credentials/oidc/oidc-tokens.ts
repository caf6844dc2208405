/** Tokens of other issuers (OpenID Connect ID tokens): maps their claims to users as configured. */

import type { JWTPayload, LocalJWKSet } from "jose";
import { messageOf } from "../../../core/errors.ts";
import type { User } from "../../../core/exchange.ts";
import type { Clock } from "../../../core/time/clock.ts";
import { RecentTokens } from "../recent-tokens.ts";
import { forApiServer, type TokenAuthenticator, TokenRefused } from "../token-authenticator.ts";
import type { Tokens } from "../tokens.ts";
import type { JwtAuthenticator } from "./configuration.ts";
import { IssuerKeys } from "./issuer-keys.ts";
import { userOfClaims } from "./user-of-claims.ts";

/** Asymmetric algorithms only: a verifier must not be able to create tokens. */
const algorithms = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512"];
/**
 * Tokens cannot be revoked, but keys can be withdrawn: a verified token is accepted this long without being verified
 * again.
 */
const believedMs = 10_000;
/** For `nbf`, as upstream. */
const leewaySeconds = 300;

interface Verified {
	user: User;
	expiresMs: number;
}

/** @param wallClock the time of issuers, which is not a virtual cluster's */
export function oidcTokens(
	server: { tokens: Pick<Tokens, "audiences"> },
	config: JwtAuthenticator,
	wallClock: Clock,
): TokenAuthenticator {
	const keys = new IssuerKeys(config.issuer, wallClock);
	const recent = new RecentTokens<Verified>(wallClock, believedMs);
	return {
		async authenticate(token, audiences) {
			if (issuerOf(token) !== config.issuer.url) return undefined;
			let verified = recent.find(token);
			if (verified === undefined) {
				const claims = await verify(token, keys, config, wallClock.now());
				// Verification ensures that it exists.
				verified = { user: userOfClaims(claims, config), expiresMs: (claims.exp ?? 0) * 1000 };
				recent.remember(token, verified);
			}
			if (verified.expiresMs <= wallClock.now()) throw new TokenRefused("oidc: verify token: oidc: token is expired");
			return forApiServer(server, verified.user, audiences);
		},
	};
}

/** The issuer that an unverified token claims; undefined for other tokens. */
function issuerOf(token: string): unknown {
	const [, body, signature, ...more] = token.split(".");
	if (body === undefined || signature === undefined || more.length > 0) return undefined;
	try {
		return (JSON.parse(Buffer.from(body, "base64url").toString()) as { iss?: unknown } | null)?.iss;
	} catch {
		return undefined;
	}
}

async function verify(
	token: string,
	keys: IssuerKeys,
	{ issuer }: JwtAuthenticator,
	nowMs: number,
): Promise<JWTPayload> {
	const { jwtVerify, errors } = await import("jose");
	const options = {
		algorithms,
		issuer: issuer.url,
		requiredClaims: ["exp"],
		clockTolerance: leewaySeconds,
		currentDate: new Date(nowMs),
	};
	const claimsBy = async (set: LocalJWKSet) => (await jwtVerify(token, set, options)).payload;
	try {
		const known = await keys.get();
		const claims = await claimsBy(known).catch(async (error: unknown) => {
			if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
			const newer = await keys.renew(known);
			if (newer === undefined) throw error;
			return claimsBy(newer);
		});
		const presented = [claims.aud ?? []].flat();
		if (!issuer.audiences.some((audience) => presented.includes(audience)))
			throw new Error(`expected audience in ${JSON.stringify(issuer.audiences)} got ${JSON.stringify(presented)}`);
		return claims;
	} catch (error) {
		throw new TokenRefused(`oidc: verify token: oidc: ${messageOf(error)}`);
	}
}
