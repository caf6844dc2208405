/** Whether the client of a request is still connected. */

/** Shared: creating an error with its stack for every request costs more than everything else here. */
const clientIsGone = new Error("the client is gone");

export class Presence {
	#isGone = false;
	#leaving: AbortController | undefined;
	/**
	 * Called when the client has disconnected. A listener of a signal for each request would cost too much.
	 */
	afterwards: (() => void) | undefined;

	get isGone(): boolean {
		return this.#isGone;
	}

	/** Aborts when the client disconnects. Created on demand: most requests end before it is needed. */
	get signal(): AbortSignal {
		if (this.#leaving === undefined) {
			this.#leaving = new AbortController();
			if (this.#isGone) this.#leaving.abort(clientIsGone);
		}
		return this.#leaving.signal;
	}

	readonly leave = (): void => {
		this.#isGone = true;
		this.#leaving?.abort(clientIsGone);
		this.afterwards?.();
		this.afterwards = undefined;
	};
}
