/** Acting as somebody else (Kubernetes documentation, "User impersonation"): `kubectl --as`. */
import { ApiError } from "../../core/errors.ts";
import type { ApiRequest, User } from "../../core/exchange.ts";

type Headers = ApiRequest["headers"];

const extraPrefix = "impersonate-extra-";
const authenticated = "system:authenticated";
const unauthenticated = "system:unauthenticated";

/**
 * Whom the request is made as: `user`, or the one that its headers name.
 * @throws ApiError Forbidden for those who may not, InternalError when groups come without a user
 */
export function actingUser(user: User, headers: Headers): User {
	const name = headers["impersonate-user"] ?? "";
	const groups = valuesOf(headers["impersonate-group"]);
	const uid = headers["impersonate-uid"];
	const extra = extraOf(headers);
	if (name === "") {
		if (groups.length === 0 && uid === undefined && extra === undefined) return user;
		throw new ApiError("InternalError", "Internal error occurred: requested impersonation without a user name");
	}
	const [, namespace, account] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name) ?? [];
	if (!user.groups.includes("system:masters")) throw forbidden(user, name, namespace, account);
	if (groups.length === 0 && namespace !== undefined)
		groups.push("system:serviceaccounts", `system:serviceaccounts:${namespace}`);
	return {
		name,
		groups: [...groups, ...missingGroup(name, groups)],
		...(uid === undefined ? {} : { uid }),
		...(extra === undefined ? {} : { extra }),
	};
}

/** Everybody is either known or not. */
function missingGroup(name: string, groups: readonly string[]): string[] {
	if (name === "system:anonymous") return groups.includes(unauthenticated) ? [] : [unauthenticated];
	return groups.includes(authenticated) || groups.includes(unauthenticated) ? [] : [authenticated];
}

/** A header that came several times has its values joined by commas. */
function valuesOf(header: string | undefined): string[] {
	if (header === undefined) return [];
	return header.split(",").flatMap((value) => value.trim() || []);
}

function extraOf(headers: Headers): Record<string, string[]> | undefined {
	const extra: Record<string, string[]> = {};
	let isEmpty = true;
	for (const header in headers) {
		if (!header.startsWith(extraPrefix)) continue;
		extra[unescaped(header.slice(extraPrefix.length))] = valuesOf(headers[header]);
		isEmpty = false;
	}
	return isEmpty ? undefined : extra;
}

/** Names of headers cannot have every character, so those of others are percent-encoded. */
function unescaped(key: string): string {
	try {
		return decodeURIComponent(key);
	} catch {
		return key;
	}
}

function forbidden(user: User, name: string, namespace: string | undefined, account: string | undefined): ApiError {
	const [kind, wanted] = account === undefined ? ["users", name] : ["serviceaccounts", account];
	const place = account === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
	return new ApiError(
		"Forbidden",
		`${kind} "${wanted}" is forbidden: User "${user.name}" cannot impersonate resource "${kind}" in API group "" ${place}`,
		{ name: wanted, kind },
	);
}
