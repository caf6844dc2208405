import { once } from "node:events";
import { request as plainRequest } from "node:http";
import type { ClientHttp2Session } from "node:http2";
import { request, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { systemClock } from "../../core/time/clock.ts";
import { listen } from "../listen.ts";
import type { Timeouts } from "../sockets/limits.ts";
import { type TestCertificates, testCertificates } from "./certificates.ts";
import { testApi } from "./test-api.ts";

/** What tests opened. */
export const closers: (() => unknown)[] = [];

/** For `afterEach`. */
export async function closeAll(): Promise<void> {
	for (const close of closers.splice(0).reverse()) await close();
}

/** Listens on a free port of loopback until `closeAll`. @returns the port */
export async function listening(server: Server): Promise<number> {
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	closers.push(() => {
		server.closeAllConnections();
		server.close();
	});
	// It listens on a port.
	return (server.address() as AddressInfo).port;
}

let shared: Promise<TestCertificates> | undefined;

/** One authority for all tests of a file: to make it takes longer than most of them. */
export function sharedCertificates(): Promise<TestCertificates> {
	shared ??= testCertificates(systemClock().now());
	return shared;
}

/** An API server behind a listener with TLS, and a client with the certificate of an administrator. */
export async function secure(options: Parameters<typeof testApi>[0] = {}) {
	const certificates = await sharedCertificates();
	const api = await testApi(options);
	const listener = await listen(api, { tls: { ...certificates.server, clientCa: certificates.ca } });
	const client = await certificates.client("CN=ann, O=system:masters");
	closers.push(
		() => api.close(),
		() => listener.close(),
	);
	return { api, listener, tls: { ca: certificates.ca, ...client }, origin: `https://127.0.0.1:${listener.port}` };
}

export interface Reply {
	status: number;
	headers: Record<string, unknown>;
	body: Buffer;
}

export function http1(url: string, options: object, body?: string | Buffer): Promise<Reply> {
	return new Promise((resolve, reject) => {
		const send = url.startsWith("https") ? request : plainRequest;
		const sent = send(url, { agent: false, ...options }, (response) => {
			const chunks: Buffer[] = [];
			response.on("data", (chunk) => chunks.push(chunk));
			response.on("end", () =>
				resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
			);
		});
		sent.on("error", reject);
		sent.end(body);
	});
}

export function http2(
	session: ClientHttp2Session,
	headers: Record<string, string | string[]>,
	body?: string,
): Promise<Reply> {
	return new Promise((resolve, reject) => {
		const stream = session.request(headers);
		let answered: Record<string, unknown> = {};
		const chunks: Buffer[] = [];
		stream.on("response", (received) => {
			answered = received;
		});
		stream.on("data", (chunk) => chunks.push(chunk));
		stream.on("end", () =>
			resolve({ status: Number(answered[":status"]), headers: answered, body: Buffer.concat(chunks) }),
		);
		stream.on("error", reject);
		stream.end(body);
	});
}

export const configMaps = "/api/v1/namespaces/default/configmaps";

/** The same, with time-outs of its own. */
export async function impatient(timeouts: Partial<Timeouts>) {
	const certificates = await sharedCertificates();
	const api = await testApi();
	const listener = await listen(api, { tls: { ...certificates.server, clientCa: certificates.ca }, timeouts });
	const client = { ca: certificates.ca, ...(await certificates.client("CN=ann, O=system:masters")) };
	closers.push(
		() => api.close(),
		() => listener.close(),
	);
	return { api, port: listener.port, ca: certificates.ca, client, origin: `https://127.0.0.1:${listener.port}` };
}
