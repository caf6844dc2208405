/** Whose client certificates the API server believes; extension API servers read the same in a ConfigMap. */
import type { ClientTrust } from "../../api/listen.ts";
import { defaultIdentityHeaders, type FrontProxyTrust, type IdentityHeaders } from "../../api/request/front-proxy.ts";
import type { Authority } from "./controllers.ts";

/**
 * Its own proxy, which passes requests on to extension API servers, is one that is believed.
 * @param others proxies in front of the API server
 */
export function clientTrust(
	{ ca, frontProxy }: Pick<Authority, "ca" | "frontProxy">,
	others?: FrontProxyTrust,
): ClientTrust & { clientCa: string; frontProxy: FrontProxyTrust } {
	const own: FrontProxyTrust = { ca: frontProxy.ca, names: [frontProxy.name], headers: defaultIdentityHeaders };
	return { clientCa: ca, frontProxy: others === undefined ? own : merged(own, others) };
}

function merged(one: FrontProxyTrust, other: FrontProxyTrust): FrontProxyTrust {
	// Without names, those of the other are any.
	const names = other.names.length === 0 ? [] : union(one.names, other.names);
	const both = (field: keyof IdentityHeaders) => union(one.headers[field], other.headers[field]);
	const headers = {
		username: both("username"),
		uid: both("uid"),
		group: both("group"),
		extraPrefix: both("extraPrefix"),
	};
	return { ca: `${one.ca.trimEnd()}\n${other.ca}`, names, headers };
}

function union(one: readonly string[], other: readonly string[]): string[] {
	return [...new Set([...one, ...other])];
}
