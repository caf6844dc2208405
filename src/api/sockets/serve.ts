/** One request from a socket, whatever protocol it came by: body in, answer out. */
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import { ApiError } from "../../core/errors.ts";
import type { ApiRequest, ApiResponse, Handler, User } from "../../core/exchange.ts";
import { isTrue } from "../../core/query.ts";
import { eventLine, SharedEvent } from "../cache/event.ts";
import { tooManyRequests } from "../flow.ts";
import { isMethod } from "../request-info.ts";
import { errorResponse } from "../respond.ts";
import { methodNotAllowed } from "../target.ts";
import type { Answers } from "./answers.ts";
import type { Connections } from "./connections.ts";
import { watchBacklogBytes } from "./limits.ts";
import type { Presence } from "./presence.ts";
import { type Body, type BodyLimits, receiveBody } from "./receive-body.ts";

/** The way back to the client. */
export interface Reply {
	head(status: number, headers: Record<string, string>): void;
	/** False when the client should be waited for. */
	write(bytes: Uint8Array): boolean;
	/** Resolves when the client has caught up, or is gone. */
	drained(): Promise<void>;
	end(bytes?: Uint8Array): void;
	/** Cuts the connection, or the stream. */
	destroy(): void;
	/** What the client has not taken yet. */
	readonly bufferedBytes: number;
}

export interface Incoming {
	method: string;
	/** Path and query. */
	target: string;
	headers: Record<string, string | undefined>;
	user: User | undefined;
	client: Presence;
	body: Body;
	/** What is wrong with the request's head, though Node could read it. */
	problem?: string | undefined;
	/** The socket. */
	peer: ApiRequest["peer"];
}

/** One write to a watcher has so much, or one event. */
const watchWriteBytes = 256 * 1024;
/** What a watcher may have left untaken without being waited for, which costs more than a write. */
const watchPatienceBytes = 64 * 1024;
/** Answers above this are compressed for those who can read it; upstream's threshold. */
const compressedBytes = 128 * 1024;
const compress = promisify(gzip);

export interface Limits extends BodyLimits {
	answers: Answers;
	connections: Pick<Connections, "addWatch" | "watchCount">;
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
		if (response.type === "watch") serveWatch(response, reply, incoming.client, limits);
		else if (response.type === "stream") await serveStream(response, reply, incoming.client);
		else if (response.type === "object") await serveObject(response, incoming, reply, limits);
	} catch {
		// The client is gone, or a proxied answer broke off in the middle: nothing more can be said to him.
		reply.destroy();
	}
}

/** @throws ApiError */
function requestFrom(incoming: Incoming, receive: () => Promise<Uint8Array>): ApiRequest {
	const { method, target, headers, user, client, peer, problem } = incoming;
	if (!isMethod(method)) throw methodNotAllowed();
	if (problem !== undefined) throw new ApiError("BadRequest", problem);
	const cut = target.indexOf("?");
	const hasBody = method !== "GET" && method !== "HEAD";
	return {
		method,
		path: cut < 0 ? target : target.slice(0, cut),
		query: new URLSearchParams(cut < 0 ? "" : target.slice(cut + 1)),
		headers,
		get signal() {
			return client.signal;
		},
		peer,
		...(user === undefined ? {} : { user }),
		...(hasBody ? { receive } : {}),
	};
}

async function serveObject(
	response: Extract<ApiResponse, { type: "object" }>,
	incoming: Incoming,
	reply: Reply,
	limits: Limits,
): Promise<void> {
	const { method, target, headers, client } = incoming;
	let parts = response.bytes();
	if (wantsPretty(target, headers["user-agent"]) && response.headers["content-type"]?.startsWith("application/json"))
		parts = prettied(parts);
	let byteCount = 0;
	if (parts instanceof Uint8Array) byteCount = parts.length;
	else for (const part of parts) byteCount += part.length;
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
	reply.head(response.status, head);
	if (isEmpty) {
		reply.end();
		return;
	}
	reply.end(parts instanceof Uint8Array ? parts : Buffer.concat(parts, byteCount));
}

/** Asked for, or for human eyes: upstream does the same for browsers and command-line downloaders. */
function wantsPretty(target: string, userAgent = ""): boolean {
	const cut = target.indexOf("?");
	const wish = cut < 0 || !target.includes("pretty") ? null : new URLSearchParams(target.slice(cut)).get("pretty");
	if (wish !== null) return isTrue(wish);
	return userAgent.startsWith("curl") || userAgent.startsWith("Wget") || userAgent.startsWith("Mozilla/5.0");
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

/**
 * Events of one turn of the event loop go out as one write. What a slow client has not taken waits as the lines that
 * all watchers share; only one write of it is a copy of its own.
 */
function serveWatch(
	response: Extract<ApiResponse, { type: "watch" }>,
	reply: Reply,
	client: Presence,
	{ connections }: Limits,
): void {
	let lines: Buffer[] = [];
	let queuedBytes = 0;
	let isFull = false;
	/** How much there is at the start: as long as a list, it does not count. Undefined until it is known. */
	let initialBytes: number | undefined;
	let over = false;
	let forget: (() => void) | undefined;
	const flush = () => {
		if (isFull) return;
		while (lines.length > 0 && !client.isGone) {
			const batch = firstBytes(lines, watchWriteBytes);
			lines = batch.length === lines.length ? [] : lines.slice(batch.length);
			const [first] = batch;
			const bytes = batch.length === 1 && first !== undefined ? first : Buffer.concat(batch);
			queuedBytes -= bytes.length;
			if (reply.write(bytes) || over || reply.bufferedBytes < watchPatienceBytes) continue;
			isFull = true;
			void reply.drained().then(() => {
				isFull = false;
				flush();
			});
			return;
		}
		initialBytes = 0;
	};
	const end = () => {
		if (over) return;
		over = true;
		forget?.();
		if (client.isGone) return;
		isFull = false;
		flush();
		reply.end();
	};
	const add = (line: Buffer) => {
		if (lines.length === 0 && !isFull) setImmediate(flush);
		lines.push(line);
		queuedBytes += line.length;
		if (initialBytes === undefined) return;
		// One event may be larger than all patience.
		const allowedBytes = initialBytes + watchBacklogBytes(connections.watchCount) + line.length;
		if (queuedBytes + reply.bufferedBytes <= allowedBytes) return;
		lines = [];
		reply.destroy();
	};
	reply.head(response.status, response.headers);
	forget = connections.addWatch(end);
	if (over) return;
	client.signal.addEventListener("abort", end, { once: true });
	response.start({
		event(event) {
			if (!over) add(event instanceof SharedEvent ? event.line : eventLine(event.type, event.bytes));
		},
		end(error) {
			if (error !== undefined && !over) {
				const status = error instanceof ApiError ? error : new ApiError("InternalError", error.message);
				add(eventLine("ERROR", Buffer.from(JSON.stringify(status.toStatus()))));
			}
			end();
		},
	});
	initialBytes = queuedBytes;
}

/** As many lines as fit, at least one. */
function firstBytes(lines: readonly Buffer[], limitBytes: number): readonly Buffer[] {
	let bytes = 0;
	for (const [index, line] of lines.entries()) {
		bytes += line.length;
		if (bytes > limitBytes && index > 0) return lines.slice(0, index);
	}
	return lines;
}
