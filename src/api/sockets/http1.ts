/** HTTP/1.1 in the terms of serve.ts. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { User } from "../../core/exchange.ts";
import { mostHeaderFields } from "./limits.ts";
import { Presence } from "./presence.ts";
import { hasRawValues, keepRawValues } from "./raw-values.ts";
import type { Reply } from "./reply.ts";
import type { Incoming } from "./serve.ts";

export function http1Exchange(
	request: IncomingMessage,
	response: ServerResponse,
	user: User | undefined,
): { incoming: Incoming; reply: Reply } {
	const client = new Presence();
	response.on("close", client.leave);
	// A client that disconnects during the response is not an error.
	response.on("error", () => {});
	const writeHead = (status: number, headers: Record<string, string>) => {
		// The rest of an incomplete body is not needed.
		if (!request.complete) response.shouldKeepAlive = false;
		response.writeHead(status, headers);
	};
	return {
		incoming: {
			method: request.method ?? "GET",
			target: originForm(request.url ?? "/"),
			headers: plainHeaders(request),
			user,
			client,
			body: request,
			problem: headProblem(request),
			peer: request.socket,
		},
		reply: {
			answer(status, headers, bytes) {
				writeHead(status, headers);
				response.end(bytes);
			},
			head(status, headers) {
				writeHead(status, headers);
				// The client of a watch without events must still receive the head.
				response.flushHeaders();
			},
			write: (bytes) => response.write(bytes),
			async drained() {
				if (!client.isGone) await once(response, "drain", { signal: client.signal }).catch(() => {});
			},
			end() {
				response.end();
			},
			destroy: () => response.destroy(),
			bufferedBytes: () => response.writableLength,
		},
	};
}

/** Clients may send an absolute URL, as to a proxy (RFC 9112, 3.2.2); only its path is used. */
export function originForm(target: string): string {
	if (target.startsWith("/") || !/^https?:\/\//i.test(target)) return target;
	const rest = target.slice(target.indexOf("//") + 2);
	const end = rest.search(/[/?]/);
	if (end < 0) return "/";
	return rest[end] === "/" ? rest.slice(end) : `/${rest.slice(end)}`;
}

/**
 * Rules of RFC 9112 (3.2, 6.1) that Node does not check: without them, this server and a proxy in front could read
 * different requests.
 */
export function headProblem({ headers, httpVersion, rawHeaders }: IncomingMessage): string | undefined {
	// Node ignores further headers, which may be those that a proxy in front has added: the impersonated user.
	if (rawHeaders.length > 2 * mostHeaderFields) return "too many header fields";
	if (headers.host === undefined && httpVersion === "1.1") return "missing required Host header";
	const coding = headers["transfer-encoding"];
	if (coding !== undefined && coding.toLowerCase() !== "chunked") return "unsupported transfer encoding";
	let hostCount = 0;
	for (let index = 0; index < rawHeaders.length; index += 2) {
		const name = rawHeaders[index];
		if (name?.length === 4 && name.toLowerCase() === "host") hostCount++;
	}
	return hostCount > 1 ? "too many Host headers" : undefined;
}

/** Names in lower case, as in Node; repeated ones are joined. */
export function plainHeaders(request: IncomingMessage): Record<string, string | undefined> {
	const headers: Record<string, string | undefined> = {};
	let hasRaw = false;
	for (const name in request.headers) {
		const value = request.headers[name];
		headers[name] = Array.isArray(value) ? value.join(", ") : value;
		hasRaw ||= hasRawValues(name);
	}
	if (hasRaw) keepRawValues(headers, request.rawHeaders);
	return headers;
}
