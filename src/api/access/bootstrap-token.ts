/**
 * Tokens that nodes join with (Kubernetes documentation, "Authenticating with Bootstrap Tokens"): Secrets of
 * kube-system.
 */
import { timingSafeEqual } from "node:crypto";
import type { User } from "../../core/exchange.ts";
import { secrets } from "../../kinds/core/secret.ts";
import type { Secret } from "../../kinds/generated/types.ts";
import { forApiServer, type TokenAuthenticator } from "../credentials/token-authenticator.ts";
import type { Server } from "../server/server.ts";

const secretType = "bootstrap.kubernetes.io/token";
const namespace = "kube-system";
const tokenPattern = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupPattern = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/** An invalid token is rejected without a reason, as upstream, to prevent guessing. */
export function bootstrapTokens(server: Server): TokenAuthenticator {
	return {
		authenticate(token, audiences) {
			const [, id, secret] = tokenPattern.exec(token) ?? [];
			if (id === undefined || secret === undefined) return undefined;
			const found = server.cache.find(secrets, namespace, `bootstrap-token-${id}`);
			if (found === undefined || !holds(found, { id, secret }, server.clock.now())) return undefined;
			const user = userOf(found, id);
			return user && forApiServer(server, user, audiences);
		},
	};
}

function holds({ type, metadata, data }: Secret, wanted: { id: string; secret: string }, nowMs: number): boolean {
	if (type !== secretType || metadata.deletionTimestamp !== undefined) return false;
	if (!isSame(textOf(data, "token-secret"), wanted.secret) || textOf(data, "token-id") !== wanted.id) return false;
	if (textOf(data, "usage-bootstrap-authentication") !== "true") return false;
	const expiration = textOf(data, "expiration");
	// A time that cannot be read has passed.
	return expiration === "" || nowMs < Date.parse(expiration);
}

/** Undefined if the Secret names groups that a bootstrap token cannot grant. */
function userOf({ data }: Secret, id: string): User | undefined {
	const groups = ["system:bootstrappers"];
	for (const group of textOf(data, "auth-extra-groups").split(",")) {
		const name = group.trim();
		if (name === "") continue;
		if (!groupPattern.test(name)) return undefined;
		if (!groups.includes(name)) groups.push(name);
	}
	return { name: `system:bootstrap:${id}`, groups: [...groups, "system:authenticated"] };
}

function textOf(data: Secret["data"], key: string): string {
	const encoded = data?.[key];
	return encoded === undefined ? "" : Buffer.from(encoded, "base64").toString();
}

/** Compares in constant time. */
function isSame(found: string, wanted: string): boolean {
	const [one, other] = [Buffer.from(found), Buffer.from(wanted)];
	return one.length === other.length && timingSafeEqual(one, other);
}
