import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import {
	createServer,
	type IncomingMessage,
	request as plainRequest,
	type Server,
	type ServerResponse,
} from "node:http";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { Agent, createServer as createSecureServer, request } from "node:https";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { gunzipSync } from "node:zlib";
import { afterEach, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { systemClock } from "../core/clock.ts";
import type { AuditEvent } from "./audit/event.ts";
import { auditPolicy } from "./audit/policy.ts";
import { type Listener, listen } from "./listen.ts";
import { duplexPair } from "./sockets/duplex-pair.ts";
import type { Timeouts } from "./sockets/limits.ts";
import { type TestCertificates, testCertificates } from "./sockets/testing.ts";
import { type TestApi, testApi } from "./testing.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
	for (const close of closers.splice(0).reverse()) await close();
});

let shared: TestCertificates | undefined;

async function secure(options: Parameters<typeof testApi>[0] = {}) {
	shared ??= await testCertificates(systemClock().now());
	const certificates = shared;
	const api = await testApi(options);
	const listener = await listen(api, { tls: { ...certificates.server, clientCa: certificates.ca } });
	const client = await certificates.client("CN=ann, O=system:masters");
	closers.push(
		() => api.close(),
		() => listener.close(),
	);
	return { api, listener, tls: { ca: certificates.ca, ...client }, origin: `https://127.0.0.1:${listener.port}` };
}

interface Reply {
	status: number;
	headers: Record<string, unknown>;
	body: Buffer;
}

