/** Clients that send more than is read, and disconnect. */
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { Duplex, PassThrough } from "node:stream";
import { deflateSync } from "node:zlib";
import { afterEach, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { controlFrame, dataFrames, frameTypes } from "../../core/spdy/frames.ts";
import { dictionary, HeaderDecoder, HeaderEncoder, uint32 } from "../../core/spdy/headers.ts";
import type { SpdyStream } from "../../core/spdy/stream.ts";
import { type SpdyConnection, serveSpdy } from "./spdy/connection.ts";
import { serveWebSocketCommand } from "./websocket.ts";

const pingMs = 5;
const servers: Server[] = [];
afterEach(() => {
	for (const server of servers.splice(0)) server.close();
});

async function portOf(server: Server): Promise<number> {
	servers.push(server);
	server.listen(0, "127.0.0.1");
	await once(server, "listening");
	// The address of a listening TCP server.
	return (server.address() as AddressInfo).port;
}

/** A client's socket, and the server's connection to it. */
async function spdy(): Promise<{ client: Socket; connection: SpdyConnection; streams: SpdyStream[] }> {
	const streams: SpdyStream[] = [];
	let accepted: (connection: SpdyConnection) => void = () => {};
	const accepting = new Promise<SpdyConnection>((resolve) => {
		accepted = resolve;
	});
	const server = createServer((socket) =>
		accepted(serveSpdy(socket, Buffer.alloc(0), (stream) => streams.push(stream), pingMs)),
	);
	const client = connect(await portOf(server), "127.0.0.1");
	client.on("error", () => {});
	return { client, connection: await accepting, streams };
}

function openStreams(client: Socket, ids: readonly number[]): void {
	const encoder = new HeaderEncoder();
	for (const id of ids) {
		const place = Buffer.concat([uint32(id), uint32(0), Buffer.alloc(2)]);
		const headers = encoder.encode(new Map([["streamtype", "data"]]));
		client.write(controlFrame(frameTypes.synStream, 0, Buffer.concat([place, headers])));
	}
}

test("a SPDY connection whose client leaves while nobody reads from it is over", async () => {
	const { client, connection } = await spdy();
	openStreams(client, [1]);
	for (const frame of dataFrames(1, Buffer.alloc(8 * 1024 * 1024), false)) client.write(frame);
	// The server checks whether the client is alive: a PING from the server.
	for await (const chunk of client) if (Buffer.from([0x80, 3, 0, 6]).equals((chunk as Buffer).subarray(-12, -8))) break;
	client.destroy();
	await connection.closed;
});

test("the streams of a SPDY connection hold 4 MiB together, and go on when one is read", async () => {
	const { client, connection, streams } = await spdy();
	const ids = Array.from({ length: 12 }, (_, index) => 2 * index + 1);
	openStreams(client, ids);
	for (const id of ids) for (const frame of dataFrames(id, Buffer.alloc(900_000), true)) client.write(frame);
	const held = () => streams.reduce((sum, { readableLength }) => sum + readableLength, 0);
	await vi.waitFor(() => expect(held()).toBeGreaterThan(4 * 1024 * 1024));
	let bytes = 0;
	for (const stream of streams)
		for await (const chunk of stream) {
			expect(held()).toBeLessThan(4.5 * 1024 * 1024);
			bytes += (chunk as Buffer).length;
		}
	expect(bytes).toBe(12 * 900_000);
	client.destroy();
	await connection.closed;
});

test("nothing is waited for after the end of compressed header blocks", async () => {
	const decoder = new HeaderDecoder();
	await decoder.decode(deflateSync(uint32(0), { dictionary })).catch(() => {});
	await expect(decoder.decode(Buffer.alloc(10))).rejects.toThrow();
});

test("a command whose WebSocket client leaves while its input is not read is told so", async () => {
	const signals: AbortSignal[] = [];
	const server = createHttpServer().on("upgrade", (request, socket, head) => {
		const options = { stdin: true, stdout: true, stderr: false, tty: false };
		const start = async (signal: AbortSignal) => {
			signals.push(signal);
			const stdin = new Duplex({ read() {}, write() {} });
			return { stdin, stdout: new PassThrough(), resize() {}, exitCode: new Promise<number>(() => {}) };
		};
		serveWebSocketCommand(request, socket, head, options, start, pingMs);
	});
	const client = new WebSocket(`ws://127.0.0.1:${await portOf(server)}`, "v5.channel.k8s.io");
	client.on("error", () => {});
	await once(client, "open");
	for (let index = 0; index < 64; index++) client.send(Buffer.alloc(128 * 1024));
	await once(client, "ping");
	client.terminate();
	await vi.waitFor(() => expect(signals[0]?.aborted).toBe(true));
	server.closeAllConnections();
});
