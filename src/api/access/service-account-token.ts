/**
 * Validates a service account's token: its times, its audience, and the objects that it is bound to (KEP-1205,
 * KEP-4193).
 */
import type { KubeObject } from "../../core/object.ts";
import { nodes } from "../../kinds/core/node.ts";
import { secrets } from "../../kinds/core/secret.ts";
import { serviceAccounts } from "../../kinds/core/serviceaccount.ts";
import type { Kind } from "../../kinds/engine/kind.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { type TokenAuthenticator, TokenRefused } from "../credentials/token-authenticator.ts";
import type { Claims, SignedToken } from "../credentials/tokens.ts";
import type { Server } from "../server/server.ts";

/** Clocks differ, and what a token is bound to ends a little after its deletion. */
const leewayMs = 60_000;
const invalidated = "service account token has been invalidated";

/** Only the claims of a token are cached: everything that can change is checked each time. */
export function serviceAccountTokens(server: Server): TokenAuthenticator {
	const { tokens, clock } = server;
	return {
		authenticate(token, audiences) {
			const signed = tokens.verify(token);
			if (signed === undefined) return undefined;
			const meant = audiencesOf(signed, audiences, tokens.audiences);
			if (meant.length === 0)
				throw new TokenRefused(
					`token audiences ${shown(signed.claims.aud)} is invalid for the target audiences ${shown(audiences)}`,
				);
			const nowMs = clock.now();
			checkTimes(signed.claims, nowMs);
			checkBound(server, signed.claims, nowMs);
			// A token without an expiry is valid until its Secret contains another one.
			if (signed.claims.exp === undefined && !isIn(server, signed.claims, token)) throw new TokenRefused(invalidated);
			return { user: signed.user, audiences: meant };
		},
	};
}

function audiencesOf({ claims, apiAudiences }: SignedToken, asked: readonly string[], ofServer: readonly string[]) {
	if (asked === ofServer) return apiAudiences;
	return claims.aud.filter((audience) => asked.includes(audience));
}

function checkTimes({ exp, nbf }: Claims, nowMs: number): void {
	if (nbf !== undefined && nowMs + leewayMs < nbf * 1000)
		throw new TokenRefused("service account token is not valid yet");
	if (exp !== undefined && exp * 1000 + leewayMs < nowMs) throw new TokenRefused("service account token has expired");
}

function checkBound(server: Server, claims: Claims, nowMs: number): void {
	const { namespace, serviceaccount, pod, secret, node } = claims["kubernetes.io"];
	const account = find(server, serviceAccounts, namespace, serviceaccount.name);
	if (account === undefined) throw new TokenRefused(`serviceaccounts "${serviceaccount.name}" not found`);
	if (hasEnded(account, nowMs))
		throw new TokenRefused(`service account ${namespace}/${serviceaccount.name} has been deleted`);
	const { uid } = account.metadata;
	if (uid !== serviceaccount.uid)
		throw new TokenRefused(`service account UID (${uid}) does not match claim (${serviceaccount.uid})`);
	if (secret !== undefined) checkOne(server, secrets, namespace, secret, nowMs);
	if (pod !== undefined) checkOne(server, pods, namespace, pod, nowMs);
	// The node of a pod's token is only where the pod runs.
	else if (node !== undefined) checkOne(server, nodes, undefined, node, nowMs);
}

function checkOne(
	server: Server,
	kind: Kind,
	namespace: string | undefined,
	{ name, uid = "" }: { name: string; uid?: string },
	nowMs: number,
): void {
	const object = find(server, kind, namespace, name);
	if (object === undefined || hasEnded(object, nowMs)) throw new TokenRefused(invalidated);
	const found = object.metadata.uid;
	if (found === uid) return;
	const what = kind === secrets ? "service account secret" : `service account ${kind.singular}`;
	const shownKind = kind === secrets ? "secret" : kind.singular;
	throw new TokenRefused(`${shownKind} UID (${found}) does not match ${what} ref claim (${uid})`);
}

function find({ cache }: Server, kind: Kind, namespace: string | undefined, name: string): KubeObject | undefined {
	return cache.find(kind, namespace, name);
}

/** An object that is being deleted counts until its grace period is over, so that its pods can clean up. */
function hasEnded({ metadata: { deletionTimestamp } }: KubeObject, nowMs: number): boolean {
	return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) + leewayMs < nowMs;
}

function isIn(server: Server, claims: Claims, token: string): boolean {
	const { namespace, secret } = claims["kubernetes.io"];
	const found = server.cache.find(secrets, namespace, secret?.name ?? "");
	return found?.data?.["token"] === Buffer.from(token).toString("base64");
}

/** A list in quotes, as Go prints it with %q. */
function shown(list: readonly string[]): string {
	return `[${list.map((item) => JSON.stringify(item)).join(" ")}]`;
}
