/**
 * Several watches over one connection: browsers open only six. A line of JSON for each event: `p` is the path that is
 * watched, `t` the type of the event, `o` the object. A path that may not be watched has one line with `t: "DENIED"`
 * and the Status.
 */
import type { Handler, ServedWatchEvent, User } from "../core/exchange.ts";

export interface LiveRequest {
	handle: Handler;
	user: User;
	paths: readonly string[];
	/** Aborts when the client is gone. */
	signal: AbortSignal;
}

/** A client that reads more slowly than the cluster changes is cut off, and starts again. */
const mostQueuedBytes = 64 * 1024 * 1024;

/** Ends when one of the watches does: the client then asks again. */
export async function* live({ handle, user, paths, signal }: LiveRequest): AsyncGenerator<Uint8Array> {
	const ending = new AbortController();
	const end = () => ending.abort();
	signal.addEventListener("abort", end, { once: true });
	const queue = new LineQueue(ending);
	try {
		for (const path of paths) void watch(path);
		while (!ending.signal.aborted) {
			const bytes = await queue.next();
			if (bytes.length > 0) yield bytes;
		}
	} finally {
		signal.removeEventListener("abort", end);
		end();
	}

	async function watch(path: string): Promise<void> {
		const name = JSON.stringify(path);
		const response = await handle({
			method: "GET",
			path,
			query: new URLSearchParams({
				watch: "true",
				sendInitialEvents: "true",
				resourceVersionMatch: "NotOlderThan",
				allowWatchBookmarks: "true",
			}),
			headers: { accept: "application/json", "user-agent": "cox-dashboard" },
			user,
			signal: ending.signal,
		});
		if (response.type === "watch") response.start({ event: (event) => queue.add(lineOf(name, event)), end });
		else if (response.type === "object")
			queue.add([Buffer.from(`{"p":${name},"t":"DENIED","o":${JSON.stringify(response.object)}}\n`)]);
		else end();
	}
}

const lineEnd = Buffer.from("}\n");

function lineOf(name: string, { type, bytes }: ServedWatchEvent): Uint8Array[] {
	return [Buffer.from(`{"p":${name},"t":"${type}","o":`), bytes, lineEnd];
}

class LineQueue {
	readonly #ending: AbortController;
	#parts: Uint8Array[] = [];
	#bytes = 0;
	#wake = () => {};

	/** @param ending aborted when too much is waiting */
	constructor(ending: AbortController) {
		this.#ending = ending;
		ending.signal.addEventListener("abort", () => this.#wake(), { once: true });
	}

	add(parts: readonly Uint8Array[]): void {
		for (const part of parts) {
			this.#parts.push(part);
			this.#bytes += part.length;
		}
		if (this.#bytes > mostQueuedBytes) this.#ending.abort();
		this.#wake();
	}

	/** All that has come by now; waits for the first. Empty if it ends before. */
	async next(): Promise<Uint8Array> {
		if (this.#parts.length === 0 && !this.#ending.signal.aborted)
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		const parts = this.#parts;
		const bytes = this.#bytes;
		this.#parts = [];
		this.#bytes = 0;
		return Buffer.concat(parts, bytes);
	}
}
