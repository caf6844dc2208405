/** Removes completed messages from the outbox, many in one commit. */
import type { Clock, Timer } from "../../core/time/clock.ts";
import { deleteCost, inCommits } from "../../store/commit-size.ts";
import type { Store } from "../../store/store.ts";

/** How long they are collected: one whose removal is not written is sent again after a crash, with the same ID. */
const gatherMs = 100;
const mostGathered = 64;
const retryMs = 1000;

export class Acknowledgements {
	readonly #store: Store;
	readonly #clock: Clock;
	readonly #onError: (error: unknown) => void;
	#keys: string[] = [];
	#timer: Timer | undefined;
	#writing: Promise<void> = Promise.resolve();

	constructor(store: Store, clock: Clock, onError: (error: unknown) => void) {
		this.#store = store;
		this.#clock = clock;
		this.#onError = onError;
	}

	/** @param key of the entry */
	add(key: string): void {
		this.#keys.push(key);
		if (this.#keys.length === mostGathered) this.#write();
		else this.#timer ??= this.#clock.after(gatherMs, () => this.#write());
	}

	/** Resolves when all removals were written or failed; in that case the messages are sent again. */
	async stop(): Promise<void> {
		this.#write();
		await this.#writing;
		this.#timer?.cancel();
	}

	#write(): void {
		this.#timer?.cancel();
		this.#timer = undefined;
		this.#writing = this.#writing.then(() => this.#writeAll()).catch(this.#onError);
	}

	async #writeAll(): Promise<void> {
		const keys = this.#keys;
		this.#keys = [];
		let done = 0;
		try {
			for (const deletes of inCommits(keys, deleteCost)) {
				await this.#store.commit({ compare: [], puts: [], deletes });
				done += deletes.length;
			}
		} catch (error) {
			this.#keys.unshift(...keys.slice(done));
			this.#timer ??= this.#clock.after(retryMs, () => this.#write());
			throw error;
		}
	}
}
