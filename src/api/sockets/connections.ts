/**
 * The connections of one listening server: slow and idle ones are closed, and all of them gracefully when it closes.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Timeouts } from "./limits.ts";

/** How long running requests may take while the server closes. */
const closeGraceMs = 1000;
/** The maximum interval between checks of connections. */
const longestSweepMs = 5000;

/** A connection without a request. */
interface Waiting {
	sinceMs: number;
	/** When the start of the next request was detected; undefined: not yet. */
	headSinceMs: number | undefined;
	/** Bytes that the socket had read when the wait started. */
	bytesRead: number;
}

export class Connections {
	readonly #clock: Clock;
	readonly #timeouts: Timeouts;
	readonly #watches = new Set<() => void>();
	#closing = false;
	readonly #sockets = new Set<Socket>();
	/** HTTP/1.1 connections without a request. */
	readonly #waiting = new Map<Duplex & { bytesRead?: number }, Waiting>();
	readonly #watched = new WeakSet<Duplex>();
	/** Sessions → when their last stream closed, and the number of streams. */
	readonly #sessions = new Map<ServerHttp2Session, { idleSinceMs: number; streamCount: number; isClosing: boolean }>();
	/** HTTP/1.1 requests that are being answered. */
	readonly #running = new Set<ServerResponse>();
	/** Their number by connection: clients may pipeline requests. */
	readonly #runningOf = new WeakMap<Duplex, number>();
	#sweep: Timer | undefined;
	#ended: (() => void) | undefined;
	/** Sends an error to a client that was too slow, and closes its connection. */
	readonly #refuseSlow: (socket: Duplex) => void;

	constructor(clock: Clock, timeouts: Timeouts, refuseSlow: (socket: Duplex) => void) {
		this.#clock = clock;
		this.#timeouts = timeouts;
		this.#refuseSlow = refuseSlow;
	}

	get watchCount(): number {
		return this.#watches.size;
	}

	/**
	 * Calls `end` when the server starts to close, immediately if it has. Returns a function that unregisters it. There
	 * are too many watches (clients times kinds) for listeners of one AbortSignal.
	 */
	readonly addWatch = (end: () => void): (() => void) => {
		if (this.#closing) end();
		else this.#watches.add(end);
		return () => this.#watches.delete(end);
	};

	/** A connection, before any TLS. */
	readonly addSocket = (socket: Socket): void => {
		if (this.#closing) {
			socket.destroy();
			return;
		}
		this.#sockets.add(socket);
		socket.setNoDelay(true);
		socket.once("close", () => {
			this.#sockets.delete(socket);
			this.#check();
		});
	};

	/** A connection that may now receive HTTP/1.1 requests. */
	readonly wait = (socket: Duplex & { bytesRead?: number }): void => {
		if (socket.destroyed) return;
		// A connection waits again after each request; its listeners are added once.
		if (!this.#watched.has(socket)) {
			this.#watched.add(socket);
			socket.once("close", () => this.#waiting.delete(socket));
		}
		const sinceMs = this.#clock.monotonicMs();
		this.#waiting.set(socket, { sinceMs, headSinceMs: undefined, bytesRead: socket.bytesRead ?? 0 });
		this.#sweepLater();
	};

	/** The connection was upgraded. */
	readonly stopWaiting = (socket: Duplex): void => {
		this.#waiting.delete(socket);
	};

	/** Whether the response to a request of this connection is still being sent. */
	isAnswering(socket: Duplex): boolean {
		return (this.#runningOf.get(socket) ?? 0) > 0;
	}

	readonly addSession = (session: ServerHttp2Session): void => {
		const state = { idleSinceMs: this.#clock.monotonicMs(), streamCount: 0, isClosing: false };
		this.#sessions.set(session, state);
		session.on("error", () => session.destroy());
		session.on("stream", (stream) => {
			state.streamCount++;
			stream.once("close", () => {
				state.streamCount--;
				state.idleSinceMs = this.#clock.monotonicMs();
			});
		});
		session.once("close", () => {
			this.#sessions.delete(session);
			this.#check();
		});
		this.#sweepLater();
	};

	addRequest({ socket }: IncomingMessage, response: ServerResponse): void {
		this.#waiting.delete(socket);
		this.#running.add(response);
		this.#runningOf.set(socket, (this.#runningOf.get(socket) ?? 0) + 1);
		response.once("close", () => {
			this.#running.delete(response);
			const left = (this.#runningOf.get(socket) ?? 1) - 1;
			this.#runningOf.set(socket, left);
			if (this.#closing) socket.destroySoon();
			else if (left === 0) this.wait(socket);
			this.#check();
		});
	}

	/** Closes every connection when all requests have been answered, or after a time limit. */
	async end(): Promise<void> {
		this.#closing = true;
		this.#sweep?.cancel();
		for (const endWatch of this.#watches) endWatch();
		this.#watches.clear();
		for (const session of this.#sessions.keys()) session.close();
		await new Promise<void>((resolve) => {
			const cut = this.#clock.after(closeGraceMs, resolve);
			this.#ended = () => {
				cut.cancel();
				resolve();
			};
			this.#check();
		});
		for (const socket of this.#sockets) socket.destroy();
	}

	#check(): void {
		if (this.#running.size === 0 && this.#sessions.size === 0) this.#ended?.();
	}

	#sweepLater(): void {
		if (this.#sweep !== undefined || this.#closing) return;
		const { headMs, idleMs } = this.#timeouts;
		this.#sweep = this.#clock.after(Math.min(headMs / 2, idleMs / 2, longestSweepMs), () => {
			this.#sweep = undefined;
			this.#endSlow(this.#clock.monotonicMs());
			if (this.#waiting.size > 0 || this.#sessions.size > 0) this.#sweepLater();
		});
	}

	#endSlow(nowMs: number): void {
		const { headMs, idleMs } = this.#timeouts;
		for (const [socket, waiting] of this.#waiting) {
			const { sinceMs, bytesRead } = waiting;
			if ((socket.bytesRead ?? 0) > bytesRead) waiting.headSinceMs ??= nowMs;
			const { headSinceMs } = waiting;
			if (headSinceMs === undefined) {
				if (nowMs - sinceMs >= idleMs) socket.destroy();
			} else if (nowMs - headSinceMs >= headMs) this.#refuseSlow(socket);
		}
		for (const [session, state] of this.#sessions) {
			if (state.streamCount > 0 || nowMs - state.idleSinceMs < idleMs) continue;
			// Node would wait for an incomplete head.
			if (state.isClosing) session.destroy();
			else session.close();
			state.isClosing = true;
		}
	}
}
