/** The user of a verified token of another issuer. Pure. */
import type { JWTPayload } from "jose";
import type { User } from "../../../core/exchange.ts";
import { TokenRefused } from "../token-authenticator.ts";
import type { JwtAuthenticator, PrefixedClaim } from "./configuration.ts";

/** Names that are reserved for Kubernetes. */
const reserved = "system:";

/** @throws TokenRefused if a claim is missing, has the wrong type, or contains a reserved name */
export function userOfClaims(claims: JWTPayload, config: JwtAuthenticator): User {
	for (const { claim, value } of config.requiredClaims) checkRequired(claims, claim, value);
	const name = usernameOf(claims, config.username);
	const groups = config.groups === undefined ? [] : groupsOf(claims, config.groups);
	for (const text of [name, ...groups])
		if (text.startsWith(reserved))
			throw new TokenRefused(`oidc: ${JSON.stringify(text)}: names that begin with ${reserved} are Kubernetes' own`);
	const uid = config.uidClaim === undefined ? undefined : textClaim(claims, config.uidClaim, "uid");
	const { jti } = claims;
	return {
		name,
		groups: [...groups, "system:authenticated"],
		...(uid !== undefined && { uid }),
		...(typeof jti === "string" &&
			jti !== "" && { extra: { "authentication.kubernetes.io/credential-id": [`JTI=${jti}`] } }),
	};
}

function usernameOf(claims: JWTPayload, { claim, prefix }: PrefixedClaim): string {
	const name = textClaim(claims, claim, "username");
	if (name === "") throw new TokenRefused(`oidc: claim ${JSON.stringify(claim)} for the username is empty`);
	// An address that the issuer has not verified may belong to another person.
	if (claim === "email" && Object.hasOwn(claims, "email_verified") && claims["email_verified"] !== true)
		throw new TokenRefused("oidc: email not verified");
	return prefix + name;
}

/** Empty if the claim is missing: not every user is in a group. */
function groupsOf(claims: JWTPayload, { claim, prefix }: PrefixedClaim): string[] {
	const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
	if (value === undefined || value === null) {
		const elsewhere = claims["_claim_names"];
		if (typeof elsewhere === "object" && elsewhere !== null && Object.hasOwn(elsewhere, claim))
			throw new TokenRefused("oidc: distributed claims are not supported");
		return [];
	}
	const list: unknown[] = [value].flat();
	return list.map((group) => {
		if (typeof group !== "string")
			throw new TokenRefused(`oidc: parse groups claim ${JSON.stringify(claim)}: not text`);
		return prefix + group;
	});
}

function textClaim(claims: JWTPayload, claim: string, what: string): string {
	const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
	if (typeof value === "string") return value;
	throw new TokenRefused(
		`oidc: parse ${what} claims ${JSON.stringify(claim)}: ${value === undefined ? "claim not present" : "not text"}`,
	);
}

function checkRequired(claims: JWTPayload, claim: string, value: string): void {
	if (!Object.hasOwn(claims, claim)) throw new TokenRefused(`oidc: required claim ${claim} not present in ID token`);
	const found = claims[claim];
	if (found !== value)
		throw new TokenRefused(
			`oidc: required claim ${claim} value does not match. Got = ${String(found)}, want = ${value}`,
		);
}
