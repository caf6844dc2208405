import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, request, type Server } from "node:http";
import { request as secureRequest } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer } from "node:net";
import { text } from "node:stream/consumers";
import { createSecureContext } from "node:tls";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { type TestCertificates, testCertificates } from "../../api/testing/certificates.ts";
import { systemClock } from "../../core/time/clock.ts";
import type { Endpoint } from "./backends.ts";
import { createIngressServers, type IngressServers } from "./server.ts";

/** What a backend received, as its answer. */
const mirror: RequestListener = async (incoming, response) => {
	const body = await text(incoming);
	response.setHeader("set-cookie", ["a=1", "b=2"]);
	response.setHeader("connection", "keep-alive, x-hop");
	response.setHeader("x-hop", "secret");
	response.end(JSON.stringify({ method: incoming.method, url: incoming.url, headers: incoming.headers, body }));
};

const open: Server[] = [];
let servers: IngressServers;
let backend: Endpoint;
let closed: Endpoint;
let certificates: TestCertificates;
const ways: Record<string, () => readonly Endpoint[] | { status: number; why: string }> = {
	"web.test": () => [backend],
	"half.test": () => [closed, backend],
	"down.test": () => [closed],
	"none.test": () => ({ status: 503, why: "Service shop/web has no ready endpoint for port 80" }),
};

