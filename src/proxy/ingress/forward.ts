/**
 * Forwards requests to one of several endpoints. What a request is, Node's parser decides, which is strict: a message
 * with contradicting lengths gets no further. Headers between a client and this proxy are not forwarded, and those that
 * tell a backend of the client are replaced.
 */
import {
	type Agent,
	type ClientRequest,
	type IncomingMessage,
	type OutgoingHttpHeaders,
	request,
	type ServerResponse,
	STATUS_CODES,
} from "node:http";
import type { Socket } from "node:net";
import { pipeline } from "node:stream";
import type { Endpoint } from "./backends.ts";

const connectMs = 5_000;
/** From the end of a request to the beginning of the answer. */
const answerMs = 300_000;
/** Endpoints that are tried before a client gets an error. */
const mostAttempts = 3;

/** RFC 9110, 7.6.1, and what is replaced or was only for this proxy. */
const notForwarded = new Set([
	"connection",
	"expect",
	"forwarded",
	"host",
	"http2-settings",
	"keep-alive",
	"proxy-authenticate",
	"proxy-authorization",
	"proxy-connection",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
	"x-forwarded-for",
	"x-forwarded-host",
	"x-forwarded-port",
	"x-forwarded-proto",
	"x-real-ip",
]);

export interface Forwarding {
	endpoints: readonly Endpoint[];
	/** Path and query, as the client sent them. */
	target: string;
	/** As the client sent it. */
	host: string;
	protocol: "http" | "https";
	agent: Agent;
}

export function forwardRequest(incoming: IncomingMessage, response: ServerResponse, forwarding: Forwarding): void {
	let asked: ClientRequest | undefined;
	const fail = (status: number, why: string) => {
		if (response.headersSent) response.destroy();
		else refuse(response, status, why);
	};
	attempt(0);
	response.once("close", () => {
		if (!response.writableFinished) asked?.destroy();
	});

	function attempt(index: number): void {
		const endpoint = forwarding.endpoints[index];
		if (endpoint === undefined) {
			fail(502, noConnection);
			return;
		}
		const sent = send(incoming, endpoint, forwarding, requestHeaders(incoming, forwarding));
		asked = sent;
		let begun = false;
		whenConnected(sent, () => {
			begun = true;
			// Not a pipeline, which would close the client's connection with the backend's.
			if (incoming.readableEnded) sent.end();
			else incoming.pipe(sent);
		});
		let isOver = false;
		const end = (error?: Error) => {
			if (isOver) return;
			isOver = true;
			incoming.unpipe(sent);
			if (response.destroyed) return;
			const last = index + 1 >= Math.min(forwarding.endpoints.length, mostAttempts);
			if (!begun && !last) attempt(index + 1);
			// The backend closed a connection that was kept, at the same moment.
			else if (begun && sent.reusedSocket && !response.headersSent && isRepeatable(incoming)) attempt(index);
			else if (error instanceof TimeoutError) fail(504, "the backend does not answer in time");
			else fail(502, begun ? "the backend closed the connection" : noConnection);
		};
		sent.once("timeout", () => sent.destroy(new TimeoutError()));
		sent.on("error", end);
		// Without an error if the backend changes the protocol, which nobody has asked for.
		sent.once("close", () => response.headersSent || end());
		sent.once("response", (answer) => {
			sent.setTimeout(0);
			try {
				response.writeHead(answer.statusCode ?? 502, answer.statusMessage, endToEnd(answer));
			} catch {
				sent.destroy();
				fail(502, "the backend's answer is not valid");
				return;
			}
			passOn(answer, response);
		});
	}
}

/** Not a pipeline, which takes a tenth of the time of a short request. */
function passOn(answer: IncomingMessage, response: ServerResponse): void {
	let hasBegun = false;
	answer.once("data", () => {
		hasBegun = true;
	});
	answer.once("close", () => {
		if (!answer.complete) response.destroy();
	});
	answer.on("error", () => response.destroy());
	answer.pipe(response);
	// With the first bytes, unless there are none for now, as in an event stream.
	setImmediate(() => {
		if (!hasBegun && !response.writableEnded) response.flushHeaders();
	});
}

