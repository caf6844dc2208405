/** What reaches a pod through its agent: logs, exec, HTTP. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createSecureServer, request } from "node:https";
import type { Duplex } from "node:stream";
import { afterEach, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { AuditEvent } from "./audit/event.ts";
import { auditPolicy } from "./audit/policy.ts";
import { duplexPair } from "./sockets/duplex-pair.ts";
import { closeAll, configMaps, http1, secure, sharedCertificates } from "./testing/clients.ts";
import { type TestApi, testApi } from "./testing/test-api.ts";

afterEach(closeAll);

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
	const { body } = await http1(`${log}?tailLines=2`, tls);
	expect(body.toString()).toBe("line 1\nline 2\n");
	expect(asked).toEqual(["/containerLogs/default/p/c?tailLines=2"]);
	for (const wrong of ["tailLines=99999999999999999999", "limitBytes=x", "sinceTime=x"])
		expect((await http1(`${log}?${wrong}`, tls)).status, wrong).toBe(400);
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

test("exec, logs and proxies are counted while they run, and when they are over", async () => {
	const dialAgent = agent(
		(_incoming, response) => void response.write("a line\n"),
		(socket) => {
			socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n");
		},
	);
	const { api, tls, origin } = await secure({ dialAgent });
	await withPod(api);
	const pod = "/api/v1/namespaces/default/pods/p";
	const counted = async (family: string, subresource: string) => {
		const text = (await api.ask("GET", "/metrics")).text();
		const lines = text.split("\n").filter((line) => line.startsWith(`${family}{verb="CONNECT"`));
		return lines
			.filter((line) => line.includes(`resource="pods",subresource="${subresource}",scope="resource"`))
			.map((line) => `${/code="\d+"/.exec(line)?.[0] ?? "running"} ${line.slice(line.lastIndexOf(" ") + 1)}`);
	};
	const running = (subresource: string) => counted("apiserver_longrunning_requests", subresource);
	const over = (subresource: string) => counted("apiserver_request_total", subresource);
	const { socket } = await upgradeOver(tls, origin, `${pod}/exec?command=ls&container=c&stdout=true`);
	expect([await running("exec"), await over("exec")]).toEqual([["running 1"], []]);
	socket.destroy();
	// Upstream does not see the status of what it passes on.
	await vi.waitFor(async () => expect(await over("exec")).toEqual(['code="0" 1']));
	expect(await running("exec")).toEqual([]);
	(await upgradeOver(tls, origin, `${pod.replace(/p$/, "none")}/exec?command=ls`)).socket.destroy();
	expect(await over("exec")).toEqual(['code="0" 1', 'code="404" 1']);
	// Of the clients' certificate, which holds for a day.
	const certificate = (await api.ask("GET", "/metrics")).text();
	expect(certificate).toMatch(/^apiserver_client_certificate_expiration_seconds_bucket\{le="3600"\} 0$/m);
	expect(certificate).toMatch(/^apiserver_client_certificate_expiration_seconds_bucket\{le="172800"\} 2$/m);

	const following = new AbortController();
	const { response } = await api.ask("GET", `${pod}/log?follow=true`, undefined, { signal: following.signal });
	expect([response.status, await running("log"), await over("log")]).toEqual([200, ["running 1"], []]);
	following.abort();
	expect([await running("log"), await over("log")]).toEqual([[], ['code="200" 1']]);
});

test("a service's endpoints that are no pods are reached where the cluster knows a way", async () => {
	const backend = createServer((incoming, response) => response.end(`asked for ${incoming.url}`));
	const dialled: string[] = [];
	const dialAddress = (address: string, port: number) => {
		dialled.push(`${address}:${port}`);
		if (port !== 8080) return undefined;
		const [client, served] = duplexPair();
		backend.emit("connection", served);
		return client;
	};
	const api = await testApi({ dialAddress });
	const ports = [
		{ name: "web", port: 80, targetPort: 8080 },
		{ name: "other", port: 81, targetPort: 8081 },
	];
	await api.ask("POST", "/api/v1/namespaces/default/services", { metadata: { name: "s" }, spec: { ports } });
	await api.ask("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", {
		metadata: { name: "s-1", labels: { "kubernetes.io/service-name": "s" } },
		addressType: "IPv4",
		endpoints: [{ addresses: ["10.96.0.77"] }],
		ports: [
			{ name: "web", port: 8080 },
			{ name: "other", port: 8081 },
		],
	});
	const proxied = "/api/v1/namespaces/default/services/s:web/proxy/x?y=1";
	const { response } = await api.ask("GET", proxied);
	if (response.type !== "stream") throw new Error(`answered with a ${response.type}`);
	const parts: Uint8Array[] = [];
	for await (const part of response.body) parts.push(part);
	expect(Buffer.concat(parts).toString()).toBe("asked for /x?y=1");
	expect((await api.ask("GET", proxied.replace("s:web", "s:other"))).object).toMatchObject({
		code: 503,
		message: "error trying to reach service: dial tcp 10.96.0.77:8081: only pods can be reached through the API server",
	});
	expect(dialled).toEqual(["10.96.0.77:8080", "10.96.0.77:8081"]);
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

test("a pod that switches to another protocol, though nobody asked for it, is not reached", async () => {
	const switching = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
	const backend = createServer(({ socket }) => socket.write(switching));
	const { api, tls, origin } = await secure({ dialAgent: forwardingAgent(backend) });
	await withPod(api);
	const { status, body } = await http1(`${origin}${podProxy("p:8080")}/`, tls);
	expect([status, JSON.parse(body.toString()).message]).toEqual([
		503,
		"error trying to reach service: unexpected switch to another protocol",
	]);
});

test("a proxied page links to what is below the proxy, over TLS, too, whatever certificate the pod has", async () => {
	const page = (incoming: IncomingMessage, response: ServerResponse) => {
		response.setHeader("Content-Type", "text/html");
		if (incoming.url === "/moved") response.writeHead(302, { Location: `http://${incoming.headers.host}/to` }).end();
		else response.end(`<a href="/next">${incoming.headers["x-forwarded-uri"]}</a>`);
	};
	const shared = await sharedCertificates();
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