async function listen(server: Server): Promise<Endpoint> {
	open.push(server);
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	// It listens on a port.
	return { address: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

beforeAll(async () => {
	const server = createServer(mirror);
	new WebSocketServer({ server, path: "/socket" }).on("connection", (socket, incoming) => {
		socket.on("message", (message) => socket.send(`${incoming.headers["x-forwarded-host"]} ${message}`));
	});
	backend = await listen(server);
	const gone = createServer();
	closed = await listen(gone);
	gone.close();
	certificates = await testCertificates(systemClock().now());
	servers = createIngressServers({
		endpoints: (host) => ways[host]?.() ?? { status: 404, why: `no Ingress is for ${host}` },
		secureContext: (host) => (host === "localhost" ? createSecureContext(certificates.server) : undefined),
	});
	await listen(servers.http);
	await listen(servers.https);
});
afterAll(async () => {
	await servers.close();
	for (const server of open) {
		server.closeAllConnections();
		server.close();
	}
});

const portOf = (server: Server) => (server.address() as AddressInfo).port;

async function ask(host: string, path: string, options: { method?: string; headers?: object; body?: string } = {}) {
	const { method = "GET", headers = {}, body } = options;
	const sent = request({ port: portOf(servers.http), method, path, headers: { host, ...headers }, agent: false });
	sent.end(body);
	const [answer] = (await once(sent, "response")) as [IncomingMessage];
	return { status: answer.statusCode, headers: answer.headers, text: await text(answer) };
}

/** The answer to bytes. */
async function raw(bytes: string): Promise<string> {
	const socket = connect(portOf(servers.http), "127.0.0.1");
	socket.write(bytes);
	return text(socket);
}

it("forwards requests with their bodies, and tells the backend of the client", async () => {
	const headers = {
		"x-forwarded-for": "6.6.6.6",
		forwarded: "for=6.6.6.6",
		connection: "close, x-mine",
		"x-mine": "1",
	};
	const answer = await ask("web.test:8080", "/a%2fb?q=1", { method: "POST", headers, body: "hello" });
	expect(answer.headers).toMatchObject({ "set-cookie": ["a=1", "b=2"] });
	expect(answer.headers).not.toHaveProperty("x-hop");
	const seen = JSON.parse(answer.text);
	expect(seen).toMatchObject({ method: "POST", url: "/a%2fb?q=1", body: "hello" });
	expect(seen.headers).toMatchObject({
		host: "web.test:8080",
		"x-forwarded-for": "127.0.0.1",
		"x-forwarded-host": "web.test:8080",
		"x-forwarded-port": String(portOf(servers.http)),
		"x-forwarded-proto": "http",
	});
	for (const name of ["forwarded", "x-mine"]) expect(seen.headers).not.toHaveProperty(name);
});

it("tries the next endpoint when one is down, with the body, and says when all are", async () => {
	const answer = await ask("half.test", "/", { method: "PUT", body: "kept" });
	expect(JSON.parse(answer.text).body).toBe("kept");
	expect(await ask("down.test", "/")).toMatchObject({
		status: 502,
		text: "502 Bad Gateway: no endpoint of the backend accepts connections\n",
	});
	expect(await ask("none.test", "/", { method: "POST", body: "x" })).toMatchObject({
		status: 503,
		text: "503 Service Unavailable: Service shop/web has no ready endpoint for port 80\n",
	});
	expect((await ask("other.test", "/")).status).toBe(404);
});

it("passes streams on as they come", async () => {
	let say = (_: string) => {};
	let over = () => {};
	const ended = new Promise<void>((resolve) => {
		over = resolve;
	});
	const stream = await listen(
		createServer((_, response) => {
			response.writeHead(200, { "content-type": "text/event-stream" });
			response.flushHeaders();
			say = (line) => response.write(line);
			response.once("close", over);
		}),
	);
	ways["stream.test"] = () => [stream];
	const sent = request({ port: portOf(servers.http), headers: { host: "stream.test" }, agent: false });
	sent.end();
	const [answer] = (await once(sent, "response")) as [IncomingMessage];
	for (const line of ["one", "two"]) {
		say(line);
		expect(String((await once(answer, "data"))[0])).toBe(line);
	}
	sent.destroy();
	await ended;
});

it("breaks an answer off where the backend does", async () => {
	const breaking = await listen(
		createServer((_, response) => {
			response.writeHead(200, { "content-length": "100" });
			response.write("half", () => response.destroy());
		}),
	);
	ways["breaking.test"] = () => [breaking];
	await expect(ask("breaking.test", "/")).rejects.toThrow("aborted");
});

it.each([
	["a reason that is none", "HTTP/1.1 200 O\x01K\r\nContent-Length: 0\r\n\r\n"],
	["a status that is none", "HTTP/1.1 042 OK\r\nContent-Length: 0\r\n\r\n"],
	["a protocol that nobody has asked for", "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"],
	["no HTTP", "hello\r\n\r\n"],
	["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
])("answers 502 for a backend that answers with %s", async (_, bytes) => {
	const strange = createTcpServer((socket) => {
		socket.on("error", () => {});
		socket.once("data", () => socket.end(bytes, "latin1"));
	});
	strange.listen(0, "127.0.0.1");
	await once(strange, "listening");
	const { port } = strange.address() as AddressInfo;
	ways["strange.test"] = () => [{ address: "127.0.0.1", port }];
	expect((await ask("strange.test", "/")).status).toBe(502);
	strange.close();
});

it("has no body in answers of its own to HEAD", async () => {
	expect(await ask("none.test", "/", { method: "HEAD" })).toMatchObject({ status: 503, text: "" });
});

it("passes websockets on, and no other protocol that a client offers with HTTP/2", async () => {
	const socket = new WebSocket(`ws://127.0.0.1:${portOf(servers.http)}/socket`, { headers: { host: "web.test" } });
	await once(socket, "open");
	socket.send("hello");
	expect(String((await once(socket, "message"))[0])).toBe("web.test hello");
	socket.terminate();
	const refused = new WebSocket(`ws://127.0.0.1:${portOf(servers.http)}/socket`, { headers: { host: "down.test" } });
	expect(String((await once(refused, "error"))[0])).toContain("502");
	const upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
	const answer = await raw(`GET /plain HTTP/1.1\r\nHost: web.test\r\n${upgrade}\r\n`);
	expect(answer).toMatch(/^HTTP\/1.1 200 OK/);
	expect(answer).not.toContain("h2c");
});

it("ends TLS with the certificate of the host that the client names", async () => {
	const options = {
		port: portOf(servers.https),
		host: "127.0.0.1",
		path: "/",
		ca: certificates.ca,
		agent: false,
	};
	const sent = secureRequest({ ...options, servername: "localhost", headers: { host: "web.test" } });
	sent.end();
	const [answer] = (await once(sent, "response")) as [IncomingMessage];
	expect(JSON.parse(await text(answer)).headers["x-forwarded-proto"]).toBe("https");
	const without = secureRequest({ ...options, servername: "hook.default.svc" });
	without.end();
	expect((await once(without, "error"))[0]).toBeInstanceOf(Error);
});

it.each([
	["two lengths", "POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc"],
	[
		"a length and chunks",
		"POST / HTTP/1.1\r\nHost: web.test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	],
	["an unknown coding", "POST / HTTP/1.1\r\nHost: web.test\r\nTransfer-Encoding: xchunked\r\n\r\n"],
	["no host", "GET / HTTP/1.1\r\nConnection: close\r\n\r\n"],
	["two hosts", "GET / HTTP/1.1\r\nHost: web.test\r\nHost: other.test\r\n\r\n"],
	["a host that is none", "GET / HTTP/1.1\r\nHost: web.test/x\r\n\r\n"],
	["a space before a colon", "GET / HTTP/1.1\r\nHost: web.test\r\nX : a\r\n\r\n"],
	["a way up", "GET /public/../admin HTTP/1.1\r\nHost: web.test\r\n\r\n"],
	["a hidden way up", "GET /public/%2e%2e%2fadmin HTTP/1.1\r\nHost: web.test\r\n\r\n"],
	["a target that is no path", "OPTIONS * HTTP/1.1\r\nHost: web.test\r\n\r\n"],
])("refuses requests with %s", async (_, bytes) => {
	expect(await raw(bytes)).toMatch(/^HTTP\/1.1 400 Bad Request\r\n/);
});

it("refuses headers that are too long, and connects nobody elsewhere", async () => {
	expect(await raw(`GET / HTTP/1.1\r\nHost: web.test\r\nX: ${"x".repeat(40_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431 /);
	expect(await raw("CONNECT other.test:22 HTTP/1.1\r\nHost: other.test\r\n\r\n")).toBe("");
});

it.each(["GET", "DELETE", "POST"])(
	"sends the length of a body with a %s request that would have it dropped",
	async (method) => {
		const hidden = "GET /hidden HTTP/1.1\r\nHost: web.test\r\n\r\n";
		const answer = await raw(
			`${method} / HTTP/1.1\r\nHost: web.test\r\nConnection: close, Content-Length\r\nX_Real_IP: 192.0.2.1\r\n` +
				`Content-Length: ${hidden.length}\r\n\r\n${hidden}`,
		);
		expect(answer).toContain(JSON.stringify(hidden));
		expect(answer).not.toContain("192.0.2.1");
	},
);

it("takes the host of an absolute target", async () => {
	const answer = await raw("GET http://web.test/x HTTP/1.1\r\nHost: other.test\r\nConnection: close\r\n\r\n");
	expect(answer).toContain('"x-forwarded-host":"web.test"');
	expect(answer).toContain('"url":"/x"');
});
