/** Detects loops: an APIService may name a service that leads back to this server (RFC 9110, "Via"). */
import { randomBytes } from "node:crypto";
import type { ApiRequest } from "../../core/exchange.ts";

const own = `1.1 coxswain-${randomBytes(8).toString("hex")}`;

/** @param headers of the request that is passed on */
export function loopHeader(headers: ApiRequest["headers"] = {}): { via: string } {
	const { via = "" } = headers;
	return { via: via === "" ? own : `${via}, ${own}` };
}

/** Whether a request has already passed this server. */
export function hasBeenHere({ via = "" }: ApiRequest["headers"]): boolean {
	return via.includes(own);
}
