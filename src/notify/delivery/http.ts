/** Sends requests to webhooks, only to addresses that may be reached. */
import { lookup as resolve } from "node:dns";
import http from "node:http";
import https from "node:https";
import { isIP, type LookupFunction, type Socket } from "node:net";
import { type Destinations, unlessAllowed } from "./destinations.ts";

export interface HttpAnswer {
	status: number;
	retryAfterMs?: number;
}

const timeoutMs = 15_000;
const mostRedirects = 3;
const mostAnswerBytes = 64 * 1024;
const mostConnections = 4;
const longestRetryAfterSeconds = 3600;

/** A failed attempt. The message contains only the host of a URL: the rest is secret. */
export class SendError extends Error {}

export class HttpSender {
	readonly #destinations: Destinations;
	readonly #http: http.Agent;
	readonly #https: https.Agent;

	constructor(destinations: Destinations) {
		this.#destinations = destinations;
		const options = { keepAlive: true, maxSockets: mostConnections, maxFreeSockets: 1, timeout: timeoutMs };
		this.#http = new http.Agent(options);
		this.#https = new https.Agent(options);
	}

	close(): void {
		this.#http.destroy();
		this.#https.destroy();
	}

	/** @throws SendError if there was no response */
	async post(url: URL, headers: Readonly<Record<string, string>>, body: string): Promise<HttpAnswer> {
		let at = url;
		for (let redirects = 0; ; redirects++) {
			const { status, location, retryAfterMs } = await this.#once(at, headers, body);
			if ((status !== 307 && status !== 308) || location === undefined)
				return { status, ...(retryAfterMs !== undefined && { retryAfterMs }) };
			const next = URL.canParse(location, at.href) ? new URL(location, at) : undefined;
			if (next?.origin !== url.origin) throw new SendError(`${url.hostname} sends it on to another host`);
			if (redirects >= mostRedirects) throw new SendError(`${url.hostname} sends it on again and again`);
			at = next;
		}
	}

	#once(
		url: URL,
		headers: Readonly<Record<string, string>>,
		body: string,
	): Promise<HttpAnswer & { location?: string | undefined }> {
		const guard = guardOf(this.#destinations, url);
		const isTls = url.protocol === "https:";
		return new Promise((done, failed) => {
			const problem = guard.literalProblem();
			if (problem !== undefined) {
				failed(new SendError(problem));
				return;
			}
			const fail = (error: Error) =>
				failed(error instanceof SendError ? error : new SendError(`${url.hostname}: ${reasonOf(error)}`));
			const request = (isTls ? https : http).request(
				url.href,
				{
					method: "POST",
					agent: isTls ? this.#https : this.#http,
					lookup: guard.lookup,
					headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
					// Real time, regardless of the cluster's clock: the receiver uses real time.
					signal: AbortSignal.timeout(timeoutMs),
				},
				(response) => {
					const { statusCode = 0, headers: got } = response;
					let bytes = 0;
					response.on("data", (chunk: Buffer) => {
						bytes += chunk.length;
						if (bytes > mostAnswerBytes) response.destroy();
					});
					const finish = () => done({ status: statusCode, location: got.location, ...retryAfter(got["retry-after"]) });
					response.once("close", finish);
					response.on("error", finish);
				},
			);
			request.once("socket", (socket) => watchAddress(socket, guard));
			// A second error must find a listener, too.
			request.on("error", fail);
			// Without a listener, nothing would follow.
			request.once("upgrade", ({ statusCode = 0 }, socket) => {
				socket.destroy();
				done({ status: statusCode });
			});
			request.end(body);
		});
	}
}

interface Guard {
	literalProblem(): string | undefined;
	lookup: LookupFunction;
	problemOf(address: string): string | undefined;
}

/** What may be reached with a URL. Without TLS, only what an administrator has allowed. */
export function guardOf(destinations: Destinations, url: URL, isSecure = url.protocol === "https:"): Guard {
	const host = url.hostname.replace(/^\[|\]$/g, "");
	const problemOf = (address: string) => {
		const problem = destinations.problemOf(host, address);
		if (problem !== undefined || isSecure || destinations.isAllowed(address)) return problem;
		return `${host} may only be reached by TLS, ${unlessAllowed}`;
	};
	const lookup: LookupFunction = (name, options, callback) => {
		resolve(name, { ...options, all: true }, (error, addresses) => {
			if (error !== null) {
				callback(error, "", 0);
				return;
			}
			const reachable = addresses.filter(({ address }) => problemOf(address) === undefined);
			const [first] = reachable;
			if (first === undefined)
				callback(new SendError(problemOf(addresses[0]?.address ?? "") ?? `${host} has no address`), "", 0);
			else if (options.all) callback(null, reachable);
			else callback(null, first.address, first.family);
		});
	};
	return { literalProblem: () => (isIP(host) === 0 ? undefined : problemOf(host)), lookup, problemOf };
}

const checkedSockets = new WeakSet<Socket>();

/** Checks the address that was connected to, regardless of the name or cache that led there. */
function watchAddress(socket: Socket, guard: Guard): void {
	// One connection serves many requests.
	if (checkedSockets.has(socket)) return;
	const check = () => {
		const problem = guard.problemOf(socket.remoteAddress ?? "");
		if (problem === undefined) checkedSockets.add(socket);
		else socket.destroy(new SendError(problem));
	};
	if (socket.connecting) socket.once("connect", check);
	else check();
}

function retryAfter(text: string | undefined): { retryAfterMs?: number } {
	const seconds = Number(text);
	if (text === undefined || !Number.isFinite(seconds) || seconds < 0) return {};
	return { retryAfterMs: Math.min(seconds, longestRetryAfterSeconds) * 1000 };
}

/** Error codes with explanations for users who do not know them. */
const connectionFailures: Readonly<Record<string, string>> = {
	ECONNREFUSED: "nothing listens there",
	ECONNRESET: "the connection was reset",
	ENOTFOUND: "there is no such host",
	EAI_AGAIN: "the name cannot be resolved now",
	EHOSTUNREACH: "there is no way to the host",
	ENETUNREACH: "there is no way to the network",
	ETIMEDOUT: "it does not answer",
	EPROTO: "it does not speak TLS there",
	CERT_HAS_EXPIRED: "its certificate has expired",
	DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is its own",
	SELF_SIGNED_CERT_IN_CHAIN: "its certificate's authority is not trusted",
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate's authority is not trusted",
	ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
};

export function reasonOf(error: unknown): string {
	if (!(error instanceof Error)) return "failed";
	if (error.name === "TimeoutError" || error.name === "AbortError") return `no answer within ${timeoutMs / 1000}s`;
	// An error for several addresses has no message of its own.
	const [first] = error instanceof AggregateError ? error.errors : [];
	if (first !== undefined) return reasonOf(first);
	const { code } = error as NodeJS.ErrnoException;
	if (typeof code !== "string") return "the connection failed";
	const words = connectionFailures[code];
	return words === undefined ? code : `${words} (${code})`;
}
