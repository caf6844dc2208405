/**
 * Calls of webhooks: JSON by POST to a URL, or to a service through the cluster's own network. Admission and the
 * conversion of custom resources use it.
 */
import type { IncomingMessage } from "node:http";
import { Agent, type RequestOptions, request } from "node:https";
import { connect, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { ApiError, messageOf } from "../../core/errors.ts";
import type { Reach } from "./agent.ts";
import { connectTo, serviceEndpoint } from "./endpoints.ts";

/** Where a webhook is (`WebhookClientConfig`): a service or a URL, and who signs its certificate. */
export interface WebhookClientConfig {
	/** Certificates in PEM, in base64. Default: the system's authorities. */
	caBundle?: string;
	service?: { namespace: string; name: string; path?: string; port?: number };
	url?: string;
}

/** No answer of a webhook is larger: three times the largest object. */
const longestAnswerBytes = 10 * 1024 * 1024;
const mostConnections = 16;
const idleMs = 30_000;
/** How much of an unexpected answer an error shows. */
const shownBytes = 1024;

export class WebhookClient {
	readonly #server: Reach;
	readonly #target: URL;
	readonly #agent: Agent;

	/** @param config has been validated */
	constructor(server: Reach, config: WebhookClientConfig) {
		this.#server = server;
		const { service, url, caBundle } = config;
		this.#target = new URL(url ?? urlOf(service));
		const ca = caBundle === undefined ? undefined : Buffer.from(caBundle, "base64");
		this.#agent = new BackendAgent(ca, () => (service === undefined ? this.#dial() : this.#dialService(service)));
	}

	/**
	 * @returns the body of the answer
	 * @throws Error whose message names the URL and says what is wrong with the answer, or why there is none
	 */
	async post(body: Uint8Array, timeoutMs: number, signal?: AbortSignal): Promise<Buffer> {
		const { clock, options } = this.#server;
		const url = new URL(this.#target);
		url.searchParams.set("timeout", `${Math.ceil(timeoutMs / 1000)}s`);
		const ending = new AbortController();
		const stop = () => ending.abort(new Error("context canceled"));
		// The other end is outside, whatever time it is in the cluster.
		const timer = (options.wallClock ?? clock).after(timeoutMs, () =>
			ending.abort(new Error("context deadline exceeded")),
		);
		signal?.addEventListener("abort", stop, { once: true });
		try {
			if (signal?.aborted) stop();
			return await this.#exchange(url, body, ending.signal);
		} catch (error) {
			const why = ending.signal.aborted ? ending.signal.reason : error;
			if (why instanceof UnexpectedAnswer) throw why;
			throw new Error(`Post ${JSON.stringify(url.href)}: ${reasonOf(why)}`);
		} finally {
			timer.cancel();
			signal?.removeEventListener("abort", stop);
		}
	}

	close(): void {
		this.#agent.destroy();
	}

	async #exchange(url: URL, body: Uint8Array, signal: AbortSignal): Promise<Buffer> {
		for (let attempt = 0; ; attempt++) {
			let reused = false;
			try {
				const response = await new Promise<IncomingMessage>((resolve, reject) => {
					const headers = { "content-type": "application/json", "content-length": body.length };
					const sent = request(url, { method: "POST", headers, agent: this.#agent, signal }, resolve);
					// Without a listener, nothing would follow.
					sent.once("upgrade", ({ statusCode = 0 }, socket) => {
						socket.destroy();
						reject(new UnexpectedAnswer(statusText(statusCode, Buffer.alloc(0))));
					});
					sent.once("error", (error) => {
						reused = sent.reusedSocket;
						reject(error);
					});
					sent.end(body);
				});
				return await answerOf(response);
			} catch (error) {
				// The other end may close an idle connection in the moment in which it is used again.
				if (attempt > 0 || !reused || signal.aborted) throw error;
			}
		}
	}

	async #dial(): Promise<Duplex> {
		const { hostname, port } = this.#target;
		return dialed(hostname.replace(/^\[(.*)\]$/, "$1"), port === "" ? 443 : Number(port));
	}

	async #dialService({ namespace, name, port = 443 }: NonNullable<WebhookClientConfig["service"]>): Promise<Duplex> {
		const endpoint = serviceEndpoint(this.#server, namespace, name, String(port));
		if ("pod" in endpoint) return connectTo(this.#server, endpoint);
		const { address, port: number } = endpoint;
		return this.#server.options.dialAddress?.(address, number) ?? dialed(address, number);
	}
}

function urlOf(service: WebhookClientConfig["service"]): string {
	const { namespace = "", name = "", path = "", port = 443 } = service ?? {};
	return `https://${name}.${namespace}.svc:${port}${path}`;
}

function dialed(host: string, port: number): Promise<Duplex> {
	return new Promise((resolve, reject) => {
		const socket = connect({ host, port });
		socket.once("error", reject);
		socket.once("connect", () => {
			socket.off("error", reject);
			resolve(socket);
		});
	});
}

/** Keeps connections that are not needed now. */
class BackendAgent extends Agent {
	readonly #ca: Buffer | undefined;
	readonly #connect: () => Promise<Duplex>;

	constructor(ca: Buffer | undefined, connectBackend: () => Promise<Duplex>) {
		super({ keepAlive: true, maxSockets: mostConnections, timeout: idleMs, scheduling: "lifo" });
		this.#ca = ca;
		this.#connect = connectBackend;
	}

	override createConnection(
		options: RequestOptions,
		callback?: (error: Error | null, stream: Duplex) => void,
	): Duplex | null | undefined {
		const { hostname, host } = options;
		const name = hostname ?? host ?? "";
		const servername = isIP(name) === 0 ? name : "";
		const none = undefined as never;
		this.#connect().then(
			(connection) => {
				const secure = connectTls({ socket: connection, servername, ca: this.#ca, host: name });
				// Failures before a request has the connection are its failures; later ones are reported by the request.
				const fail = (error: Error) => callback?.(error, none);
				secure.once("error", fail);
				// Also while nobody waits any more.
				secure.setTimeout(idleMs, () => secure.destroy(new Error("TLS handshake timeout")));
				secure.once("secureConnect", () => {
					secure.off("error", fail);
					callback?.(null, secure);
				});
			},
			(error: unknown) => callback?.(error instanceof Error ? error : new Error(messageOf(error)), none),
		);
		return undefined;
	}
}

/** An answer that is none of a webhook. */
class UnexpectedAnswer extends Error {}

async function answerOf(response: IncomingMessage): Promise<Buffer> {
	const parts: Buffer[] = [];
	let length = 0;
	for await (const part of response) {
		length += part.length;
		if (length > longestAnswerBytes) {
			response.destroy();
			throw new Error(`the answer is larger than ${longestAnswerBytes} bytes`);
		}
		parts.push(part);
	}
	const body = Buffer.concat(parts);
	const { statusCode = 0 } = response;
	if (statusCode >= 200 && statusCode < 300) return body;
	throw new UnexpectedAnswer(statusText(statusCode, body));
}

/** In the words of client-go. */
function statusText(status: number, body: Buffer): string {
	if (status === 401) return "the server has asked for the client to provide credentials";
	if (status === 404) return "the server could not find the requested resource";
	if (status === 405) return "the server does not allow this method on the requested resource";
	if (status === 429) return "the server has received too many requests and has asked us to try again later";
	if (status === 503) return "the server is currently unable to handle the request";
	const text = body.subarray(0, shownBytes).toString().trim();
	if (status >= 500)
		return `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding`;
	if (text === "") return `the server responded with the status code ${status} but did not return more information`;
	return `the server rejected our request for an unknown reason (${status}): ${text}`;
}

const untrusted = new Set([
	"DEPTH_ZERO_SELF_SIGNED_CERT",
	"SELF_SIGNED_CERT_IN_CHAIN",
	"UNABLE_TO_GET_ISSUER_CERT",
	"UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
	"UNABLE_TO_VERIFY_LEAF_SIGNATURE",
	"CERT_SIGNATURE_FAILURE",
]);

/** In Go's words, by which people look for it. */
function reasonOf(error: unknown): string {
	if (error instanceof ApiError) return error.message;
	const { code, syscall, address, port, hostname } = error as NodeJS.ErrnoException & {
		address?: string;
		port?: number;
		hostname?: string;
	};
	const unverified = "tls: failed to verify certificate: x509: ";
	if (code === undefined) return messageOf(error);
	if (untrusted.has(code)) return `${unverified}certificate signed by unknown authority`;
	if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID")
		return `${unverified}certificate has expired or is not yet valid`;
	if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `${unverified}${messageOf(error)}`;
	if (code === "ECONNREFUSED" && syscall === "connect")
		return `dial tcp ${isIP(address ?? "") === 6 ? `[${address}]` : address}:${port}: connect: connection refused`;
	if (code === "ENOTFOUND") return `dial tcp: lookup ${hostname}: no such host`;
	if (code === "ECONNRESET") return "EOF";
	return messageOf(error);
}