/** @param head what the client sent after its request */
export function forwardUpgrade(incoming: IncomingMessage, client: Socket, head: Buffer, forwarding: Forwarding): void {
	const headers = { ...requestHeaders(incoming, forwarding), connection: "Upgrade", upgrade: incoming.headers.upgrade };
	const [endpoint] = forwarding.endpoints;
	client.on("error", () => {});
	if (endpoint === undefined) {
		refuseUpgrade(client, 502, noConnection);
		return;
	}
	const sent = send(incoming, endpoint, forwarding, headers);
	client.once("close", () => sent.destroy());
	sent.once("timeout", () => sent.destroy(new TimeoutError()));
	sent.on("error", () => refuseUpgrade(client, 502, "the backend does not accept the connection"));
	sent.once("response", (answer) => {
		const status = answer.statusCode ?? 502;
		client.write(headText(status, answer.statusMessage, { ...endToEnd(answer), connection: "close" }), "latin1");
		pipeline(answer, client, () => client.destroy());
	});
	sent.once("upgrade", (answer, backend: Socket, first: Buffer) => {
		backend.setTimeout(0);
		const agreed = { ...endToEnd(answer), connection: "Upgrade", upgrade: answer.headers.upgrade };
		client.write(headText(101, answer.statusMessage, agreed), "latin1");
		client.write(first);
		backend.write(head);
		pipeline(client, backend, client, () => {
			client.destroy();
			backend.destroy();
		});
	});
	sent.end();
}

/** A response of this proxy itself. */
export function refuse(response: ServerResponse, status: number, why: string): void {
	// Bodies that nobody reads would be taken for the next request.
	response.writeHead(status, STATUS_CODES[status], {
		"content-type": "text/plain; charset=utf-8",
		connection: "close",
	});
	response.end(`${status} ${STATUS_CODES[status]}: ${why}\n`);
}

export function refuseUpgrade(client: Socket, status: number, why: string): void {
	if (client.destroyed || client.bytesWritten > 0) {
		client.destroy();
		return;
	}
	const text = `${status} ${STATUS_CODES[status]}: ${why}\n`;
	const headers = { "content-type": "text/plain; charset=utf-8", "content-length": text.length, connection: "close" };
	client.end(headText(status, undefined, headers) + text);
}

const noConnection = "no endpoint of the backend accepts connections";

class TimeoutError extends Error {}

function send(
	incoming: IncomingMessage,
	{ address, port }: Endpoint,
	{ target, agent }: Forwarding,
	headers: OutgoingHttpHeaders,
): ClientRequest {
	const upgrades = headers["upgrade"] !== undefined;
	return request({
		host: address,
		port,
		method: incoming.method,
		path: target,
		headers,
		setHost: false,
		timeout: answerMs,
		agent: upgrades ? false : agent,
	});
}

function whenConnected(sent: ClientRequest, connected: () => void): void {
	sent.once("socket", (socket) => {
		if (!socket.connecting) {
			connected();
			return;
		}
		socket.setTimeout(connectMs);
		socket.once("connect", () => {
			socket.setTimeout(answerMs);
			connected();
		});
	});
}

function requestHeaders(incoming: IncomingMessage, { host, protocol }: Forwarding): OutgoingHttpHeaders {
	const { localPort, remoteAddress: client = "" } = incoming.socket;
	const hasBody = incoming.headers["transfer-encoding"] !== undefined;
	return {
		host,
		...endToEnd(incoming),
		...(hasBody ? { "transfer-encoding": "chunked" } : {}),
		"x-forwarded-for": client,
		"x-forwarded-host": host,
		"x-forwarded-port": String(localPort),
		"x-forwarded-proto": protocol,
		"x-real-ip": client,
	};
}

/**
 * In their order, and repeated ones as such. The length of a body is never left out, whatever `Connection` says: the rest
 * of the body would be the backend's next request. Some backends take `_` in a name for `-`.
 */
function endToEnd({ rawHeaders, headers }: IncomingMessage): Record<string, string | string[]> {
	const named = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
	const kept: Record<string, string | string[]> = Object.create(null);
	for (let at = 0; at < rawHeaders.length; at += 2) {
		const name = (rawHeaders[at] ?? "").toLowerCase();
		const value = rawHeaders[at + 1] ?? "";
		if (notForwarded.has(name.replaceAll("_", "-"))) continue;
		if (named.includes(name) && name !== "content-length") continue;
		const before = kept[name];
		kept[name] = before === undefined ? value : [before, value].flat();
	}
	return kept;
}

/** Nothing was lost with it, and nothing is done twice (RFC 9110, 9.2.2). */
function isRepeatable({ method = "", headers }: IncomingMessage): boolean {
	const empty = headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0;
	return empty && ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"].includes(method);
}

function headText(status: number, message: string | undefined, headers: OutgoingHttpHeaders): string {
	const lines = Object.entries(headers).flatMap(([name, value]) =>
		value === undefined ? [] : [value].flat().map((one) => `${name}: ${one}\r\n`),
	);
	return `HTTP/1.1 ${status} ${message ?? STATUS_CODES[status]}\r\n${lines.join("")}\r\n`;
}
