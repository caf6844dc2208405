/**
 * Connections that become something else. Those for exec, attach, port-forward and proxying pass their bytes through to
 * the pod's agent; others may be a WebSocket that carries a log or a watch.
 */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { ApiError } from "../core/errors.ts";
import type { ApiRequest, ApiResponse, Handler, User } from "../core/exchange.ts";
import { authenticate, withoutToken } from "./access/authenticate.ts";
import { authorize } from "./access/authorize.ts";
import { parseRequestInfo } from "./request-info.ts";
import { errorResponse } from "./respond.ts";
import type { Context, Server } from "./server.ts";
import { plainHeaders } from "./sockets/http1.ts";
import { dial } from "./subresources/agent.ts";
import { placeOf } from "./subresources/pod-container.ts";
import { proxiedConnection } from "./subresources/proxy.ts";
import { noSuchResource, type Target, targetOf } from "./target.ts";
import { answerOverWebSocket, isWebSocket } from "./websocket.ts";

/** Subresources of pods → the agent's path. */
const agentPaths: Readonly<Record<string, string>> = { exec: "exec", attach: "attach", portforward: "portForward" };
const passedThrough = new Set([...Object.keys(agentPaths), "proxy"]);

/** Never throws: what is wrong is answered on the socket. @param handle answers what is no matter of an agent */
export async function upgrade(
	server: Server,
	handle: Handler,
	incoming: IncomingMessage,
	socket: Duplex,
	head: Uint8Array,
	user: User | undefined,
): Promise<void> {
	const gone = new AbortController();
	socket.once("close", () => gone.abort(new Error("the client is gone")));
	try {
		const request = requestFrom(incoming, user, gone.signal);
		const info = parseRequestInfo(request);
		const who = await authenticate(server, request);
		await authorize(server, who, info);
		const target = targetOf(server, info);
		if (target === undefined) throw noSuchResource();
		if (target.subresource !== undefined && passedThrough.has(target.subresource)) {
			const context: Context = { server, request, info, user: who, warnings: [] };
			await passThrough(context, target, incoming, socket, head);
		} else {
			const response = await handle(request);
			if (response.type === "object") answer(socket, response);
			else if (isWebSocket(incoming)) answerOverWebSocket(response, incoming, socket, head);
			else throw new ApiError("BadRequest", "this resource cannot be upgraded");
		}
	} catch (error) {
		refuse(socket, error);
	}
}

async function passThrough(
	context: Context,
	target: Target,
	incoming: IncomingMessage,
	socket: Duplex,
	head: Uint8Array,
): Promise<void> {
	const action = target.subresource ?? "";
	if (action === "proxy") {
		await context.server.cache.fresh();
		const { connection, path } = await proxiedConnection(context, target);
		return pass(incoming, socket, head, connection, path, incoming.headers.host);
	}
	const agentPath = target.kind.plural === "pods" && target.kind.group === "" ? agentPaths[action] : undefined;
	if (agentPath === undefined) throw new ApiError("BadRequest", "this resource cannot be upgraded");
	await context.server.cache.fresh();
	const place = placeOf(context, target, action);
	const query = new URLSearchParams(context.request.query);
	query.delete("container");
	const connection = await dial(context.server, place.node);
	pass(incoming, socket, head, connection, `/${agentPath}/${place.path}${query.size === 0 ? "" : `?${query}`}`);
}

function pass(
	incoming: IncomingMessage,
	socket: Duplex,
	head: Uint8Array,
	connection: Duplex,
	path: string,
	host?: string,
): void {
	if (socket.destroyed) {
		connection.destroy();
		return;
	}
	connection.write(requestHead(incoming, path, host));
	if (head.length > 0) connection.write(head);
	join(socket, connection);
}

/** The request as the agent gets it: the agent does not need to know who asks. */
function requestHead(incoming: IncomingMessage, path: string, host = "localhost"): string {
	const lines = [`${incoming.method} ${path} HTTP/1.1`, `Host: ${host}`];
	const { rawHeaders } = incoming;
	for (let index = 0; index < rawHeaders.length; index += 2) {
		const name = rawHeaders[index] ?? "";
		if (/^(host|authorization|impersonate-.*)$/i.test(name)) continue;
		const value = rawHeaders[index + 1] ?? "";
		lines.push(`${name}: ${/^sec-websocket-protocol$/i.test(name) ? withoutToken(value) : value}`);
	}
	return `${lines.join("\r\n")}\r\n\r\n`;
}

/** Bytes both ways, at the pace of the slower side, until both ends are done or one breaks. */
function join(one: Duplex, other: Duplex): void {
	for (const [from, to] of [
		[one, other],
		[other, one],
	] as const) {
		from.on("error", () => to.destroy());
		from.once("close", () => to.destroy());
		from.pipe(to);
	}
}

function requestFrom(incoming: IncomingMessage, user: User | undefined, signal: AbortSignal): ApiRequest {
	const target = incoming.url ?? "/";
	const cut = target.indexOf("?");
	return {
		// Only GET and POST come with an upgrade; the path decides what they mean.
		method: incoming.method === "GET" ? "GET" : "POST",
		path: cut < 0 ? target : target.slice(0, cut),
		query: new URLSearchParams(cut < 0 ? "" : target.slice(cut + 1)),
		headers: plainHeaders(incoming),
		signal,
		...(user === undefined ? {} : { user }),
	};
}

function refuse(socket: Duplex, error: unknown): void {
	const response = errorResponse(error);
	if (response.type === "object") answer(socket, response);
}

/** As if no upgrade had been asked for. */
function answer(socket: Duplex, response: Extract<ApiResponse, { type: "object" }>): void {
	if (socket.destroyed) return;
	const bytes = response.bytes();
	const body = Buffer.concat(bytes instanceof Uint8Array ? [bytes] : bytes);
	const head = [
		`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status] ?? ""}`,
		...Object.entries(response.headers).map(([name, value]) => `${name}: ${value}`),
		`Content-Length: ${body.length}`,
		"Connection: close",
	];
	socket.end(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]));
}
