/**
 * Tells when sandboxes and containers end: by the events of the runtime if it has them, otherwise by listing them
 * again and again.
 */
import type { Clock } from "../../core/time/clock.ts";
import type { CriClient } from "./wire/client.ts";
import { CriError } from "./wire/client.ts";
import { methods } from "./wire/methods.ts";

/** The first listing after a change, and the longest time between two, which is upstream's. */
const firstMs = 100;
const longestMs = 1000;

/** What matters of a sandbox or container: all else happens only when the agent asks for it. */
export interface SeenState {
	isOver: boolean;
	podUid: string;
}

export interface ChangesOptions {
	client: CriClient;
	clock: Clock;
	/** By ID. @throws Error if the runtime does not answer */
	list(): Promise<ReadonlyMap<string, SeenState>>;
	/** Something of this pod has ended. */
	changed(podUid: string): void;
	/** Called when the runtime does not answer, before the next attempt. */
	lost(): Promise<void>;
}

export class Changes {
	readonly #options: ChangesOptions;
	readonly #abort = new AbortController();
	#known: ReadonlyMap<string, SeenState> = new Map();
	#waitMs = firstMs;
	#eventCount = 0;
	#isComparing = false;
	#wake: () => void = () => {};

	constructor(options: ChangesOptions) {
		this.#options = options;
	}

	/** @throws Error if the runtime does not answer */
	async start(): Promise<void> {
		// The first comparison tells what has ended while nobody listened.
		await this.#options.list();
		void this.#follow();
	}

	/** Something was started or stopped: a change follows soon. */
	expect(): void {
		this.#waitMs = firstMs;
		this.#wake();
	}

	stop(): void {
		this.#abort.abort(new Error("the runtime is closed"));
		this.#wake();
	}

	async #follow(): Promise<void> {
		const { client, lost } = this.#options;
		const { signal } = this.#abort;
		while (!signal.aborted) {
			try {
				await client.stream(methods.events, {}, () => void this.#compareAfterEvent(), signal);
			} catch (error) {
				if (signal.aborted) return;
				if (error instanceof CriError && error.isUnimplemented) return this.#poll();
			}
			// A change may have come while nobody listened.
			await this.#compare().catch(() => lost());
			await this.#pause(longestMs);
		}
	}

	/** One comparison at a time: events that come during one are in the next. */
	async #compareAfterEvent(): Promise<void> {
		this.#eventCount++;
		if (this.#isComparing) return;
		this.#isComparing = true;
		try {
			for (let seen = 0; seen !== this.#eventCount; ) {
				seen = this.#eventCount;
				await this.#compare();
			}
		} catch {
			// The stream ends as well, which is handled above.
		} finally {
			this.#isComparing = false;
		}
	}

	async #poll(): Promise<void> {
		const { lost } = this.#options;
		while (!this.#abort.signal.aborted) {
			await this.#pause(this.#waitMs);
			if (this.#abort.signal.aborted) return;
			this.#waitMs = Math.min(longestMs, 2 * this.#waitMs);
			try {
				if (await this.#compare()) this.#waitMs = firstMs;
			} catch {
				if (this.#abort.signal.aborted) return;
				await lost();
			}
		}
	}

	/** @returns whether there was a change */
	async #compare(): Promise<boolean> {
		const before = this.#known;
		const now = await this.#options.list();
		this.#known = now;
		const pods = new Set<string>();
		for (const [id, { isOver, podUid }] of now) if (isOver && before.get(id)?.isOver !== true) pods.add(podUid);
		for (const [id, { podUid }] of before) if (!now.has(id)) pods.add(podUid);
		for (const podUid of pods) this.#options.changed(podUid);
		return pods.size > 0;
	}

	#pause(ms: number): Promise<void> {
		return new Promise((resolve) => {
			const timer = this.#options.clock.after(ms, resolve);
			this.#wake = () => {
				timer.cancel();
				resolve();
			};
		});
	}
}
