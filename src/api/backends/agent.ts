/** Requests to a node's agent, over connections that `dialAgent` opens. */
import { type IncomingMessage, request } from "node:http";
import type { Duplex } from "node:stream";
import { ApiError, messageOf } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import type { Context, Server } from "../server/server.ts";

/** Hop-by-hop headers and credentials, which are not forwarded. */
const notForwarded = new Set([
	"connection",
	"host",
	"authorization",
	"content-length",
	"transfer-encoding",
	"keep-alive",
	"upgrade",
	"te",
	"accept-encoding",
]);

/** Whether a client's header is passed on. @param name in lower case */
export function isForwarded(name: string): boolean {
	return !notForwarded.has(name) && !/^(?:impersonate|sec-websocket)-/.test(name);
}

/** What connections to the inside of the cluster need of a server. */
export type Reach = Pick<Server, "cache" | "clock" | "options">;

/** @throws ApiError when the node cannot be reached */
export async function dial({ options }: Pick<Server, "options">, node: string): Promise<Duplex> {
	if (options.dialAgent === undefined)
		throw new ApiError("ServiceUnavailable", `node ${node}: this server has no way to reach agents`);
	try {
		return await options.dialAgent(node);
	} catch (error) {
		const why = messageOf(error);
		throw new ApiError("InternalError", `error dialing backend: node ${node}: ${why}`);
	}
}

/**
 * Sends a request over a separate connection, and streams the response.
 * @param added headers besides those of the request
 */
export async function forward(
	context: Context,
	connection: Duplex,
	path: string,
	added: Readonly<Record<string, string>> = {},
): Promise<ApiResponse> {
	const { method, headers, body, signal } = context.request;
	const sent: Record<string, string> = { host: "localhost", connection: "close", ...added };
	for (const [name, value] of Object.entries(headers)) {
		if (value !== undefined && isForwarded(name)) sent[name] = value;
	}
	const bytes =
		body === undefined ? undefined : "bytes" in body ? body.bytes : Buffer.from(JSON.stringify(body.object));
	if (bytes !== undefined) sent["content-length"] = String(bytes.length);
	connection.on("error", () => connection.destroy());
	const response = await new Promise<IncomingMessage>((resolve, reject) => {
		const outgoing = request({ method, path, headers: sent, createConnection: () => connection, signal }, resolve);
		outgoing.once("error", reject);
		// An unexpected upgrade. Without a listener, the request would never end.
		outgoing.once("upgrade", () => reject(new Error("unexpected switch to another protocol")));
		outgoing.end(bytes);
	}).catch((error: unknown) => {
		connection.destroy();
		const why = messageOf(error);
		throw new ApiError("ServiceUnavailable", `error trying to reach service: ${why}`);
	});
	return { type: "stream", status: response.statusCode ?? 502, headers: answeredHeaders(response), body: response };
}

export function answeredHeaders(response: IncomingMessage): Record<string, string> {
	const headers: Record<string, string> = {};
	for (const [name, value] of Object.entries(response.headers)) {
		if (name === "connection" || name === "transfer-encoding" || name === "keep-alive" || value === undefined) continue;
		headers[name] = Array.isArray(value) ? value.join(", ") : value;
	}
	return headers;
}
