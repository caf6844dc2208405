/**
 * Exec and attach over SPDY/3.1: one stream each for error, stdin, stdout, stderr and resize (remotecommand protocol v1
 * to v4).
 */
import { once } from "node:events";
import type { Duplex, Writable } from "node:stream";
import type { SpdyStream } from "../../core/spdy/stream.ts";
import type { ExecSession } from "../../runtime/runtime.ts";
import { type CommandOptions, type CommandStatus, type RemoteStreams, runCommand } from "./remote-command.ts";
import { type SpdyConnection, serveSpdy } from "./spdy/connection.ts";

/** Newest first. */
export const commandProtocols = [
	"v4.channel.k8s.io",
	"v3.channel.k8s.io",
	"v2.channel.k8s.io",
	"channel.k8s.io",
] as const;

/** The streams that a client of the protocol opens for the options. */
function expected(options: CommandOptions, protocol: string): string[] {
	const names = ["error"];
	if (options.stdin) names.push("stdin");
	if (options.stdout) names.push("stdout");
	if (options.stderr) names.push("stderr");
	if (options.tty && (protocol.startsWith("v3") || protocol.startsWith("v4"))) names.push("resize");
	return names;
}

/**
 * Serves one command on an upgraded connection. Resolves when the connection is over; `signal` aborts when the client
 * leaves.
 */
export async function serveSpdyCommand(
	socket: Duplex,
	head: Buffer,
	protocol: string,
	options: CommandOptions,
	start: (signal: AbortSignal) => Promise<ExecSession>,
): Promise<void> {
	const wanted = expected(options, protocol);
	const streams = new Map<string, SpdyStream>();
	const abort = new AbortController();
	const connection: SpdyConnection = serveSpdy(socket, head, (stream) => {
		const type = stream.headers.get("streamtype") ?? "";
		// A second stream of a type would start the command again.
		if (!wanted.includes(type) || streams.has(type)) throw new Error(`unexpected stream type: ${type}`);
		streams.set(type, stream);
		if (streams.size < wanted.length) return;
		const client = clientStreams(streams, protocol, () => connection.close());
		void runCommand(() => start(abort.signal), client);
	});
	await connection.closed;
	abort.abort(new Error("the client has left"));
}

function clientStreams(streams: Map<string, SpdyStream>, protocol: string, close: () => void): RemoteStreams {
	const [stdin, stdout, stderr] = ["stdin", "stdout", "stderr"].map((type) => streams.get(type));
	return {
		...(stdin === undefined ? {} : { stdin }),
		...(stdout === undefined ? {} : { stdout }),
		...(stderr === undefined ? {} : { stderr }),
		onResize(listener) {
			let text = "";
			streams.get("resize")?.on("data", (chunk: Buffer) => {
				// A sequence of JSON objects, with or without line breaks.
				text = (text + chunk.toString()).slice(-4096);
				for (let end = text.indexOf("}"); end >= 0; end = text.indexOf("}")) {
					const size = parseSize(text.slice(0, end + 1));
					text = text.slice(end + 1);
					if (size !== undefined) listener(size.Width, size.Height);
				}
			});
		},
		async finish(status) {
			const error = streams.get("error");
			await Promise.all([...streams.values()].filter((stream) => stream !== error).map(ended));
			if (error !== undefined) {
				const text = statusText(status, protocol);
				if (text !== "") error.write(text);
				await ended(error);
			}
			close();
		},
	};
}

/** `{"Width":80,"Height":24}`; undefined for anything else. */
export function parseSize(text: string): { Width: number; Height: number } | undefined {
	try {
		const size: unknown = JSON.parse(text);
		if (typeof size !== "object" || size === null || !("Width" in size) || !("Height" in size)) return undefined;
		return { Width: Number(size.Width), Height: Number(size.Height) };
	} catch {
		return undefined;
	}
}

/** Before v4, the error stream carries a text, and an empty one means success. */
function statusText(status: CommandStatus, protocol: string): string {
	if (protocol.startsWith("v4")) return JSON.stringify(status);
	return status.status === "Success" ? "" : (status.message ?? "");
}

async function ended(stream: Writable): Promise<void> {
	if (stream.destroyed || stream.writableFinished) return;
	stream.end();
	await Promise.race([once(stream, "finish"), once(stream, "close")]).catch(() => {});
}
