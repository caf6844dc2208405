/** Sends a watch to a client, over any protocol. */
import { ApiError } from "../../core/errors.ts";
import type { ApiResponse, WatchFrames } from "../../core/exchange.ts";
import { eventLine, SharedEvent } from "../cache/event.ts";
import type { Connections } from "./connections.ts";
import { watchBacklogBytes } from "./limits.ts";
import type { Presence } from "./presence.ts";
import type { Reply } from "./reply.ts";

/** The maximum size of a write to a watcher, unless one event is larger. */
const watchWriteBytes = 256 * 1024;
/** How many unread bytes a watcher may have without being waited for, which costs more than a write. */
const watchPatienceBytes = 64 * 1024;

export type WatchConnections = Pick<Connections, "addWatch" | "watchCount">;

export interface WatchReply extends Pick<Reply, "head" | "drained" | "destroy" | "bufferedBytes"> {
	/** Each an event with its line break, or a frame. False when the client should be waited for. */
	writeLines(lines: readonly Buffer[]): boolean;
	end(): void;
}

/**
 * Events of one turn of the event loop are sent in one write. Unread events of a slow client wait as the lines that all
 * watchers share; only one write is copied.
 */
export function serveWatch(
	response: Extract<ApiResponse, { type: "watch" }>,
	reply: WatchReply,
	client: Presence,
	connections: WatchConnections,
): void {
	const { frames = jsonLines } = response;
	let lines: Buffer[] = [];
	let queuedBytes = 0;
	let isFull = false;
	/** The size of the initial events, which may be as long as a list and do not count. Undefined until it is known. */
	let initialBytes: number | undefined;
	let over = false;
	let forget: (() => void) | undefined;
	const flush = () => {
		if (isFull) return;
		while (lines.length > 0 && !client.isGone) {
			const batch = queuedBytes <= watchWriteBytes ? lines : firstBytes(lines, watchWriteBytes);
			lines = batch.length === lines.length ? [] : lines.slice(batch.length);
			for (const line of batch) queuedBytes -= line.length;
			if (reply.writeLines(batch) || over || reply.bufferedBytes() < watchPatienceBytes) continue;
			isFull = true;
			void reply.drained().then(() => {
				isFull = false;
				flush();
			});
			return;
		}
		initialBytes = 0;
	};
	const end = () => {
		if (over) return;
		over = true;
		forget?.();
		if (client.isGone) return;
		isFull = false;
		flush();
		reply.end();
	};
	const add = (line: Buffer) => {
		if (lines.length === 0 && !isFull) setImmediate(flush);
		lines.push(line);
		queuedBytes += line.length;
		if (initialBytes === undefined) return;
		// A single event may exceed the limit.
		const allowedBytes = initialBytes + watchBacklogBytes(connections.watchCount) + line.length;
		if (queuedBytes + reply.bufferedBytes() <= allowedBytes) return;
		lines = [];
		reply.destroy();
	};
	reply.head(response.status, response.headers);
	forget = connections.addWatch(end);
	if (over) return;
	client.signal.addEventListener("abort", end, { once: true });
	response.start({
		event(event) {
			if (!over) add(frames.event(event));
		},
		end(error) {
			if (error !== undefined && !over) {
				const status = error instanceof ApiError ? error : new ApiError("InternalError", error.message);
				add(frames.error(status.toStatus()));
			}
			end();
		},
	});
	initialBytes = queuedBytes;
}

const jsonLines: WatchFrames = {
	headBytes: 0,
	event: (event) => (event instanceof SharedEvent ? event.line : eventLine(event.type, event.bytes)),
	error: (status) => eventLine("ERROR", Buffer.from(JSON.stringify(status))),
};

/** As many lines as fit, at least one. */
function firstBytes(lines: readonly Buffer[], limitBytes: number): readonly Buffer[] {
	let bytes = 0;
	for (const [index, line] of lines.entries()) {
		bytes += line.length;
		if (bytes > limitBytes && index > 0) return lines.slice(0, index);
	}
	return lines;
}
