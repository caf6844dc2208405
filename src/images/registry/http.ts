/** HTTP to registries: TLS settings per host, proxies of the environment, redirects without credentials. */
import { readFileSync } from "node:fs";
import { Agent, type Dispatcher, EnvHttpProxyAgent, request } from "undici";
import { messageOf } from "../../core/errors.ts";
import type { Clock } from "../../core/time/clock.ts";
import { ImageFailure } from "../model/failure.ts";
import { isLoopback, isOnlyHere } from "./loopback.ts";
import { paced } from "./pace.ts";

/** Of one host; files are absolute paths. */
export interface TlsSettings {
	caFile?: string;
	certFile?: string;
	keyFile?: string;
	insecure?: boolean;
}

export interface HttpAnswer {
	status: number;
	header(name: string): string | undefined;
	/** To be read at once, or discarded. */
	body: AsyncIterable<Buffer>;
	discard(): Promise<void>;
	/** Where it was found in the end. */
	url: URL;
}

export interface HttpRequest {
	method?: "GET" | "HEAD" | "POST";
	headers?: Readonly<Record<string, string>>;
	body?: string;
	tls?: TlsSettings;
	/** Time to connect. */
	connectMs: number;
	clock: Clock;
	signal: AbortSignal;
}

const mostRedirects = 10;
const headersMs = 30_000;
/** Without any data. */
const silenceMs = 60_000;

/**
 * Sends a request and follows redirects. Credentials are not sent to another origin.
 * @throws ImageFailure `unreachable` if nobody answers
 */
export async function send(target: URL, options: HttpRequest): Promise<HttpAnswer> {
	let url = target;
	let headers = { ...options.headers };
	for (let count = 0; ; count++) {
		const response = await dispatch(url, { ...options, headers });
		const { statusCode: status, body } = response;
		const header = (name: string) => {
			const value = response.headers[name];
			return Array.isArray(value) ? value[0] : value;
		};
		const location = header("location");
		if (![301, 302, 303, 307, 308].includes(status) || location === undefined)
			return { status, header, body: paced(body, options.clock), discard: () => discard(body), url };
		await discard(body);
		if (count >= mostRedirects) throw new ImageFailure("failed", `${target.host} redirects too often`);
		const next = new URL(location, url);
		if (!["https:", url.protocol].includes(next.protocol) || !/^https?:$/.test(next.protocol))
			throw new ImageFailure("failed", `${url.host} redirects to ${next.protocol}//${next.host}, which is not safe`);
		if (isOnlyHere(next.hostname) && !isOnlyHere(url.hostname))
			throw new ImageFailure("refused", `${url.host} redirects to ${next.host}, which is this machine's own`);
		if (next.origin !== url.origin) {
			// A body is a token's.
			if (options.body !== undefined)
				throw new ImageFailure("failed", `${url.host} redirects a request with credentials to ${next.host}`);
			headers = without(headers, "authorization");
		}
		url = next;
	}
}

/** Reads a body that is expected to be small. */
export async function readBody(body: HttpAnswer["body"], most: number): Promise<Buffer> {
	const chunks: Buffer[] = [];
	let size = 0;
	for await (const chunk of body) {
		size += chunk.length;
		if (size > most) throw new ImageFailure("refused", `an answer of the registry has over ${most} bytes`);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks);
}

async function discard(body: Dispatcher.ResponseData["body"]): Promise<void> {
	await body.dump({ limit: 64 * 1024 }).catch(() => {});
}

async function dispatch(url: URL, options: HttpRequest): Promise<Dispatcher.ResponseData> {
	const { method = "GET", headers = {}, body, signal } = options;
	try {
		return await request(url, {
			method,
			headers: { ...headers, "user-agent": "coxswain" },
			...(body === undefined ? {} : { body }),
			dispatcher: dispatcherFor(url, options),
			headersTimeout: headersMs,
			bodyTimeout: silenceMs,
			signal,
		});
	} catch (error) {
		if (signal.aborted) throw error;
		// A registry whose certificate is not trusted was reached.
		const kind = isCertificateError(error) ? "failed" : "unreachable";
		throw new ImageFailure(kind, `${method} ${url.origin}: ${words(error)}`, { cause: error });
	}
}

const dispatchers = new Map<string, Dispatcher>();

function dispatcherFor(url: URL, { tls = {}, connectMs }: HttpRequest): Dispatcher {
	// As Go's programs, which ask no proxy for it.
	const isOwn = isLoopback(url.hostname);
	const key = JSON.stringify([isOwn, connectMs, tls]);
	let known = dispatchers.get(key);
	if (known !== undefined) return known;
	const { caFile, certFile, keyFile, insecure } = tls;
	const connect = {
		timeout: connectMs,
		...(caFile === undefined ? {} : { ca: readFileSync(caFile) }),
		...(certFile === undefined ? {} : { cert: readFileSync(certFile) }),
		...(keyFile === undefined ? {} : { key: readFileSync(keyFile) }),
		...(insecure === true ? { rejectUnauthorized: false } : {}),
	};
	known = isOwn ? new Agent({ connect }) : new EnvHttpProxyAgent({ connect, requestTls: connect });
	dispatchers.set(key, known);
	return known;
}

/** OpenSSL's names of problems with certificates, and Node's own. */
function isCertificateError(error: unknown): boolean {
	const code = error instanceof Error && "code" in error ? String(error.code) : "";
	return /CERT|UNABLE_TO_VERIFY|INVALID_CA|INVALID_PURPOSE/.test(code);
}

/** Errors of several addresses, and those that wrap others, say little themselves. */
function words(error: unknown): string {
	if (error instanceof AggregateError && error.errors.length > 0) return words(error.errors[0]);
	if (error instanceof Error && error.cause !== undefined && error.message === "fetch failed")
		return words(error.cause);
	return messageOf(error);
}

function without(headers: Record<string, string>, name: string): Record<string, string> {
	return Object.fromEntries(Object.entries(headers).filter(([key]) => key.toLowerCase() !== name));
}
