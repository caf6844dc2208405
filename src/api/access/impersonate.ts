/** Acting as someone else (Kubernetes documentation, "User impersonation"): `kubectl --as`. */

import { ApiError } from "../../core/errors.ts";
import type { ApiRequest, User } from "../../core/exchange.ts";
import { serviceAccountGroups } from "../credentials/tokens.ts";
import type { ResourceAttributes } from "../request/authorizer.ts";
import type { Server } from "../server/server.ts";
import { ensureAllowed } from "./authorize.ts";

type Headers = ApiRequest["headers"];

const extraPrefix = "impersonate-extra-";
const authenticated = "system:authenticated";
const unauthenticated = "system:unauthenticated";

/**
 * The effective user: `user`, immediately, or the one that the headers name, if the user may impersonate every part of
 * it.
 * @throws ApiError Forbidden for those who may not, InternalError when groups come without a user
 */
export function actingUser(
	server: Pick<Server, "authorizer" | "options">,
	user: User,
	headers: Headers,
): User | Promise<User> {
	// A request has one user: of several, the first counts, as upstream.
	const [name = ""] = valuesOf(headers["impersonate-user"]);
	const groups = valuesOf(headers["impersonate-group"]);
	const [uid] = valuesOf(headers["impersonate-uid"]);
	const extra = extraOf(headers);
	if (name === "") {
		if (groups.length === 0 && uid === undefined && extra === undefined) return user;
		throw new ApiError("InternalError", "Internal error occurred: requested impersonation without a user name");
	}
	return impersonating(server, user, { name, groups, uid, extra });
}

interface Impersonated {
	name: string;
	groups: string[];
	uid: string | undefined;
	extra: Record<string, string[]> | undefined;
}

async function impersonating(
	server: Pick<Server, "authorizer" | "options">,
	user: User,
	{ name, groups, uid, extra }: Impersonated,
): Promise<User> {
	for (const resource of impersonated(name, groups, uid, extra))
		await ensureAllowed(server, { user, verb: "impersonate", path: "", resource });
	const namespace = serviceAccountOf(name)?.namespace;
	if (groups.length === 0 && namespace !== undefined) groups.push(...serviceAccountGroups(namespace));
	return {
		name,
		groups: [...groups, ...missingGroup(name, groups)],
		...(uid === undefined ? {} : { uid }),
		...(extra === undefined ? {} : { extra }),
	};
}

/** The permissions that are needed, each checked by itself, in upstream's order. */
function impersonated(
	name: string,
	groups: readonly string[],
	uid: string | undefined,
	extra: Readonly<Record<string, readonly string[]>> = {},
): ResourceAttributes[] {
	const account = serviceAccountOf(name);
	const core = { group: "", version: "v1" };
	const authentication = { group: "authentication.k8s.io", version: "v1" };
	return [
		account === undefined ? { ...core, plural: "users", name } : { ...core, plural: "serviceaccounts", ...account },
		...groups.map((group) => ({ ...core, plural: "groups", name: group })),
		...Object.entries(extra).flatMap(([subresource, values]) =>
			values.map((value) => ({ ...authentication, plural: "userextras", subresource, name: value })),
		),
		...(uid === undefined ? [] : [{ ...authentication, plural: "uids", name: uid }]),
	];
}

function serviceAccountOf(user: string): { namespace: string; name: string } | undefined {
	const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
	return namespace === undefined || name === undefined ? undefined : { namespace, name };
}

/** Every user is either authenticated or anonymous. */
function missingGroup(name: string, groups: readonly string[]): string[] {
	if (name === "system:anonymous") return groups.includes(unauthenticated) ? [] : [unauthenticated];
	return groups.includes(authenticated) || groups.includes(unauthenticated) ? [] : [authenticated];
}

/** Headers that came several times have a line for each, see `ApiRequest.headers`. */
function valuesOf(header: string | undefined): string[] {
	return header === undefined ? [] : header.split("\n");
}

function extraOf(headers: Headers): Record<string, string[]> | undefined {
	// The client chooses the key, which may be `__proto__`.
	const extra: Record<string, string[]> = Object.create(null);
	let isEmpty = true;
	for (const header in headers) {
		if (!header.startsWith(extraPrefix)) continue;
		extra[unescaped(header.slice(extraPrefix.length))] = valuesOf(headers[header]);
		isEmpty = false;
	}
	return isEmpty ? undefined : extra;
}

/** Names of headers cannot contain every character; the others are percent-encoded. */
function unescaped(key: string): string {
	try {
		return decodeURIComponent(key);
	} catch {
		return key;
	}
}
