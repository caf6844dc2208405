/** What the clients of a listener may take of it, and what is no request. */
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { Agent } from "node:https";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, expect, test, vi } from "vitest";
import { closeAll, closers, configMaps, http1, http2, impatient, secure } from "../testing/clients.ts";

afterEach(closeAll);

test("data that is not HTTP, and requests that never end, are cut off", async () => {
	const { listener } = await secure();
	const socket: Socket = connect(listener.port ?? 0, "127.0.0.1");
	socket.on("error", () => {});
	socket.end("GET / HTTP/1.1\r\n\r\n");
	await once(socket, "close");
});

/** Sends bytes over TLS as they are, and collects what comes back until the server ends the connection. */
async function raw(port: number | undefined, ca: string, text: string): Promise<string> {
	const socket = connectTls({ port: port ?? 0, host: "127.0.0.1", ca, ALPNProtocols: ["http/1.1"] });
	closers.push(() => socket.destroy());
	socket.on("error", () => {});
	const chunks: Buffer[] = [];
	socket.on("data", (chunk: Buffer) => chunks.push(chunk));
	await once(socket, "secureConnect");
	socket.write(text);
	await once(socket, "close");
	return Buffer.concat(chunks).toString();
}

const statusOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")));

test.each([
	["a head that is not HTTP", "GARBAGE\r\n\r\n", 400],
	["a request without a host", "GET /version HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
	["a request with two hosts", "GET /version HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", 400],
	[
		"a body in a coding that nobody undoes",
		"POST /version HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		400,
	],
	["a head of more than a MiB", `GET /version HTTP/1.1\r\nHost: a\r\nX: ${"x".repeat(1_100_000)}\r\n\r\n`, 431],
	["CONNECT", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405],
	["a method that there is not", "PROPFIND /version HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405],
])("%s is answered with a Status", async (_, text, code) => {
	const { listener, tls } = await secure();
	const answer = await raw(listener.port, tls.ca, text);
	expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${code} `));
	expect(statusOf(answer)).toMatchObject({ kind: "Status", status: "Failure", code });
});

test("a target may be a whole URL, as for a proxy", async () => {
	const { listener, tls } = await secure();
	const head = "GET https://elsewhere/version?pretty=false HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	const answer = await raw(listener.port, tls.ca, head);
	expect(statusOf(answer)).toMatchObject({ major: "1" });
});

test("a head may have many fields, over HTTP/2, too", async () => {
	const { tls, origin } = await secure();
	const session = connectHttp2(origin, tls);
	closers.push(() => session.destroy());
	const groups = Array.from({ length: 500 }, (_, index) => `g${index}`);
	const reply = await http2(session, { ":path": "/version", "impersonate-user": "ann", "impersonate-group": groups });
	expect(reply.status).toBe(200);
});

test("a head may be as long as a command line, over both protocols", async () => {
	const { tls, origin } = await secure();
	const path = `/api/v1/namespaces?labelSelector=${encodeURIComponent(`a in (${"x".repeat(200_000)})`)}`;
	expect((await http1(`${origin}${path}`, tls)).status).toBe(200);
	const session = connectHttp2(origin, { ...tls, maxSendHeaderBlockLength: 2 ** 21 });
	closers.push(() => session.destroy());
	// No single field may be longer than 64 KiB there: that is the library's.
	const long = "x".repeat(40_000);
	const stream = session.request({ ":path": `/api/v1/namespaces?fieldManager=${long}`, "x-a": long });
	const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
	expect(headers[":status"]).toBe(200);
});

test("a connection is not listened to once more with each of its requests", async () => {
	const { origin, tls } = await secure();
	const warnings: string[] = [];
	const note = (warning: Error) => warnings.push(warning.name);
	process.on("warning", note);
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	closers.push(
		() => agent.destroy(),
		() => process.off("warning", note),
	);
	for (let count = 0; count < 20; count++)
		expect((await http1(`${origin}/version`, { ...tls, agent })).status).toBe(200);
	expect(warnings).toEqual([]);
});

test("a head that does not come to its end is refused", async () => {
	const { port, ca } = await impatient({ headMs: 100 });
	const answer = await raw(port, ca, "GET /version HTTP/1.1\r\nHost: a\r\nX-");
	expect(answer).toMatch(/^HTTP\/1.1 408 /);
	expect(statusOf(answer)).toMatchObject({ kind: "Status", code: 408 });
});

test("a connection without a handshake does not stay", async () => {
	const { port } = await impatient({ handshakeMs: 100 });
	const silent = connect(port ?? 0, "127.0.0.1");
	silent.on("error", () => {});
	await once(silent, "close");
});

test("a connection without a request does not stay", async () => {
	const { port, ca, origin, client } = await impatient({ idleMs: 100 });
	expect(await raw(port, ca, "")).toBe("");
	const session = connectHttp2(origin, client);
	session.on("error", () => {});
	await once(session, "close");
	const half = connectTls({ port: port ?? 0, host: "127.0.0.1", ca, ALPNProtocols: ["h2"] });
	half.on("error", () => {});
	half.resume();
	// Settings, and a head (`:method: GET`) that is to be continued.
	half.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\0\0\0\0\x01\x82", "latin1");
	await once(half, "close");
});

test("a body that does not come to its end is refused, over both protocols", async () => {
	const { port, origin, client } = await impatient({ bodyMs: 100 });
	const head = `POST ${configMaps} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{`;
	const socket = connectTls({ port: port ?? 0, host: "127.0.0.1", ...client, ALPNProtocols: ["http/1.1"] });
	closers.push(() => socket.destroy());
	const chunks: Buffer[] = [];
	socket.on("data", (chunk: Buffer) => chunks.push(chunk));
	socket.write(head);
	await once(socket, "close");
	expect(statusOf(Buffer.concat(chunks).toString())).toMatchObject({ kind: "Status", reason: "Timeout" });
	const session = connectHttp2(origin, client);
	closers.push(() => session.destroy());
	const stream = session.request({ ":path": configMaps, ":method": "POST" });
	stream.on("error", () => {});
	stream.write("{");
	const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
	expect(headers[":status"]).toBe(504);
	stream.resume();
	await once(stream, "close");
});

test("a request that is not allowed is refused before its body is read", async () => {
	const { listener, tls } = await secure();
	const head = `POST ${configMaps} HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n{`;
	const answer = await raw(listener.port, tls.ca, head);
	expect(answer).toMatch(/^HTTP\/1.1 401 /);
	expect(statusOf(answer)).toMatchObject({ kind: "Status", code: 401 });
});

test("a large response that the client does not read is dropped", async () => {
	const { api, origin, client } = await impatient({ answerMs: 100, slowestBytesPerSecond: 1e9 });
	for (let index = 0; index < 8; index++)
		await api.ask("POST", configMaps, { metadata: { name: `c${index}` }, data: { k: "x".repeat(100_000) } });
	const session = connectHttp2(origin, { ...client, settings: { initialWindowSize: 1 } });
	closers.push(() => session.destroy());
	const stream = session.request({ ":path": configMaps });
	stream.on("error", () => {});
	stream.pause();
	await once(stream, "close");
}, 30_000);

test("a watcher receives all initial events, and is cut off if it does not read later ones", async () => {
	const { api, origin, client } = await impatient({});
	const data = { k: "x".repeat(900_000) };
	for (let index = 0; index < 12; index++) await api.ask("POST", configMaps, { metadata: { name: `c${index}` }, data });
	const session = connectHttp2(origin, client);
	closers.push(() => session.destroy());
	const stream = session.request({ ":path": `${configMaps}?watch=true` });
	stream.on("error", () => {});
	let lineCount = 0;
	stream.on("data", (chunk: Buffer) => {
		for (const byte of chunk) if (byte === 10) lineCount++;
	});
	await vi.waitFor(() => expect(lineCount).toBe(12), 20_000);
	stream.pause();
	const isOver = once(stream, "close");
	let closed = false;
	void isOver.then(() => {
		closed = true;
	});
	for (let index = 0; index < 40 && !closed; index++)
		await api.ask("PUT", `${configMaps}/c0`, { metadata: { name: "c0", labels: { i: String(index) } }, data });
	await isOver;
}, 60_000);
