/**
 * Headers with which a proxy passes the user on (Kubernetes documentation, "Authenticating Proxy").
 */
import type { User } from "../../core/exchange.ts";
import { defaultIdentityHeaders, type IdentityHeaders } from "../request/front-proxy.ts";

const [extraPrefix = ""] = defaultIdentityHeaders.extraPrefix.map((prefix) => prefix.toLowerCase());

/**
 * Whether a header, in lower case, says who asks: what a client sends under such a name is not passed on.
 * @param others in which proxies in front of the server say it: extension API servers believe them, too
 */
export function whoAsksHeaders(others: IdentityHeaders = defaultIdentityHeaders): (name: string) => boolean {
	const both = (field: keyof IdentityHeaders) =>
		[...defaultIdentityHeaders[field], ...others[field]].map((name) => name.toLowerCase());
	const names = new Set([...both("username"), ...both("uid"), ...both("group")]);
	const prefixes = both("extraPrefix");
	return (name) => names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
}

/** By name, in lower case. @throws Error for a text that no header can have */
export function identityHeaders({ name, uid = "", groups, extra = {} }: User): Record<string, string[]> {
	const headers: Record<string, string[]> = { "x-remote-user": [name] };
	if (uid !== "") headers["x-remote-uid"] = [uid];
	if (groups.length > 0) headers["x-remote-group"] = [...groups];
	for (const [key, values] of Object.entries(extra)) headers[`${extraPrefix}${escapedKey(key)}`] = [...values];
	for (const [header, values] of Object.entries(headers))
		headers[header] = values.map((value) => encoded(header, value));
	return headers;
}

/** UTF-8, which Node would write as Latin-1. */
function encoded(header: string, text: string): string {
	if (/[^\t\x20-\x7e\x80-\u{10ffff}]/u.test(text))
		throw new Error(`net/http: invalid header field value for ${JSON.stringify(header)}`);
	return Buffer.from(text).toString("latin1");
}

/** Characters that header names cannot contain, and the escape character. */
function escapedKey(key: string): string {
	return Buffer.from(key.toLowerCase())
		.toString("latin1")
		.replace(/[^!#$&'*+.^_`|~\w-]/g, (letter) => `%${letter.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
