/** Carries requests over HTTPS, HTTP or a Unix socket, on persistent connections. */
import { type ClientRequest, Agent as HttpAgent, request as httpRequest, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { ApiError, asError } from "../../core/errors.ts";
import type { ApiRequest, ApiResponse, ServedWatchEvent, WatchEvent } from "../../core/exchange.ts";
import { deepFreeze } from "../../core/object.ts";
import { type Clock, systemClock } from "../../core/time/clock.ts";
import type { Transport } from "../client.ts";
import type { Answered } from "./client-metrics.ts";
import { lineSplitter } from "./lines.ts";

export interface HttpTransportOptions {
	/**
	 * `https://host:port` (or http). With `socketPath` only its scheme and host name are used; default
	 * `http://localhost`.
	 */
	server?: string;
	socketPath?: string;
	/** PEM. Without `ca`, the machine's certificate authorities are trusted. */
	ca?: string | Buffer;
	cert?: string | Buffer;
	key?: string | Buffer;
	/** A bearer token, or a function that returns the current one. */
	token?: string | (() => string);
	/** The longest wait for a response to begin. Default 60 s. It does not limit the duration of watches and streams. */
	timeoutMs?: number;
	/** Connections for ordinary requests; each watch or stream has a connection of its own. Default 32. */
	connections?: number;
	clock?: Clock;
	/** Called for each request, including watches. */
	answered?: Answered;
}

const largestAnswerBytes = 512 * 1024 * 1024;
const decoder = new TextDecoder();

/** @returns a transport that connects on first use */
export function httpTransport(options: HttpTransportOptions): Transport {
	return new HttpTransport(options);
}

type Sent = Omit<ApiRequest, "user">;

class HttpTransport implements Transport {
	readonly #options: HttpTransportOptions;
	readonly #clock: Clock;
	readonly #base: URL;
	readonly #pool: HttpAgent;
	/** For watches and streams: one connection for each. */
	readonly #lasting: HttpAgent;
	readonly #running = new Set<ClientRequest>();
	#closed = false;

	constructor(options: HttpTransportOptions) {
		this.#options = options;
		this.#clock = options.clock ?? systemClock({ unref: true });
		this.#base = new URL(options.server ?? "http://localhost");
		const { ca, cert, key } = options;
		const secure = this.#base.protocol === "https:";
		const create = (maxSockets: number): HttpAgent => {
			const common = { keepAlive: true, keepAliveMsecs: 30_000, maxSockets, maxFreeSockets: 8, timeout: 0 };
			return secure ? new HttpsAgent({ ...common, ca, cert, key, maxCachedSessions: 16 }) : new HttpAgent(common);
		};
		this.#pool = create(options.connections ?? 32);
		this.#lasting = create(Number.POSITIVE_INFINITY);
	}

	async send(request: Sent): Promise<ApiResponse> {
		const watch = request.query.get("watch") === "true";
		try {
			return await this.#once(request, watch);
		} catch (error) {
			// The server may close a persistent connection just when it is used again; repeating a read does no harm.
			if (error instanceof StaleConnection && request.method === "GET") return this.#once(request, watch);
			throw error instanceof StaleConnection ? error.apiError : error;
		}
	}

	async close(): Promise<void> {
		this.#closed = true;
		for (const request of this.#running) request.destroy();
		this.#pool.destroy();
		this.#lasting.destroy();
	}

	#once(sent: Sent, watch: boolean): Promise<ApiResponse> {
		if (this.#closed) return Promise.reject(new ApiError("ServiceUnavailable", "the client is closed"));
		if (sent.signal.aborted) return Promise.reject(new ApiError("ServiceUnavailable", "the request was given up"));
		const body = encodeBody(sent.body);
		const query = sent.query.toString();
		const lasting = watch || sent.query.get("follow") === "true";
		return new Promise((resolve, reject) => {
			const request = this.#open(sent, query === "" ? sent.path : `${sent.path}?${query}`, body, lasting);
			const state = { connected: false, reused: false, timedOut: false };
			const timeoutMs = this.#options.timeoutMs ?? 60_000;
			const begunMs = this.#clock.monotonicMs();
			let isAnswered = false;
			const answered = (status: number | undefined) => {
				// A response that breaks off later has still been counted.
				if (!isAnswered)
					this.#options.answered?.(sent.method, this.#base.host, status, this.#clock.monotonicMs() - begunMs);
				isAnswered = true;
			};
			const timer = this.#clock.after(timeoutMs, () => {
				state.timedOut = true;
				request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`));
			});
			const abort = () => request.destroy(new Error("the request was given up"));
			const finish = () => {
				timer.cancel();
				sent.signal.removeEventListener("abort", abort);
				this.#running.delete(request);
			};
			this.#running.add(request);
			sent.signal.addEventListener("abort", abort, { once: true });
			request.once("socket", (socket) => {
				state.reused = request.reusedSocket;
				state.connected = !socket.connecting;
				// A request that waited for a connection gets one that is connected, though none that counts as reused.
				if (state.connected) return;
				socket.once(this.#base.protocol === "https:" ? "secureConnect" : "connect", () => (state.connected = true));
			});
			const fail = (error: Error) => {
				finish();
				answered(undefined);
				reject(failure(error, state, `${sent.method} ${sent.path}`));
			};
			request.once("error", fail);
			// Nobody has asked for it. Without a listener, nothing would follow.
			request.once("upgrade", (_response, socket) => {
				socket.destroy();
				fail(new Error("unexpected switch to another protocol"));
			});
			request.once("response", (response) => {
				timer.cancel();
				answered(response.statusCode);
				response.once("close", finish);
				this.#receive(sent, response, watch).then(resolve, (error: unknown) => {
					response.destroy();
					// The server received the request: it is unknown whether it took effect.
					reject(error instanceof ApiError ? error : new ApiError("Timeout", `${sent.path}: ${String(error)}`));
				});
			});
			request.end(body);
		});
	}

	#open(sent: Sent, path: string, body: Buffer | undefined, lasting: boolean): ClientRequest {
		const { socketPath, ca, cert, key } = this.#options;
		const token = typeof this.#options.token === "function" ? this.#options.token() : this.#options.token;
		const headers: Record<string, string | number> = {};
		for (const [name, value] of Object.entries(sent.headers)) if (value !== undefined) headers[name] = value;
		if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
		if (body !== undefined) headers["content-length"] = body.length;
		const common = {
			method: sent.method,
			path: this.#base.pathname === "/" ? path : this.#base.pathname.replace(/\/$/, "") + path,
			headers,
			agent: lasting ? this.#lasting : this.#pool,
			host: this.#base.hostname.replace(/^\[|\]$/g, ""),
			// Without a name for TLS, which Node.js would look for with an expression that takes 5 ms to compile.
			...(socketPath === undefined ? { port: this.#base.port } : { socketPath, servername: "" }),
		};
		return this.#base.protocol === "https:" ? httpsRequest({ ...common, ca, cert, key }) : httpRequest(common);
	}

	async #receive(sent: Sent, response: IncomingMessage, watch: boolean): Promise<ApiResponse> {
		const status = response.statusCode ?? 500;
		const headers: Record<string, string> = {};
		for (const [name, value] of Object.entries(response.headers)) headers[name] = String(value);
		if (watch && status === 200) return watchResponse(response, headers, sent.signal);
		if (!(headers["content-type"] ?? "").startsWith("application/json")) {
			return { type: "stream", status, headers, body: response };
		}
		const bytes = await readAll(response);
		return { type: "object", status, headers, object: parse(bytes), bytes: () => bytes };
	}
}

class StaleConnection extends Error {
	readonly apiError: ApiError;

	constructor(apiError: ApiError) {
		super(apiError.message);
		this.apiError = apiError;
	}
}

/** Determines from a network error whether the server may have processed the request. */
function failure(error: Error, state: { connected: boolean; reused: boolean; timedOut: boolean }, what: string): Error {
	if (!state.connected) return new ApiError("ServiceUnavailable", `${what}: cannot reach the server: ${error.message}`);
	const uncertain = new ApiError("Timeout", `${what}: no answer from the server: ${error.message}`);
	return state.reused && !state.timedOut ? new StaleConnection(uncertain) : uncertain;
}

function encodeBody(body: ApiRequest["body"]): Buffer | undefined {
	if (body === undefined) return undefined;
	return "bytes" in body ? Buffer.from(body.bytes) : Buffer.from(JSON.stringify(body.object));
}

async function readAll(response: IncomingMessage): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let byteCount = 0;
	for await (const chunk of response) {
		byteCount += chunk.length;
		if (byteCount > largestAnswerBytes) throw new ApiError("InternalError", `answer over ${largestAnswerBytes} bytes`);
		chunks.push(chunk);
	}
	if (!response.complete) throw new ApiError("Timeout", "the connection was cut in the middle of the answer");
	return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function parse(bytes: Uint8Array): unknown {
	try {
		return JSON.parse(decoder.decode(bytes));
	} catch {
		throw new ApiError("InternalError", "the server's answer is not JSON");
	}
}

const noBytes = new Uint8Array(0);

function watchResponse(
	response: IncomingMessage,
	headers: Record<string, string>,
	signal: AbortSignal,
): ApiResponse & { type: "watch" } {
	return {
		type: "watch",
		status: 200,
		headers,
		start(sink) {
			let over = false;
			const end = (error?: Error) => {
				if (over) return;
				over = true;
				if (!signal.aborted) sink.end(error);
				response.destroy();
			};
			const feed = lineSplitter((line) => {
				if (!over) sink.event(servedEvent(line));
			});
			response.on("data", (chunk: Buffer) => {
				try {
					feed(chunk);
				} catch (error) {
					end(asError(error));
				}
			});
			response.once("end", () => end());
			response.once("error", (error) => end(new ApiError("ServiceUnavailable", `the watch was cut: ${error.message}`)));
			response.once("close", () => end());
		},
	};
}

function servedEvent(line: string): ServedWatchEvent {
	let event: WatchEvent;
	try {
		// The watch format of the API: one JSON object with type and object per line.
		event = JSON.parse(line) as WatchEvent;
	} catch {
		throw new ApiError("InternalError", "a watch event is not JSON");
	}
	const revision = Number(event.object.metadata?.resourceVersion ?? 0);
	return { type: event.type, object: deepFreeze(event.object), revision, bytes: noBytes };
}
