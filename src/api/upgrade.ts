/**
 * Connections that become something else. Those for exec, attach, port-forward and proxying pass their bytes through to
 * the pod's agent; others may be a WebSocket that carries a log or a watch.
 */
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { ApiError } from "../core/errors.ts";
import type { ApiRequest, Handler, User } from "../core/exchange.ts";
import { isWebSocket } from "../core/websocket-request.ts";
import { authenticate, withoutToken } from "./access/authenticate.ts";
import { authorize, ensureAllowed } from "./access/authorize.ts";
import { attributesOf } from "./access/authorizer.ts";
import { actingUser } from "./access/impersonate.ts";
import type { AuditRecord } from "./audit/record.ts";
import { isMethod, parseRequestInfo, type RequestInfo } from "./request-info.ts";
import { errorResponse } from "./respond.ts";
import type { Context, Server } from "./server.ts";
import { originForm, plainHeaders } from "./sockets/http1.ts";
import { answerUpgrade, refuseUpgrade } from "./sockets/refuse-upgrade.ts";
import { pipeFrames } from "./sockets/websocket-frames.ts";
import { dial } from "./subresources/agent.ts";
import { placeOf } from "./subresources/pod-container.ts";
import { proxiedConnection } from "./subresources/proxy.ts";
import { methodNotAllowed, type Target, targetOf } from "./target.ts";

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
		const target = targetOf(server, info);
		if (target?.subresource !== undefined && passedThrough.has(target.subresource))
			return await passThrough(server, request, info, target, incoming, socket, head);
		// Everything else is an ordinary request: who asks, and whether they may, is found out there.
		const response = await handle(request);
		if (response.type === "object") answerUpgrade(socket, response);
		else if (isWebSocket(incoming)) {
			// Loaded when first used: most servers never see one.
			const { answerOverWebSocket } = await import("./websocket.ts");
			answerOverWebSocket(response, incoming, socket, head);
		} else throw new ApiError("BadRequest", "this resource cannot be upgraded");
	} catch (error) {
		refuseUpgrade(socket, error);
	}
}

/** The steps of handle.ts up to those that only an agent can take. */
async function passThrough(
	server: Server,
	request: ApiRequest,
	info: RequestInfo,
	target: Target,
	incoming: IncomingMessage,
	socket: Duplex,
	head: Uint8Array,
): Promise<void> {
	let audit: AuditRecord | undefined;
	const measured = server.metrics.requests.begin(request);
	measured.info = info;
	try {
		const requester = await authenticate(server, request);
		measured.user = requester;
		audit = server.audit?.begin(request, info, requester);
		const user = await actingUser(server, requester, request.headers);
		if (user !== requester) audit?.actsAs(user);
		await authorize(server, user, info, audit);
		// Connections may begin with a GET, which stands for no more than reading. A client that reaches an agent can run
		// commands.
		if (info.verb !== "create" && (target.subresource !== "proxy" || target.kind.plural === "nodes"))
			await ensureAllowed(server, { ...attributesOf(user, info), verb: "create" });
		measured.allowed = true;
		const context: Context = { server, request, info, user, warnings: [], audit };
		const { connection, path, host } = await connectionTo(context, target, incoming);
		if (audit !== undefined) follow(audit, socket);
		whenClosed(socket, measured.switched());
		pass(incoming, socket, head, connection, path, host);
	} catch (error) {
		const response = errorResponse(error);
		measured.answered(response);
		if (audit !== undefined) audit.failed(response, error);
		else if (response.status === 401) server.audit?.unknownUser(request, info, response);
		throw error;
	}
}

function follow(audit: AuditRecord, socket: Duplex): void {
	audit.switched();
	whenClosed(socket, () => audit.closed());
}

function whenClosed(socket: Duplex, over: () => void): void {
	if (socket.closed) over();
	else socket.once("close", over);
}

interface Onward {
	connection: Duplex;
	/** As the other end knows it, with its query. */
	path: string;
	host?: string | undefined;
}

async function connectionTo(context: Context, target: Target, incoming: IncomingMessage): Promise<Onward> {
	const action = target.subresource ?? "";
	if (action === "proxy") {
		await context.server.cache.fresh();
		return { ...(await proxiedConnection(context, target)), host: incoming.headers.host };
	}
	const agentPath = target.kind.plural === "pods" && target.kind.group === "" ? agentPaths[action] : undefined;
	if (agentPath === undefined) throw new ApiError("BadRequest", "this resource cannot be upgraded");
	if (context.info.verb !== "get" && context.info.verb !== "create") throw methodNotAllowed();
	await context.server.cache.fresh();
	const place = placeOf(context, target, action);
	const query = new URLSearchParams(context.request.query);
	query.delete("container");
	const connection = await dial(context.server, place.node);
	return { connection, path: `/${agentPath}/${place.path}${query.size === 0 ? "" : `?${query}`}` };
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
	join(socket, connection, isWebSocket(incoming));
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
function join(client: Duplex, other: Duplex, inFrames: boolean): void {
	for (const [from, to] of [
		[client, other],
		[other, client],
	] as const) {
		from.on("error", () => to.destroy());
		from.once("close", () => to.destroy());
		if (inFrames && to === client) pipeFrames(from, to).catch(() => to.destroy());
		else from.pipe(to);
	}
}

/** @throws ApiError MethodNotAllowed for one that the API does not know */
function methodOf(method = "GET"): ApiRequest["method"] {
	if (!isMethod(method)) throw methodNotAllowed();
	return method;
}

function requestFrom(incoming: IncomingMessage, user: User | undefined, signal: AbortSignal): ApiRequest {
	const target = originForm(incoming.url ?? "/");
	const cut = target.indexOf("?");
	return {
		method: methodOf(incoming.method),
		path: cut < 0 ? target : target.slice(0, cut),
		query: new URLSearchParams(cut < 0 ? "" : target.slice(cut + 1)),
		headers: plainHeaders(incoming),
		signal,
		peer: incoming.socket,
		...(user === undefined ? {} : { user }),
	};
}
