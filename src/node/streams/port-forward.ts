/** Port forwarding over SPDY/3.1: an error and a data stream with the same request ID for each connection. */

import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf } from "../../core/errors.ts";
import type { SpdyStream } from "../../core/spdy/stream.ts";
import { serveSpdy } from "./spdy/connection.ts";

export const portForwardProtocol = "portforward.k8s.io";

/** The maximum number of streams that wait for the other stream of their pair. */
const mostHalfPairs = 100;

export interface PortForwardTarget {
	/** The name of the target in error messages. */
	describe: string;
	/** @throws Error if the port cannot be reached */
	connect(port: number, signal: AbortSignal): Promise<Duplex>;
}

interface Pair {
	error?: SpdyStream;
	data?: SpdyStream;
}

/** Serves one upgraded connection; resolves when it is over. */
export async function servePortForward(socket: Duplex, head: Buffer, target: PortForwardTarget): Promise<void> {
	const pairs = new Map<string, Pair>();
	const abort = new AbortController();
	const connection = serveSpdy(socket, head, (stream) => {
		const type = stream.headers.get("streamtype");
		if (type !== "error" && type !== "data") throw new Error(`unexpected stream type: ${type}`);
		// Clients from before request IDs open the error stream first and the data stream right after it.
		const id = stream.headers.get("requestid") ?? String(type === "error" ? stream.id : stream.id - 2);
		const pair: Pair = pairs.get(id) ?? {};
		pair[type] = stream;
		pairs.set(id, pair);
		if (pairs.size > mostHalfPairs) throw new Error("too many half-open connections");
		if (pair.error === undefined || pair.data === undefined) return;
		pairs.delete(id);
		void forward(pair.error, pair.data, target, abort.signal);
	});
	await connection.closed;
	abort.abort(new Error("the client has left"));
}

async function forward(
	error: SpdyStream,
	data: SpdyStream,
	target: PortForwardTarget,
	signal: AbortSignal,
): Promise<void> {
	const port = Number(data.headers.get("port"));
	error.resume();
	const failure = await forwardPort(data, port, target, signal);
	error.end(failure ?? "");
	if (failure !== undefined) data.end();
}

/**
 * Connects a client's stream to a port of the pod until both halves have ended.
 * @returns the error, for the client
 */
export async function forwardPort(
	client: Duplex,
	port: number,
	target: PortForwardTarget,
	signal: AbortSignal,
): Promise<string | undefined> {
	let remote: Duplex;
	try {
		remote = await target.connect(port, signal);
	} catch (error) {
		const message = messageOf(error);
		return `error forwarding port ${port} to pod ${target.describe}: ${message}`;
	}
	const end = () => remote.destroy();
	signal.addEventListener("abort", end, { once: true });
	try {
		await Promise.all([pipeline(client, remote, { end: true }), copy(remote, client)]);
		return undefined;
	} catch {
		// One side closed the connection, which is normal.
		remote.destroy();
		client.end();
		return undefined;
	} finally {
		signal.removeEventListener("abort", end);
	}
}

/** Unlike `pipeline`, does not close the other half of `to`. */
async function copy(from: Duplex, to: Duplex): Promise<void> {
	for await (const chunk of from) {
		if (to.destroyed || to.writableEnded) return;
		if (!to.write(chunk)) {
			await new Promise<void>((resolve) => {
				const go = () => {
					to.off("drain", go).off("close", go);
					resolve();
				};
				to.on("drain", go).on("close", go);
			});
		}
	}
	to.end();
}
