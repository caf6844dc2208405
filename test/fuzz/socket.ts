/**
 * Requests through a real listener with TLS, by HTTP/1.1 and HTTP/2 in turn. The administrator has a certificate,
 * others a token that is none.
 */
import { connect } from "node:http2";
import { request as httpsRequest } from "node:https";
import type { Api } from "../../src/api/handle.ts";
import { type Listener, listen } from "../../src/api/listen.ts";
import { type TestCertificates, testCertificates } from "../../src/api/testing/certificates.ts";
import { systemClock } from "../../src/core/time/clock.ts";
import type { FuzzedAnswer } from "./fuzz.ts";
import type { FuzzedRequest } from "./requests.ts";

const answerLimitMs = 30_000;

export interface FuzzSocket {
	send(api: Api, request: FuzzedRequest, signal: AbortSignal): Promise<FuzzedAnswer>;
	close(): Promise<void>;
}

export async function openSocket(): Promise<FuzzSocket> {
	const certificates = await testCertificates(systemClock().now());
	const admin = await certificates.client("CN=admin, O=system:masters");
	let open: { api: Api; listener: Listener } | undefined;
	let isHttp2 = false;
	return {
		async send(api, request, signal) {
			if (open?.api !== api) {
				await open?.listener.close();
				open = { api, listener: await listenWith(api, certificates) };
			}
			isHttp2 = !isHttp2;
			const tls = { ca: certificates.ca, ...(request.user?.name === "admin" ? admin : {}) };
			const port = open.listener.port ?? 0;
			return isHttp2 ? byHttp2(request, port, tls, signal) : byHttp1(request, port, tls, signal);
		},
		close: async () => open?.listener.close(),
	};
}

function listenWith(api: Api, { server, ca }: TestCertificates): Promise<Listener> {
	return listen(api, { tls: { ...server, clientCa: ca } });
}

function targetOf({ path, query }: FuzzedRequest): string {
	return query === "" ? path : `${path}?${query}`;
}

function byHttp1(request: FuzzedRequest, port: number, tls: object, signal: AbortSignal): Promise<FuzzedAnswer> {
	const { method, headers, body } = request;
	return new Promise((resolve, reject) => {
		const sent = httpsRequest(
			{
				host: "127.0.0.1",
				port,
				method,
				path: targetOf(request),
				headers,
				agent: false,
				signal,
				timeout: answerLimitMs,
				...tls,
			},
			(response) => {
				const chunks: Buffer[] = [];
				const status = response.statusCode ?? 0;
				// A watch that has begun goes on.
				if (status === 200 && response.headers["content-length"] === undefined) {
					response.destroy();
					resolve({ status, text: undefined });
					return;
				}
				response.on("data", (chunk: Buffer) => chunks.push(chunk));
				response.once("end", () => resolve({ status, text: Buffer.concat(chunks).toString() }));
				response.once("error", reject);
			},
		);
		sent.once("timeout", () => sent.destroy(new Error("no answer")));
		sent.once("error", reject);
		sent.end(body);
	});
}

function byHttp2(request: FuzzedRequest, port: number, tls: object, signal: AbortSignal): Promise<FuzzedAnswer> {
	const { method, headers, body } = request;
	const session = connect(`https://127.0.0.1:${port}`, tls);
	return new Promise<FuzzedAnswer>((resolve, reject) => {
		session.once("error", reject);
		session.setTimeout(answerLimitMs, () => reject(new Error("no answer")));
		const stream = session.request(
			{ ...headers, ":method": method, ":path": targetOf(request) },
			{ signal, endStream: body === undefined },
		);
		const chunks: Buffer[] = [];
		let status = 0;
		stream.once("response", (answered) => {
			status = Number(answered[":status"]);
			if (status === 200 && answered["content-length"] === undefined) resolve({ status, text: undefined });
		});
		stream.on("data", (chunk: Buffer) => chunks.push(chunk));
		stream.once("end", () => resolve({ status, text: Buffer.concat(chunks).toString() }));
		stream.once("error", reject);
		if (body !== undefined) stream.end(body);
	}).finally(() => session.destroy());
}
