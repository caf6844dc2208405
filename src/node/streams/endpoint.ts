/**
 * The agent's HTTP endpoint, with the kubelet's paths. It serves connections that the caller has accepted and
 * authorized.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { messageOf } from "../../core/errors.ts";
import { isWebSocket } from "../../core/websocket-request.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { ExecSession } from "../../runtime/runtime.ts";
import { containerLog } from "./container-logs.ts";
import { badRequest, HttpError, notFound, refuseUpgrade } from "./http-error.ts";
import { type LogPlace, sendNodeLog } from "./node-logs.ts";
import { findLogged, findPod, findRunning, findSandbox, logOptions } from "./pod-lookup.ts";
import { type PortForwardTarget, portForwardProtocol, servePortForward } from "./port-forward.ts";
import { commandOptions } from "./remote-command.ts";
import { type ReportSources, report } from "./reports.ts";
import { commandProtocols, serveSpdyCommand } from "./spdy-command.ts";

export interface EndpointOptions extends ReportSources {
	/** Location of the node's logs. */
	logs?: LogPlace | undefined;
	/** Aborts when the agent stops. */
	signal: AbortSignal;
}

/** The head contains exec's command line: this is as much as the API server forwards. */
const largestHeadBytes = 1024 * 1024;

/** @returns a function that serves HTTP on a connection */
export function createEndpoint(options: EndpointOptions): (stream: Duplex) => void {
	const server = createServer({ maxHeaderSize: largestHeadBytes }, (request, response) => {
		answer(options, request, response).catch((error: unknown) => refuse(response, error));
	});
	const upgraded = new Set<Duplex>();
	server.on("upgrade", (request, socket, head) => {
		upgraded.add(socket);
		socket.on("close", () => upgraded.delete(socket));
		socket.on("error", () => socket.destroy());
		upgrade(options, request, socket, head).catch((error: unknown) => refuseUpgrade(socket, error));
	});
	const closeAll = () => {
		server.closeAllConnections();
		for (const socket of upgraded) socket.destroy();
	};
	options.signal.addEventListener("abort", closeAll, { once: true });
	return (stream) => server.emit("connection", stream);
}

async function answer(options: EndpointOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const url = new URL(request.url ?? "/", "http://node");
	const parts = url.pathname
		.split("/")
		.filter((part) => part !== "")
		.map(decodeURIComponent);
	switch (parts[0]) {
		case "containerLogs":
			return sendLog(options, parts, url.searchParams, response);
		case "logs":
			if (options.logs === undefined) break;
			return sendNodeLog(options.logs, decodeURIComponent(url.pathname.slice("/logs".length)) || "/", response);
		case "exec":
		case "attach":
		case "portForward":
			throw badRequest(
				"unable to upgrade: you must specify at least 1 of stdin, stdout, stderr and ask for an upgrade",
			);
	}
	const found = await report(options, parts.join("/"));
	if (found === undefined) throw notFound("404 page not found");
	response.setHeader("Content-Type", found.contentType);
	response.end(found.body);
}

function sendLog(
	{ context, pods, signal }: EndpointOptions,
	[, namespace = "", name = "", container = ""]: string[],
	query: URLSearchParams,
	response: ServerResponse,
): void {
	const pod = findPod(pods(), namespace, name, query.get("uid"));
	const options = logOptions(query, context.clock.now());
	const logged = findLogged(pod, container, context.view.of(pod.metadata.uid), options.previous);
	const left = new AbortController();
	response.on("close", () => left.abort());
	response.setHeader("Content-Type", "text/plain");
	// The client receives the head before there is any output.
	response.flushHeaders();
	const log = containerLog(context, pod.metadata.uid, logged, options, AbortSignal.any([left.signal, signal]));
	log.on("error", () => response.destroy());
	log.pipe(response);
}

async function upgrade(
	options: EndpointOptions,
	request: IncomingMessage,
	socket: Duplex,
	head: Buffer,
): Promise<void> {
	const url = new URL(request.url ?? "/", "http://node");
	const [verb, namespace = "", name = "", ...rest] = url.pathname
		.split("/")
		.filter((part) => part !== "")
		.map(decodeURIComponent);
	const query = url.searchParams;
	if (verb === "exec" || verb === "attach") {
		// `/exec/NAMESPACE/POD/UID/CONTAINER` is the form with a UID.
		const container = rest.at(-1) ?? "";
		const pod = findPod(options.pods(), namespace, name, rest.length > 1 ? (rest[0] ?? null) : query.get("uid"));
		await serveCommand(options, verb, pod, container, query, request, socket, head);
	} else if (verb === "portForward") {
		const pod = findPod(options.pods(), namespace, name, rest[0] ?? query.get("uid"));
		await servePorts(options, pod, query, request, socket, head);
	} else throw notFound("404 page not found");
}

