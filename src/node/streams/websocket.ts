/** Exec, attach and port forwarding over WebSocket: the first byte of each message names its channel. */
import type { IncomingMessage } from "node:http";
import { Duplex, PassThrough, Writable } from "node:stream";
import { createWebSocketStream, type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import type { ExecSession } from "../../runtime/runtime.ts";
import { defaultPingMs, pingUntil, shareOf } from "./held-up/held-up.ts";
import { badRequest, refuseUpgrade } from "./http-error.ts";
import { forwardPort, type PortForwardTarget, servePortForward } from "./port-forward.ts";
import { type CommandOptions, type CommandStatus, type RemoteStreams, runCommand } from "./remote-command.ts";
import { parseSize } from "./spdy-command.ts";

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** Newest first. In the base64 ones the channel is a digit, and messages are text. */
const commandProtocols = [
	"v5.channel.k8s.io",
	"v4.channel.k8s.io",
	"v3.channel.k8s.io",
	"v2.channel.k8s.io",
	"channel.k8s.io",
	"v4.base64.channel.k8s.io",
	"base64.channel.k8s.io",
];
const tunnelProtocol = "SPDY/3.1+portforward.k8s.io";
const longestMessage = 32 * 1024 * 1024;

/** A server for one connection: the limit for messages depends on the number of connections. */
function serverFor(socket: Duplex, options: ServerOptions): WebSocketServer {
	const maxPayload = shareOf(socket, longestMessage);
	const server = new WebSocketServer({ ...options, noServer: true, perMessageDeflate: false, maxPayload });
	return server.on("wsClientError", ({ message }: Error) =>
		refuseUpgrade(socket, badRequest(`unable to upgrade: ${message}`)),
	);
}

function channelServer(socket: Duplex): WebSocketServer {
	return serverFor(socket, {
		handleProtocols: (offered) => commandProtocols.find((protocol) => offered.has(protocol)) ?? false,
	});
}

/** Serves one command; resolves when the connection is over. */
export function serveWebSocketCommand(
	request: IncomingMessage,
	socket: Duplex,
	head: Buffer,
	options: CommandOptions,
	start: (signal: AbortSignal) => Promise<ExecSession>,
	pingMs = defaultPingMs,
): void {
	channelServer(socket).handleUpgrade(request, socket, head, (websocket) => {
		const abort = new AbortController();
		websocket.on("close", () => abort.abort(new Error("the client has left")));
		websocket.on("error", () => websocket.terminate());
		void runCommand(() => start(abort.signal), clientStreams(websocket, options, pingMs));
	});
}

function clientStreams(websocket: WebSocket, options: CommandOptions, pingMs: number): RemoteStreams {
	const { protocol } = websocket;
	const base64 = protocol.includes("base64");
	const send = (channel: number, data: Buffer) => sendMessage(websocket, base64, channel, data);
	const output = (channel: number) => writable((chunk) => send(channel, chunk));
	const stdin = options.stdin ? new PassThrough() : undefined;
	/** The first size arrives before the command runs, and may be the only one. */
	let size: ReturnType<typeof parseSize>;
	let resize: (columns: number, rows: number) => void = () => {};
	websocket.on("message", (data: Buffer) => {
		const { channel, payload } = messageOf(data, base64);
		if (channel === channels.stdin && stdin !== undefined) receive(websocket, stdin, payload, pingMs);
		else if (channel === channels.resize) {
			size = parseSize(payload.toString()) ?? size;
			if (size !== undefined) resize(size.Width, size.Height);
		} else if (channel === channels.close && payload[0] === channels.stdin) stdin?.end();
	});
	websocket.on("close", () => stdin?.end());
	return {
		...(stdin === undefined ? {} : { stdin }),
		...(options.stdout ? { stdout: output(channels.stdout) } : {}),
		...(options.stderr ? { stderr: output(channels.stderr) } : {}),
		onResize: (listener) => {
			resize = listener;
			if (size !== undefined) listener(size.Width, size.Height);
		},
		async finish(status) {
			const text = statusText(status, protocol);
			if (text !== "") await send(channels.error, Buffer.from(text));
			websocket.close(1000);
		},
	};
}

/** An empty message has no channel. */
function messageOf(data: Buffer, base64: boolean): { channel: number; payload: Buffer } {
	const [first = Number.NaN] = data;
	return base64
		? { channel: first - 0x30, payload: Buffer.from(data.toString("latin1", 1), "base64") }
		: { channel: first, payload: data.subarray(1) };
}

/** Pauses the connection while the command does not read its input. */
function receive(websocket: WebSocket, stdin: PassThrough, payload: Buffer, pingMs = defaultPingMs): void {
	// Data that was received before the pause still arrives.
	if (stdin.writableEnded || payload.length === 0 || stdin.write(payload) || websocket.isPaused) return;
	websocket.pause();
	const room = new Promise<void>((resolve) => {
		stdin.once("drain", resolve).once("close", resolve);
		websocket.once("close", resolve);
	});
	void pingUntil(room, () => websocket.ping(), pingMs).then(() => websocket.resume());
}

function statusText(status: CommandStatus, protocol: string): string {
	if (protocol.startsWith("v5") || protocol.startsWith("v4")) return JSON.stringify(status);
	return status.status === "Success" ? "" : (status.message ?? "");
}

function sendMessage(websocket: WebSocket, base64: boolean, channel: number, data: Buffer): Promise<void> {
	const message = base64 ? `${channel}${data.toString("base64")}` : Buffer.concat([Buffer.from([channel]), data]);
	return new Promise((resolve, reject) => {
		websocket.send(message, (error) => (error ? reject(error) : resolve()));
	});
}

function writable(send: (chunk: Buffer) => Promise<void>): Writable {
	const stream = new Writable({
		write(chunk: Buffer, _encoding, done) {
			send(chunk).then(() => done(), done);
		},
	});
	return stream.on("error", () => {});
}

/** Serves port forwarding: tunnelled SPDY, or a pair of channels for each port in the query. */
export function serveWebSocketPortForward(
	request: IncomingMessage,
	socket: Duplex,
	head: Buffer,
	target: PortForwardTarget,
	ports: readonly number[],
): void {
	const offered = request.headers["sec-websocket-protocol"] ?? "";
	if (offered.split(/,\s*/).includes(tunnelProtocol)) {
		delete request.headers["sec-websocket-protocol"];
		// `ws` rejects a subprotocol that contains a slash, so it does not see the request's; the response still names it.
		const tunnel = serverFor(socket, {});
		tunnel.on("headers", (headers) => headers.push(`Sec-WebSocket-Protocol: ${tunnelProtocol}`));
		tunnel.handleUpgrade(request, socket, head, (websocket) => {
			const stream = createWebSocketStream(websocket);
			stream.on("error", () => {});
			void servePortForward(stream, Buffer.alloc(0), target);
		});
		return;
	}
	channelServer(socket).handleUpgrade(request, socket, head, (websocket) =>
		servePortChannels(websocket, target, ports),
	);
}

/** Channel 2n carries the data of port n, channel 2n+1 its errors; both begin with the port number, little-endian. */
function servePortChannels(websocket: WebSocket, target: PortForwardTarget, ports: readonly number[]): void {
	const base64 = websocket.protocol.includes("base64");
	const abort = new AbortController();
	websocket.on("close", () => abort.abort(new Error("the client has left")));
	websocket.on("error", () => websocket.terminate());
	const sessions: Promise<void>[] = [];
	const inputs = ports.map((port, index) => {
		const header = Buffer.alloc(2);
		header.writeUInt16LE(port);
		const [data, error] = [index * 2, index * 2 + 1];
		const greeted = Promise.all([data, error].map((channel) => sendMessage(websocket, base64, channel, header)));
		const input = new PassThrough();
		// A channel cannot be half-closed: when the pod closes the connection, it is over.
		const output = writable((chunk) => sendMessage(websocket, base64, data, chunk)).on("finish", () => input.end());
		const client = Duplex.from({ readable: input, writable: output });
		const session = greeted
			.then(() => forwardPort(client, port, target, abort.signal))
			.then((failure) =>
				failure === undefined ? undefined : sendMessage(websocket, base64, error, Buffer.from(failure)),
			);
		sessions.push(session.catch(() => websocket.terminate()));
		return input;
	});
	void Promise.all(sessions).then(() => websocket.close(1000));
	websocket.on("message", (message: Buffer) => {
		const { channel, payload } = messageOf(message, base64);
		const input = channel % 2 === 0 ? inputs[channel / 2] : undefined;
		if (input !== undefined) receive(websocket, input, payload);
	});
	websocket.on("close", () => {
		for (const input of inputs) input.end();
	});
}
