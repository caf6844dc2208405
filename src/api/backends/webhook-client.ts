/**
 * Calls of webhooks: JSON by POST to a URL, or to a service through the cluster's own network. Admission and the
 * conversion of custom resources use it.
 */
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { isIP } from "node:net";
import { ApiError, messageOf } from "../../core/errors.ts";
import type { Reach } from "./agent.ts";
import { connectToService, dialMachine } from "./endpoints.ts";
import { TlsAgent } from "./tls-agent.ts";

/** The address of a webhook (`WebhookClientConfig`): a service or a URL, and the authorities for its certificate. */
export interface WebhookClientConfig {
	/** Certificates in PEM, in base64. Default: the system's authorities. */
	caBundle?: string;
	service?: { namespace: string; name: string; path?: string; port?: number };
	url?: string;
}

/** The limit for responses of webhooks: three times the largest object. */
const longestAnswerBytes = 10 * 1024 * 1024;
const mostConnections = 16;
/** How much of an unexpected response an error shows. */
const shownBytes = 1024;

export class WebhookClient {
	readonly #server: Reach;
	readonly #target: URL;
	readonly #agent: TlsAgent;

	/** @param config has been validated */
	constructor(server: Reach, config: WebhookClientConfig) {
		this.#server = server;
		const { service, url, caBundle } = config;
		this.#target = new URL(url ?? urlOf(service));
		const ca = caBundle === undefined ? undefined : Buffer.from(caBundle, "base64");
		const { hostname, port } = this.#target;
		const dial = () =>
			service === undefined
				? dialMachine(hostname.replace(/^\[(.*)\]$/, "$1"), port === "" ? 443 : Number(port))
				: connectToService(server, service);
		this.#agent = new TlsAgent({ ca, most: mostConnections, dial });
	}

	/**
	 * @returns the body of the answer
	 * @throws Error with the URL and the problem of the response, or the reason why there is none
	 */
	async post(body: Uint8Array, timeoutMs: number, signal?: AbortSignal): Promise<Buffer> {
		const { clock, options } = this.#server;
		const url = new URL(this.#target);
		url.searchParams.set("timeout", `${Math.ceil(timeoutMs / 1000)}s`);
		const ending = new AbortController();
		const stop = () => ending.abort(new Error("context canceled"));
		// The other end is outside the cluster, whose clock may be virtual.
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
				// The other end may close an idle connection at the moment when it is reused.
				if (attempt > 0 || !reused || signal.aborted) throw error;
			}
		}
	}
}

function urlOf(service: WebhookClientConfig["service"]): string {
	const { namespace = "", name = "", path = "", port = 443 } = service ?? {};
	return `https://${name}.${namespace}.svc:${port}${path}`;
}

/** An invalid response. */
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

/** With client-go's wording. */
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

/** Why there is no response, with Go's wording, which people search for. */
export function reasonOf(error: unknown): string {
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
