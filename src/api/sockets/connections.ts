/** The connections of one listening server, so that it can end them in good order. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Clock } from "../../core/clock.ts";

/** How long running requests may take when the server closes. */
const closeGraceMs = 1000;

export class Connections {
	readonly #clock: Clock;
	readonly #watches = new Set<() => void>();
	#closing = false;
	readonly #sockets = new Set<Socket>();
	readonly #sessions = new Set<ServerHttp2Session>();
	/** HTTP/1.1 requests that are being answered. */
	readonly #running = new Set<ServerResponse>();
	#ended: (() => void) | undefined;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/**
	 * Has `end` called when the server begins to close, at once if it does already. Returns what takes that back. There are
	 * as many watches as there are clients times kinds: too many for listeners of one AbortSignal.
	 */
	readonly addWatch = (end: () => void): (() => void) => {
		if (this.#closing) end();
		else this.#watches.add(end);
		return () => this.#watches.delete(end);
	};

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

	readonly addSession = (session: ServerHttp2Session): void => {
		this.#sessions.add(session);
		session.on("error", () => session.destroy());
		session.once("close", () => {
			this.#sessions.delete(session);
			this.#check();
		});
	};

	addRequest({ socket }: IncomingMessage, response: ServerResponse): void {
		this.#running.add(response);
		response.once("close", () => {
			this.#running.delete(response);
			if (this.#closing) socket.destroySoon();
			this.#check();
		});
	}

	/** Resolves when all requests are answered, or after a moment; then every connection is cut. */
	async end(): Promise<void> {
		this.#closing = true;
		for (const endWatch of this.#watches) endWatch();
		this.#watches.clear();
		for (const session of this.#sessions) session.close();
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
}
