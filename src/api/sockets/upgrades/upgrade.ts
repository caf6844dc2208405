/**
 * Upgrades. They pass the pipeline like any other request; the result is a connection to an agent or a pod, or a log or
 * watch over WebSocket.
 */
import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { ApiError } from "../../../core/errors.ts";
import type { ApiRequest, ApiResponse, Handler, User } from "../../../core/exchange.ts";
import { isWebSocket } from "../../../core/websocket-request.ts";
import { withoutToken } from "../../access/authenticate.ts";
import { isMethod } from "../../request/request-info.ts";
import { methodNotAllowed } from "../../resources/target.ts";
import { headProblem, originForm, plainHeaders } from "../http1.ts";
import type { WatchConnections } from "../serve-watch.ts";
import { answerUpgrade, refuseUpgrade } from "./refuse-upgrade.ts";
import { pipeFrames } from "./websocket-frames.ts";

/** An idle connection is closed after this time, as by the kubelet. */
const idleMs = 4 * 3_600_000;

const uncounted: WatchConnections = { addWatch: () => () => {}, watchCount: 0 };

export interface Upgrade {
	incoming: IncomingMessage;
	socket: Duplex;
	head: Uint8Array;
	user: User | undefined;
	connections?: WatchConnections | undefined;
}

/** Never throws: errors are sent on the socket. */
export async function upgrade(
	handle: Handler,
	{ incoming, socket, head, user, connections = uncounted }: Upgrade,
): Promise<void> {
	const gone = new AbortController();
	socket.once("close", () => gone.abort(new Error("the client is gone")));
	try {
		const problem = headProblem(incoming);
		if (problem !== undefined) throw new ApiError("BadRequest", problem);
		const response = await handle(requestFrom(incoming, user, gone.signal));
		if (response.type === "connection") pass(incoming, socket, head, response);
		else if (response.type === "object") answerUpgrade(socket, response);
		else if (isWebSocket(incoming)) {
			// Loaded on first use: most servers never need it.
			const { answerOverWebSocket } = await import("./stream-over-websocket.ts");
			answerOverWebSocket(response, { incoming, socket, head, connections });
		} else throw new ApiError("BadRequest", "this resource cannot be upgraded");
	} catch (error) {
		refuseUpgrade(socket, error);
	}
}

function pass(
	incoming: IncomingMessage,
	socket: Duplex,
	head: Uint8Array,
	{ connection, path, host, identity }: Extract<ApiResponse, { type: "connection" }>,
): void {
	if (socket.destroyed) {
		connection.destroy();
		return;
	}
	connection.write(requestHead(incoming, path, host, identity), "latin1");
	if (head.length > 0) connection.write(head);
	join(socket, connection, isWebSocket(incoming));
}

/** The request that is sent on, without the user's credentials. */
function requestHead(incoming: IncomingMessage, path: string, host = "localhost", identity: Identity = {}): string {
	const lines = [`${incoming.method} ${path} HTTP/1.1`, `Host: ${host}`];
	const { rawHeaders } = incoming;
	for (let index = 0; index < rawHeaders.length; index += 2) {
		const name = rawHeaders[index] ?? "";
		if (/^(host|authorization|impersonate-.*|x-remote-.*)$/i.test(name)) continue;
		if (Object.hasOwn(identity, name.toLowerCase())) continue;
		const value = rawHeaders[index + 1] ?? "";
		lines.push(`${name}: ${/^sec-websocket-protocol$/i.test(name) ? withoutToken(value) : value}`);
	}
	for (const [name, values] of Object.entries(identity))
		for (const value of typeof values === "string" ? [values] : values) lines.push(`${name}: ${value}`);
	return `${lines.join("\r\n")}\r\n\r\n`;
}

type Identity = NonNullable<Extract<ApiResponse, { type: "connection" }>["identity"]>;

/** Pipes both directions with backpressure, until both ends have ended or one fails. */
function join(client: Duplex, other: Duplex, inFrames: boolean): void {
	// A disconnect is not detected while the connection is not read.
	if (client instanceof Socket) client.setTimeout(idleMs, () => client.destroy());
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
		upgrade: true,
		...(user === undefined ? {} : { user }),
	};
}
