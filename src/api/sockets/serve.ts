/** One request from a socket, over any protocol: reads the body, sends the response. */
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { ApiError } from "../../core/errors.ts";
import type { ApiRequest, ApiResponse, Handler, User } from "../../core/exchange.ts";
import { isTrue } from "../../core/selection/query.ts";
import { tooManyRequests } from "../request/flow.ts";
import { isMethod } from "../request/request-info.ts";
import { methodNotAllowed } from "../resources/target.ts";
import { errorResponse } from "../wire/respond.ts";
import type { Answers } from "./answers.ts";
import type { Presence } from "./presence.ts";
import { type Body, type BodyLimits, receiveBody } from "./receive-body.ts";
import type { Reply } from "./reply.ts";
import { serveWatch, type WatchConnections, type WatchReply } from "./serve-watch.ts";

export interface Incoming {
	method: string;
	/** Path and query. */
	target: string;
	headers: Record<string, string | undefined>;
	user: User | undefined;
	client: Presence;
	body: Body;
	/** An error in the request's head that Node does not detect. */
	problem?: string | undefined;
	/** The socket: a request without one comes from this process. */
	peer: NonNullable<ApiRequest["peer"]>;
}

/** Larger responses are compressed for clients that accept it; upstream's threshold. */
const compressedBytes = 128 * 1024;
/**
 * Larger responses are not indented: parsing and formatting them would block other requests.
 */
const prettyBytes = 4 * 1024 * 1024;
const compress = promisify(gzip);

export interface Limits extends BodyLimits {
	answers: Answers;
	connections: WatchConnections;
}

/** Never throws. */
export async function serve(handle: Handler, incoming: Incoming, reply: Reply, limits: Limits): Promise<void> {
	let response: ApiResponse;
	let bodyBytes = 0;
	const receive = async () => {
		const bytes = await receiveBody(incoming, limits);
		limits.bodies.take(bytes.length);
		bodyBytes = bytes.length;
		return bytes;
	};
	try {
		response = await handle(requestFrom(incoming, receive));
	} catch (error) {
		response = errorResponse(error);
	} finally {
		limits.bodies.give(bodyBytes);
	}
	try {
		if (incoming.client.isGone) return;
		if (response.type === "watch") serveWatch(response, inLines(reply), incoming.client, limits.connections);
		else if (response.type === "stream") await serveStream(response, reply, incoming.client);
		else if (response.type === "object") await serveObject(response, incoming, reply, limits);
	} catch {
		// The client is gone, or a proxied answer broke off in the middle: nothing more can be sent to it.
		reply.destroy();
	}
}

/** @throws ApiError */
function requestFrom(incoming: Incoming, receive: () => Promise<Uint8Array>): ApiRequest {
	const { method, problem } = incoming;
	if (!isMethod(method)) throw methodNotAllowed();
	if (problem !== undefined) throw new ApiError("BadRequest", problem);
	return new SocketRequest(method, incoming, method === "GET" || method === "HEAD" ? undefined : receive);
}

/** A class for the sake of the getter: one in an object literal makes each object a slow one, at 4 µs a request. */
class SocketRequest implements ApiRequest {
	readonly method: ApiRequest["method"];
	readonly path: string;
	readonly query: URLSearchParams;
	readonly headers: ApiRequest["headers"];
	readonly peer: ApiRequest["peer"];
	readonly user: User | undefined;
	readonly receive: (() => Promise<Uint8Array>) | undefined;
	body: ApiRequest["body"] = undefined;
	readonly #client: Presence;

	constructor(method: ApiRequest["method"], incoming: Incoming, receive: (() => Promise<Uint8Array>) | undefined) {
		const { target, headers, user, client, peer } = incoming;
		const cut = target.indexOf("?");
		this.method = method;
		this.path = cut < 0 ? target : target.slice(0, cut);
		this.query = new URLSearchParams(cut < 0 ? "" : target.slice(cut + 1));
		this.headers = headers;
		this.peer = peer;
		this.user = user;
		this.receive = receive;
		this.#client = client;
	}

	/** Made when someone asks for it: see Presence. */
	get signal(): AbortSignal {
		return this.#client.signal;
	}
}

async function serveObject(
	response: Extract<ApiResponse, { type: "object" }>,
	incoming: Incoming,
	reply: Reply,
	limits: Limits,
): Promise<void> {
	const { method, target, headers, client } = incoming;
	let parts = response.bytes();
	let byteCount = lengthOf(parts);
	const isJson = response.headers["content-type"]?.startsWith("application/json") === true;
	if (isJson && byteCount <= prettyBytes && wantsPretty(target, headers["user-agent"])) {
		parts = prettied(parts);
		byteCount = parts.length;
	}
	const head = { ...response.headers };
	if (method === "GET" && byteCount > compressedBytes && headers["accept-encoding"]?.includes("gzip")) {
		const whole = parts instanceof Uint8Array ? parts : Buffer.concat(parts, byteCount);
		parts = await compress(whole, { level: constants.Z_BEST_SPEED });
		byteCount = parts.length;
		head["content-encoding"] = "gzip";
		head["vary"] = "Accept-Encoding";
	}
	const isEmpty = method === "HEAD" || response.status === 304;
	// A refusal is small, and is not refused itself.
	if (!limits.answers.add(isEmpty ? 0 : byteCount, client, reply.destroy)) {
		const refusal = errorResponse(tooManyRequests());
		if (refusal.type === "object") await serveObject(refusal, incoming, reply, limits);
		return;
	}
	if (response.status !== 304) head["content-length"] = String(byteCount);
	if (isEmpty) reply.answer(response.status, head);
	else reply.answer(response.status, head, parts instanceof Uint8Array ? parts : Buffer.concat(parts, byteCount));
}

/** Requested, or for people: browsers and command-line downloaders, as upstream. */
function wantsPretty(target: string, userAgent = ""): boolean {
	const cut = target.indexOf("?");
	const wish = cut < 0 || !target.includes("pretty") ? null : new URLSearchParams(target.slice(cut)).get("pretty");
	if (wish !== null) return isTrue(wish);
	return userAgent.startsWith("curl") || userAgent.startsWith("Wget") || userAgent.startsWith("Mozilla/5.0");
}

function lengthOf(parts: Uint8Array | readonly Uint8Array[]): number {
	if (parts instanceof Uint8Array) return parts.length;
	let byteCount = 0;
	for (const { length } of parts) byteCount += length;
	return byteCount;
}

function prettied(parts: Uint8Array | readonly Uint8Array[]): Uint8Array {
	const text = Buffer.concat(parts instanceof Uint8Array ? [parts] : parts).toString();
	return Buffer.from(`${JSON.stringify(JSON.parse(text), undefined, 2)}\n`);
}

async function serveStream(
	response: Extract<ApiResponse, { type: "stream" }>,
	reply: Reply,
	client: Presence,
): Promise<void> {
	reply.head(response.status, response.headers);
	for await (const chunk of response.body) {
		if (client.isGone) return;
		if (!reply.write(chunk)) await reply.drained();
	}
	reply.end();
}

/** Lines in one write: only then are shared lines copied. */
function inLines(reply: Reply): WatchReply {
	return {
		head: reply.head,
		writeLines(lines) {
			const [first] = lines;
			return reply.write(lines.length === 1 && first !== undefined ? first : Buffer.concat(lines));
		},
		drained: reply.drained,
		end: () => reply.end(),
		destroy: reply.destroy,
		bufferedBytes: reply.bufferedBytes,
	};
}
