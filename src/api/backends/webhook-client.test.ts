import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../core/time/clock.ts";
import type { Server } from "../server/server.ts";
import { testCertificates } from "../testing/certificates.ts";
import { closeAll, closers, listening, sharedCertificates } from "../testing/clients.ts";
import { WebhookClient } from "./webhook-client.ts";

afterEach(closeAll);

// A URL needs nothing of a server but its clock.
const server = { clock: systemClock(), options: {} } as unknown as Server;

async function backend(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
	const certificates = await sharedCertificates();
	const connections: unknown[] = [];
	const https = createServer(certificates.server, async (request, response) => {
		let body = "";
		for await (const part of request) body += part;
		answer(request, response, body);
	});
	https.on("secureConnection", (socket) => connections.push(socket));
	const port = await listening(https);
	return { url: `https://localhost:${port}/hook?x=1`, caBundle: base64(certificates.ca), connections, https };
}

function base64(text: string): string {
	return Buffer.from(text).toString("base64");
}

function client(config: { url: string; caBundle?: string }): WebhookClient {
	const made = new WebhookClient(server, config);
	closers.push(() => made.close());
	return made;
}

const failure = (promise: Promise<unknown>) => promise.catch((error: Error) => error.message);

test("a webhook gets JSON by POST with the time that it has, over connections that are kept", async () => {
	const { url, caBundle, connections, https } = await backend((request, response, body) =>
		response.end(`${request.method} ${request.url} ${request.headers["content-type"]} ${body}`),
	);
	const hook = client({ url, caBundle });
	for (let round = 0; round < 3; round++)
		expect((await hook.post(Buffer.from("{}"), 1500)).toString()).toBe("POST /hook?x=1&timeout=2s application/json {}");
	expect(connections).toHaveLength(1);
	// The other end may close what it has kept.
	https.closeAllConnections();
	expect((await hook.post(Buffer.from("1"), 1000)).toString()).toContain(" 1");
	expect(connections).toHaveLength(2);
});

test("an invalid response of a webhook is an error that names the problem", async () => {
	const answers: Record<string, [number, string]> = {
		"/401": [401, "x"],
		"/404": [404, "x"],
		"/500": [500, "no"],
		"/302": [302, ""],
		"/400": [400, "bad"],
	};
	const { url, caBundle } = await backend((request, response) => {
		const [status, text] = answers[(request.url ?? "").split("?")[0] ?? ""] ?? [200, ""];
		if (request.url?.startsWith("/large")) response.end(Buffer.alloc(11 * 1024 * 1024));
		else response.writeHead(status, { location: "https://localhost:1/" }).end(text);
	});
	const ask = (path: string) =>
		failure(client({ url: new URL(path, url).href, caBundle }).post(Buffer.from("{}"), 5000));
	expect(await ask("/401")).toBe("the server has asked for the client to provide credentials");
	expect(await ask("/404")).toBe("the server could not find the requested resource");
	expect(await ask("/500")).toBe('an error on the server ("no") has prevented the request from succeeding');
	expect(await ask("/302")).toBe("the server responded with the status code 302 but did not return more information");
	expect(await ask("/400")).toBe("the server rejected our request for an unknown reason (400): bad");
	expect(await ask("/large")).toContain("the answer is larger than 10485760 bytes");
});

test("a webhook that cannot be reached, hangs or is not who it should be is an error in Go's words", async () => {
	const { url, caBundle } = await backend(() => {});
	const quoted = (text: string, seconds: number) => JSON.stringify(`${text}&timeout=${seconds}s`);
	expect(await failure(client({ url, caBundle }).post(Buffer.from("{}"), 100))).toBe(
		`Post ${quoted(url, 1)}: context deadline exceeded`,
	);
	const gone = new AbortController();
	const pending = failure(client({ url, caBundle }).post(Buffer.from("{}"), 5000, gone.signal));
	gone.abort();
	expect(await pending).toBe(`Post ${quoted(url, 5)}: context canceled`);
	const other = await testCertificates(systemClock().now(), "other");
	const unknown = "tls: failed to verify certificate: x509: certificate signed by unknown authority";
	for (const config of [{ url }, { url, caBundle: base64(other.ca) }])
		expect(await failure(client(config).post(Buffer.from("{}"), 5000))).toBe(`Post ${quoted(url, 5)}: ${unknown}`);
	expect(await failure(client({ url: "https://127.0.0.1:1/?x=1", caBundle }).post(Buffer.from("{}"), 5000))).toBe(
		`Post ${quoted("https://127.0.0.1:1/?x=1", 5)}: dial tcp 127.0.0.1:1: connect: connection refused`,
	);
});