function http1(url: string, options: object, body?: string | Buffer): Promise<Reply> {
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

function http2(session: ClientHttp2Session, headers: Record<string, string | string[]>, body?: string): Promise<Reply> {
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

const configMaps = "/api/v1/namespaces/default/configmaps";

test("values of impersonation headers are taken as they come, over HTTP/1.1 and HTTP/2", async () => {
	const { tls, origin } = await secure();
	const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
	const asked = {
		"impersonate-user": "ann, and bob",
		"impersonate-group": [",,,chameleon", "Gr\u00c3\u00bcn"],
		"impersonate-extra-scopes": ["a,b", "c"],
	};
	const seen = {
		username: "ann, and bob",
		groups: [",,,chameleon", "Gr\u00fcn", "system:authenticated"],
		extra: { scopes: ["a,b", "c"] },
	};
	const plain = await http1(`${origin}${path}`, { ...tls, method: "POST", headers: asked }, Buffer.from("{}"));
	expect(JSON.parse(plain.body.toString()).status.userInfo).toEqual(seen);
	const session = connectHttp2(origin, tls);
	closers.push(() => session.close());
	const reply = await http2(session, { ":method": "POST", ":path": path, ...asked }, "{}");
	expect(JSON.parse(reply.body.toString()).status.userInfo).toEqual(seen);
});

test("HTTP/1.1 and HTTP/2 answer on the same port, and know the client by its certificate", async () => {
	const { tls, origin } = await secure();
	const body = JSON.stringify({ metadata: { name: "a" } });
	const made = await http1(
		`${origin}${configMaps}`,
		{ ...tls, method: "POST", headers: { "content-type": "application/json" } },
		body,
	);
	expect(made.status).toBe(201);
	const session = connectHttp2(origin, tls);
	closers.push(() => session.close());
	const got = await http2(session, { ":path": `${configMaps}/a` });
	expect(JSON.parse(got.body.toString())).toEqual(JSON.parse(made.body.toString()));
	const whoami = await http2(
		session,
		{ ":method": "POST", ":path": "/apis/authentication.k8s.io/v1/selfsubjectreviews" },
		"{}",
	);
	expect(JSON.parse(whoami.body.toString()).status.userInfo).toEqual({
		username: "ann",
		groups: ["system:masters", "system:authenticated"],
		extra: { "authentication.kubernetes.io/credential-id": [expect.stringMatching(/^X509SHA256=/)] },
	});
	const head = await http2(session, { ":method": "HEAD", ":path": `${configMaps}/a` });
	expect([head.status, head.body.length]).toEqual([200, 0]);
});

test("without a certificate or token one is unauthorized", async () => {
	const { tls, origin } = await secure({
		authenticateToken: (token) => (token === "secret" ? { name: "bot", groups: [] } : undefined),
	});
	expect((await http1(`${origin}${configMaps}`, { ca: tls.ca })).status).toBe(401);
	expect((await http1(`${origin}/readyz`, { ca: tls.ca })).body.toString()).toBe("ok");
	const withToken = (token: string) =>
		http1(`${origin}${configMaps}`, { ca: tls.ca, headers: { authorization: `Bearer ${token}` } });
	expect((await withToken("secret")).status).toBe(200);
	expect((await withToken("wrong")).status).toBe(401);
});

test("a certificate names its user by a chain to our authority, with its digest", async () => {
	const { tls, origin } = await secure();
	const path = `${origin}/apis/authentication.k8s.io/v1/selfsubjectreviews`;
	for (const options of [{}, { usage: "client" }, { chain: true }] as const) {
		const cert = await shared?.client("CN=ann, O=system:masters, O=dev", options);
		const { body } = await http1(path, { ca: tls.ca, ...cert, method: "POST" }, "{}");
		expect(JSON.parse(body.toString()).status.userInfo).toEqual({
			username: "ann",
			groups: ["system:masters", "dev", "system:authenticated"],
			extra: { "authentication.kubernetes.io/credential-id": [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)] },
		});
	}
});

test("who shows a certificate that is not good is refused on every path, unless a token is shown that is", async () => {
	const { tls, origin } = await secure({
		authenticateToken: (token) => (token === "secret" ? { name: "bot", groups: ["system:masters"] } : undefined),
	});
	const nowMs = systemClock().now();
	const another = await testCertificates(nowMs, "other-ca");
	const root = "CN=ann, O=system:masters";
	const bad = {
		"another authority": await another.client(root),
		expired: await shared?.client(root, { untilMs: nowMs - 1000 }),
		"not yet valid": await shared?.client(root, { fromMs: nowMs + 3_600_000 }),
		"a server's": await shared?.client(root, { usage: "server" }),
	};
	const wellKnown = await shared?.client("O=system:masters");
	const statusOf = async (path: string, cert: object | undefined, headers: Record<string, string> = {}) =>
		(await http1(`${origin}${path}`, { ca: tls.ca, ...cert, headers })).status;
	for (const [what, cert] of Object.entries(bad)) {
		expect([what, await statusOf(configMaps, cert)]).toEqual([what, 401]);
		expect([what, await statusOf("/readyz", cert)]).toEqual([what, 401]);
		expect([what, await statusOf(configMaps, cert, { authorization: "Bearer secret" })]).toEqual([what, 200]);
		expect([what, await statusOf("/readyz", cert, { authorization: "Bearer wrong" })]).toEqual([what, 401]);
	}
	// Without a common name it names nobody.
	expect([await statusOf(configMaps, wellKnown), await statusOf("/readyz", wellKnown)]).toEqual([401, 200]);
});

test("a connection that outlasts its certificate is refused, on both protocols", async () => {
	const nowMs = systemClock().now();
	shared ??= await testCertificates(nowMs);
	const api = await testApi();
	let elapsedMs = 0;
	const clock = { ...systemClock({ unref: true }), now: () => nowMs + elapsedMs };
	const listener = await listen(api, { tls: { ...shared.server, clientCa: shared.ca }, clock });
	const cert = await shared.client("CN=ann, O=system:masters", { untilMs: nowMs + 3_600_000 });
	const origin = `https://127.0.0.1:${listener.port}`;
	const session = connectHttp2(origin, { ca: shared.ca, ...cert });
	const agent = new Agent({ keepAlive: true, maxSockets: 1 });
	closers.push(
		() => api.close(),
		() => listener.close(),
		() => session.close(),
		() => agent.destroy(),
	);
	const statuses = async () => [
		(await http2(session, { ":path": configMaps })).status,
		(await http1(`${origin}${configMaps}`, { ca: shared?.ca, ...cert, agent })).status,
	];
	expect(await statuses()).toEqual([200, 200]);
	elapsedMs = 3_600_000;
	expect(await statuses()).toEqual([401, 401]);
});

test("those who show nothing may ask for health and version, and for nothing else; a bad token is refused there, too", async () => {
	const { tls, origin } = await secure();
	const statusOf = async (path: string, authorization?: string) =>
		(await http1(`${origin}${path}`, { ca: tls.ca, headers: authorization === undefined ? {} : { authorization } }))
			.status;
	for (const path of ["/healthz", "/livez", "/readyz", "/livez?verbose", "/version"])
		expect([path, await statusOf(path)]).toEqual([path, 200]);
	for (const path of [
		"/",
		"/api",
		"/apis",
		"/api/v1",
		"/openapi/v2",
		"/metrics",
		"/versions",
		"/version/x",
		"/healthzz",
		"/readyz/ping",
		"/openid/v1/jwks",
		"/.well-known/openid-configuration",
		"/api/v1/namespaces/default",
		"//healthz",
	])
		expect([path, await statusOf(path)]).toEqual([path, 401]);
	for (const authorization of ["Bearer x", "bearer x", "BEARER x", "Bearer x y"])
		expect([authorization, await statusOf("/healthz", authorization)]).toEqual([authorization, 401]);
	for (const authorization of ["Basic YTpi", "Bearer", "Bearer ", "Digest x", ""])
		expect([authorization, await statusOf(configMaps, authorization)]).toEqual([authorization, 401]);
});

test("a certificate of another authority says nothing", async () => {
	const { tls, origin } = await secure();
	const stranger = await (await testCertificates(systemClock().now(), "other-ca")).client("CN=eve, O=system:masters");
	expect((await http1(`${origin}${configMaps}`, { ca: tls.ca, ...stranger })).status).toBe(401);
});

test("watches stream lines over both protocols and end when the server closes", async () => {
	const { api, listener, tls, origin } = await secure();
	const session = connectHttp2(origin, tls);
	const watches = [
		http2(session, { ":path": `${configMaps}?watch=true` }),
		http1(`${origin}${configMaps}?watch=true`, tls),
	];
	// Both have been answered when both see the first change.
	await http2(session, { ":path": "/readyz" });
	await http1(`${origin}/readyz`, tls);
	await api.ask("POST", configMaps, { metadata: { name: "a" } });
	await new Promise((resolve) => setImmediate(resolve));
	await listener.close();
	session.close();
	for (const { body } of await Promise.all(watches)) {
		const lines = body.toString().trimEnd().split("\n");
		expect(lines.map((line) => JSON.parse(line).type)).toEqual(["ADDED"]);
	}
});

test("a watch that is too old gets an ERROR event with a Status", async () => {
	const { api, tls, origin } = await secure({ watchHistory: 2 });
	for (let index = 0; index < 10; index++) await api.ask("POST", configMaps, { metadata: { name: `c${index}` } });
	const { body } = await http1(`${origin}${configMaps}?watch=true&resourceVersion=1`, tls);
	expect(JSON.parse(body.toString())).toMatchObject({
		type: "ERROR",
		object: { kind: "Status", code: 410, reason: "Expired" },
	});
});

test("bodies have a limit", async () => {
	const { tls, origin } = await secure();
	const headers = { "content-type": "application/json" };
	const large = await http1(
		`${origin}${configMaps}`,
		{ ...tls, method: "POST", headers },
		Buffer.alloc(4 * 1024 * 1024, " "),
	);
	expect(large.status).toBe(413);
	expect(JSON.parse(large.body.toString())).toMatchObject({
		reason: "RequestEntityTooLarge",
		message: "Request entity too large: limit is 3145728",
	});
});

test("large lists are compressed for those who can read it, and pretty for people", async () => {
	const { api, tls, origin } = await secure();
	for (let index = 0; index < 40; index++)
		await api.ask("POST", configMaps, { metadata: { name: `c${index}` }, data: { x: "y".repeat(8000) } });
	const plain = await http1(`${origin}${configMaps}`, tls);
	const packed = await http1(`${origin}${configMaps}`, { ...tls, headers: { "accept-encoding": "gzip" } });
	expect(packed.headers["content-encoding"]).toBe("gzip");
	expect(packed.body.length).toBeLessThan(plain.body.length / 10);
	expect(gunzipSync(packed.body).equals(plain.body)).toBe(true);
	const pretty = await http1(`${origin}${configMaps}/c1?pretty=true`, tls);
	expect(pretty.body.toString()).toContain('\n  "kind": "ConfigMap"');
});

test("a Unix socket without TLS knows its one user", async () => {
	const folder = mkdtempSync(join(tmpdir(), "cox-listen-"));
	closers.push(() => rmSync(folder, { recursive: true }));
	const socketPath = join(folder, "api.sock");
	const api = await testApi();
	for (let round = 0; round < 2; round++) {
		const listener: Listener = await listen(api, { socketPath, user: { name: "local", groups: ["system:masters"] } });
		expect((await http1(`http://localhost${configMaps}`, { socketPath })).status).toBe(200);
		await listener.close();
	}
});

/** An agent in this process that answers as `serve` says. */
function agent(serve: Parameters<typeof createServer>[1], onUpgrade?: (socket: Duplex, url: string) => void) {
	const server = createServer(serve ?? (() => {}));
	server.on("upgrade", (incoming, socket) => onUpgrade?.(socket, incoming.url ?? ""));
	return async (_node: string): Promise<Duplex> => {
		const [near, far] = duplexPair();
		server.emit("connection", far);
		return near;
	};
}

async function withPod(api: TestApi, containers: object[] = [{ name: "c", image: "i" }]): Promise<void> {
	await api.ask("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
	const pods = "/api/v1/namespaces/default/pods";
	await api.ask("POST", pods, { metadata: { name: "p" }, spec: { containers } });
	await api.ask("POST", `${pods}/p/binding`, { metadata: { name: "p" }, target: { name: "n1" } });
}

test("logs pass through from the agent, and its refusals become a Status", async () => {
	const asked: string[] = [];
	const dialAgent = agent((incoming, response) => {
		asked.push(incoming.url ?? "");
		if (incoming.url?.includes("previous")) response.statusCode = 400;
		response.end(incoming.url?.includes("previous") ? "previous terminated container not found" : "line 1\nline 2\n");
	});
	const { api, tls, origin } = await secure({ dialAgent });
	await withPod(api);
	const log = `${origin}/api/v1/namespaces/default/pods/p/log`;
	expect((await http1(`${log}?tailLines=2`, tls)).body.toString()).toBe("line 1\nline 2\n");
	expect(asked).toEqual(["/containerLogs/default/p/c?tailLines=2"]);
	expect(JSON.parse((await http1(`${log}?previous=true`, tls)).body.toString())).toMatchObject({
		code: 400,
		message: "previous terminated container not found",
	});
	expect(JSON.parse((await http1(`${log}?container=x`, tls)).body.toString()).message).toBe(
		"container x is not valid for pod p",
	);
});

/** All messages of a WebSocket, until it is closed. */
async function messagesOf(websocket: WebSocket): Promise<{ messages: string[]; code: number }> {
	const messages: string[] = [];
	websocket.on("message", (data: Buffer) => messages.push(data.toString()));
	const [code] = await once(websocket, "close");
	return { messages, code };
}

test("logs come over a WebSocket, as bytes or as base64, and who asks may say so in a subprotocol", async () => {
	const asked: unknown[] = [];
	const dialAgent = agent((incoming, response) => {
		asked.push(incoming.url, incoming.headers["sec-websocket-protocol"]);
		response.end("line 1\nline 2\n");
	});
	const authenticateToken = (token: string) => (token === "s.e-c_ret" ? { name: "bea", groups: [] } : undefined);
	const { api, tls, origin } = await secure({ dialAgent, authenticateToken });
	await withPod(api);
	const url = `${origin.replace("https", "wss")}/api/v1/namespaces/default/pods/p/log?tailLines=2`;
	const token = `base64url.bearer.authorization.k8s.io.${Buffer.from("s.e-c_ret").toString("base64url")}`;
	for (const protocols of [[], ["binary.k8s.io"], [token, "binary.k8s.io"], ["base64.binary.k8s.io"]]) {
		const websocket = new WebSocket(url, protocols, protocols.includes(token) ? { ca: tls.ca } : tls);
		const { messages, code } = await messagesOf(websocket);
		const isText = protocols.includes("base64.binary.k8s.io");
		const text = messages.map((message) => (isText ? Buffer.from(message, "base64").toString() : message)).join("");
		expect([text, code, websocket.protocol]).toEqual(["line 1\nline 2\n", 1000, protocols.at(-1) ?? ""]);
	}
	expect(new Set(asked)).toEqual(new Set(["/containerLogs/default/p/c?tailLines=2", undefined]));
	const stranger = new WebSocket(url, ["binary.k8s.io"], { ca: tls.ca });
	const [error] = await once(stranger, "error");
	expect(error.message).toBe("Unexpected server response: 401");
});

test("a watch comes over a WebSocket, an event a message; what is no stream is answered as ever", async () => {
	const { api, tls, origin } = await secure();
	await api.ask("POST", configMaps, { metadata: { name: "a" } });
	const websocket = new WebSocket(`${origin.replace("https", "wss")}${configMaps}?watch=1`, tls);
	const [message] = await once(websocket, "message");
	expect(JSON.parse(String(message))).toMatchObject({ type: "ADDED", object: { metadata: { name: "a" } } });
	websocket.terminate();
	const plain = new WebSocket(`${origin.replace("https", "wss")}${configMaps}/a`, tls);
	const [error] = await once(plain, "error");
	expect(error.message).toBe("Unexpected server response: 200");
});

test("a pod of several containers wants one named", async () => {
	const api = await testApi({ dialAgent: agent(() => {}) });
	await withPod(api, [
		{ name: "a", image: "i" },
		{ name: "b", image: "i" },
	]);
	expect((await api.ask("GET", "/api/v1/namespaces/default/pods/p/log")).object).toMatchObject({
		code: 400,
		message: "a container name must be specified for pod p, choose one of: [a b]",
	});
});

async function upgradeOver(tls: object, origin: string, path: string): Promise<{ head: string; socket: Duplex }> {
	return new Promise((resolve, reject) => {
		const sent = request(`${origin}${path}`, {
			...tls,
			agent: false,
			method: "POST",
			headers: { connection: "Upgrade", upgrade: "SPDY/3.1" },
		});
		sent.on("upgrade", (response, socket) => resolve({ head: `${response.statusCode}`, socket }));
		sent.on("response", (response) => {
			response.on("data", (chunk: Buffer) =>
				resolve({ head: `${response.statusCode} ${chunk}`, socket: response.socket }),
			);
		});
		sent.on("error", reject);
		sent.end();
	});
}

test("exec connects client and agent, byte for byte", async () => {
	let asked = "";
	const dialAgent = agent(undefined, (socket, url) => {
		asked = url;
		socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
		socket.on("data", (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
	});
	const { api, tls, origin } = await secure({ dialAgent });
	await withPod(api);
	const exec = "/api/v1/namespaces/default/pods/p/exec?command=ls&command=-l&container=c&stdout=true";
	const { head, socket } = await upgradeOver(tls, origin, exec);
	expect(head).toBe("101");
	expect(asked).toBe("/exec/default/p/c?command=ls&command=-l&stdout=true");
	socket.write("hello");
	const [echo] = await once(socket, "data");
	expect(String(echo)).toBe("HELLO");
	socket.destroy();
	const refused = await upgradeOver(tls, origin, exec.replace("/p/", "/none/"));
	expect(refused.head).toContain('404 {"kind":"Status"');
	refused.socket.destroy();
	const stranger = await upgradeOver({ ca: tls.ca }, origin, exec);
	expect(stranger.head).toContain("401");
	stranger.socket.destroy();
	expect((await api.ask("POST", exec)).object.message).toBe("Upgrade request required");
});

test("exec is recorded when it begins and when it ends, and so are those that are refused", async () => {
	const dialAgent = agent(undefined, (socket) => {
		socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
	});
	const events: AuditEvent[] = [];
	const resources = [{ group: "", resources: ["pods/exec"] }];
	const rules = [{ level: "Metadata", omitStages: ["RequestReceived"], resources }];
	const policy = auditPolicy({ apiVersion: "audit.k8s.io/v1", kind: "Policy", rules });
	const { api, tls, origin } = await secure({ dialAgent, audit: { policy, sink: (event) => events.push(event) } });
	await withPod(api);
	const exec = "/api/v1/namespaces/default/pods/p/exec?command=ls&container=c&stdout=true";
	const codes = () => events.map(({ stage, responseStatus }) => `${stage} ${responseStatus?.code}`);
	const { socket } = await upgradeOver(tls, origin, exec);
	expect(codes()).toEqual(["ResponseStarted 101"]);
	expect(events[0]).toMatchObject({
		verb: "create",
		requestURI: exec,
		user: { username: "ann" },
		sourceIPs: ["127.0.0.1"],
		objectRef: { resource: "pods", subresource: "exec", namespace: "default", name: "p" },
	});
	socket.destroy();
	await vi.waitFor(() => expect(codes()).toEqual(["ResponseStarted 101", "ResponseComplete 101"]));
	events.length = 0;
	(await upgradeOver(tls, origin, exec.replace("/p/", "/none/"))).socket.destroy();
	expect(codes()).toEqual(["ResponseStarted 404", "ResponseComplete 404"]);
	events.length = 0;
	(await upgradeOver({ ca: tls.ca }, origin, exec)).socket.destroy();
	expect(codes()).toEqual(["ResponseStarted 401"]);
});

/** An agent that forwards ports to a server of the test. */
function forwardingAgent(backend: Server): () => Promise<Duplex> {
	const tunnels = new WebSocketServer({ noServer: true });
	const agentServer = createServer();
	agentServer.on("upgrade", (incoming, socket, head) => {
		tunnels.handleUpgrade(incoming, socket, head, (websocket) => {
			const greeting = Buffer.from([0, 8080 & 255, 8080 >> 8]);
			websocket.send(greeting);
			websocket.send(Buffer.from([1, greeting[1] ?? 0, greeting[2] ?? 0]));
			const [near, far] = duplexPair();
			backend.emit("connection", far);
			near.on("data", (chunk: Buffer) => websocket.send(Buffer.concat([Buffer.of(0), chunk])));
			near.on("end", () => websocket.close());
			websocket.on("message", (message: Buffer) => near.write(message.subarray(1)));
			websocket.on("close", () => near.destroy());
		});
	});
	return async () => {
		const [near, far] = duplexPair();
		agentServer.emit("connection", far);
		return near;
	};
}

const podProxy = (name: string) => `/api/v1/namespaces/default/pods/${name}/proxy`;

test("HTTP reaches a pod's port through its agent, with every method", async () => {
	const backend = createServer((incoming, response) => response.end(`${incoming.method} ${incoming.url}`));
	const { api, tls, origin } = await secure({ dialAgent: forwardingAgent(backend) });
	await withPod(api);
	const url = `${origin}${podProxy("p:8080")}`;
	for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]) {
		const { status, body } = await http1(`${url}/some/page/?x=1`, { ...tls, method });
		expect([status, body.toString()]).toEqual([200, `${method} /some/page/?x=1`]);
	}
	expect(await http1(`${url}/`, { ...tls, method: "HEAD" })).toMatchObject({ status: 200 });
	const redirected = await http1(`${url}?x=1`, tls);
	expect([redirected.status, redirected.headers["location"]]).toEqual([301, `${podProxy("p:8080")}/?x=1`]);
	expect((await http1(url, { ...tls, method: "POST" })).body.toString()).toBe("POST /");
	const refused = await http1(`${origin}${podProxy("ftp:p:8080")}/`, tls);
	expect(JSON.parse(refused.body.toString()).message).toBe('invalid pod request "ftp:p:8080"');
});

test("a proxied page links to what is below the proxy, over TLS with whoever is there too", async () => {
	const page = (incoming: IncomingMessage, response: ServerResponse) => {
		response.setHeader("Content-Type", "text/html");
		if (incoming.url === "/moved") response.writeHead(302, { Location: `http://${incoming.headers.host}/to` }).end();
		else response.end(`<a href="/next">${incoming.headers["x-forwarded-uri"]}</a>`);
	};
	shared ??= await testCertificates(systemClock().now());
	for (const [name, backend] of [
		["p:8080", createServer(page)],
		["https:p:8080", createSecureServer(shared.server, page)],
	] as const) {
		const { api, tls, origin } = await secure({ dialAgent: forwardingAgent(backend) });
		await withPod(api);
		const prefix = podProxy(name);
		const { body } = await http1(`${origin}${prefix}/`, tls);
		expect(body.toString()).toBe(`<a href="${prefix}/next">${prefix}/</a>`);
		const moved = await http1(`${origin}${prefix}/moved`, tls);
		expect([moved.status, moved.headers["location"]]).toEqual([302, `${prefix}/to`]);
	}
});

test("a connection to a pod's port may become something else", async () => {
	const backend = createServer();
	backend.on("upgrade", (incoming, socket) => {
		socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
		socket.write(`at ${incoming.url} `);
		socket.on("data", (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()));
	});
	const { api, tls, origin } = await secure({ dialAgent: forwardingAgent(backend) });
	await withPod(api);
	const { head, socket } = await upgradeOver(tls, origin, `${podProxy("p:8080")}/chat?room=1`);
	expect(head).toBe("101");
	let said = "";
	socket.on("data", (chunk) => {
		said += chunk;
	});
	socket.write("hello");
	await vi.waitFor(() => expect(said).toContain("HELLO"));
	socket.destroy();
});

test("what is no HTTP, and what never ends, is cut off", async () => {
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

async function impatient(timeouts: Partial<Timeouts>) {
	shared ??= await testCertificates(systemClock().now());
	const api = await testApi();
	const listener = await listen(api, { tls: { ...shared.server, clientCa: shared.ca }, timeouts });
	const client = { ca: shared.ca, ...(await shared.client("CN=ann, O=system:masters")) };
	closers.push(
		() => api.close(),
		() => listener.close(),
	);
	return { api, port: listener.port, ca: shared.ca, client, origin: `https://127.0.0.1:${listener.port}` };
}

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

test("a connection without a request, and one without a handshake, do not stay", async () => {
	const { port, ca, origin, client } = await impatient({ idleMs: 100, handshakeMs: 100 });
	expect(await raw(port, ca, "")).toBe("");
	const silent = connect(port ?? 0, "127.0.0.1");
	silent.on("error", () => {});
	await once(silent, "close");
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

test("who may not send a body is refused before it comes", async () => {
	const { listener, tls } = await secure();
	const head = `POST ${configMaps} HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n{`;
	const answer = await raw(listener.port, tls.ca, head);
	expect(answer).toMatch(/^HTTP\/1.1 401 /);
	expect(statusOf(answer)).toMatchObject({ kind: "Status", code: 401 });
});

test("a large answer that nobody takes is given up", async () => {
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

test("a watcher gets all there is however much it is, and is cut off when it does not read what comes", async () => {
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
