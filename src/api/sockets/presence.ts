/** Whether the client of a request is still there. */

/** One for all: creating an error with its stack for every request costs more than everything else here. */
const clientIsGone = new Error("the client is gone");

export class Presence {
	#isGone = false;
	#leaving: AbortController | undefined;
	/**
	 * Called once the client is gone: for one who keeps account of all requests, a listener of a signal each is too much.
	 */
	afterwards: (() => void) | undefined;

	get isGone(): boolean {
		return this.#isGone;
	}

	/** Aborts when the client is gone. Made for those who ask: most requests are over before anyone does. */
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