async function serveCommand(
	{ context, signal }: EndpointOptions,
	verb: "exec" | "attach",
	pod: Pod,
	name: string,
	query: URLSearchParams,
	request: IncomingMessage,
	socket: Duplex,
	head: Buffer,
): Promise<void> {
	const { runtime, view } = context;
	const options = commandOptions(query);
	if (!options.stdin && !options.stdout && !options.stderr) {
		throw badRequest("you must specify at least 1 of stdin, stdout, stderr");
	}
	const container = findRunning(pod, name, view.of(pod.metadata.uid));
	const start = (left: AbortSignal) => {
		const ended = AbortSignal.any([left, signal]);
		if (verb === "attach") return attached(runtime.attach(container.id, { stdin: options.stdin, signal: ended }));
		const command = query.getAll("command");
		return runtime.exec(container.id, { command, tty: options.tty, stdin: options.stdin, signal: ended });
	};
	if (isWebSocket(request)) {
		const { serveWebSocketCommand } = await webSockets();
		serveWebSocketCommand(request, socket, head, options, start);
		return;
	}
	const offered = headerList(request, "x-stream-protocol-version");
	const protocol = offered.length === 0 ? "channel.k8s.io" : commandProtocols.find((known) => offered.includes(known));
	if (protocol === undefined) {
		throw new HttpError(
			403,
			`unable to upgrade: unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${commandProtocols.join(" ")}]`,
		);
	}
	acceptSpdy(request, socket, protocol);
	void serveSpdyCommand(socket, head, protocol, options, start);
}

/**
 * A session that always succeeds: upstream's attach does not report exit codes, and kubectl takes a failure for a
 * failed attach and prints the container's logs after the output.
 */
async function attached(session: Promise<ExecSession>): Promise<ExecSession> {
	const { exitCode, ...streams } = await session;
	return { ...streams, exitCode: exitCode.then(() => 0) };
}

async function servePorts(
	{ context }: EndpointOptions,
	pod: Pod,
	query: URLSearchParams,
	request: IncomingMessage,
	socket: Duplex,
	head: Buffer,
): Promise<void> {
	const { runtime, view } = context;
	const sandbox = findSandbox(pod, view.of(pod.metadata.uid));
	const target: PortForwardTarget = {
		describe: `${sandbox.id}, uid : ${pod.metadata.uid}`,
		connect: (port, signal) => runtime.connect(sandbox.id, port, signal),
	};
	if (isWebSocket(request)) {
		const { serveWebSocketPortForward } = await webSockets();
		serveWebSocketPortForward(request, socket, head, target, portsOf(query));
		return;
	}
	acceptSpdy(request, socket, portForwardProtocol);
	void servePortForward(socket, head, target);
}

/** Loaded on first use: the library uses more memory than the rest of this folder. */
const webSockets = () => import("./websocket.ts");

/** Each port uses two of the 256 channels that a message can address. */
const mostPorts = 128;

/** @throws HttpError for an invalid port, and for too many */
function portsOf(query: URLSearchParams): number[] {
	const texts = (query.getAll("ports").length > 0 ? query.getAll("ports") : query.getAll("port")).flatMap((text) =>
		text.split(","),
	);
	if (texts.length > mostPorts) throw badRequest(`no more than ${mostPorts} ports can be forwarded at a time`);
	return texts.map((text) => {
		const port = Number(text);
		if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw badRequest(`unable to parse "${text}" as a port`);
		return port;
	});
}

function acceptSpdy(request: IncomingMessage, socket: Duplex, protocol: string): void {
	if (request.headers.upgrade?.toLowerCase() !== "spdy/3.1")
		throw badRequest("unable to upgrade: missing upgrade headers in request");
	const lines = [
		"HTTP/1.1 101 Switching Protocols",
		"Connection: Upgrade",
		"Upgrade: SPDY/3.1",
		`X-Stream-Protocol-Version: ${protocol}`,
	];
	socket.write(`${lines.join("\r\n")}\r\n\r\n`);
}

function headerList(request: IncomingMessage, name: string): string[] {
	const values = [request.headers[name] ?? []].flat();
	return values.flatMap((value) => value.split(",")).map((value) => value.trim());
}

function refuse(response: ServerResponse, error: unknown): void {
	if (response.headersSent) {
		response.destroy();
		return;
	}
	response.statusCode = error instanceof HttpError ? error.code : 500;
	response.setHeader("Content-Type", "text/plain; charset=utf-8");
	response.end(messageOf(error));
}
