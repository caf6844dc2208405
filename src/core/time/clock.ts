/** Time and chance, as everything else sees them. Nothing outside this folder's clocks reads the time or rolls dice. */

export interface Timer {
	/** The callback will not run any more; harmless when it has. */
	cancel(): void;
}

/** Uniform numbers in [0, 1). */
export type Random = () => number;

export interface Clock {
	/** Epoch milliseconds. May jump; for durations that must not, use `monotonicMs`. */
	now(): number;
	/** Milliseconds since an arbitrary start; never goes back. */
	monotonicMs(): number;
	/** Runs `callback` once, `delayMs` from now (at least one turn of the event loop later). */
	after(delayMs: number, callback: () => void): Timer;
	/** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
	sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
	/** Seeded under a virtual clock, so that a run replays. */
	readonly random: Random;
}

/** RFC 3339 in UTC with whole seconds, the form of `metav1.Time`. */
export function timestamp(epochMs: number): string {
	const second = Math.floor(epochMs / 1000);
	// Most are of this very second.
	if (second !== lastSecond) {
		lastText = `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
		lastSecond = second;
	}
	return lastText;
}

let lastSecond = Number.NaN;
let lastText = "";

/** RFC 3339 in UTC with microseconds, the form of `metav1.MicroTime`. */
export function microTimestamp(epochMs: number): string {
	const whole = Math.floor(epochMs);
	const micros = Math.floor((epochMs - whole) * 1000);
	return `${new Date(whole).toISOString().slice(0, 23)}${String(micros).padStart(3, "0")}Z`;
}

/** Epoch milliseconds of an RFC 3339 time. NaN when it is none. */
export function parseTimestamp(text: string): number {
	return Date.parse(text);
}

/** Small, fast, seeded generator (mulberry32). Not for secrets. */
export function seededRandom(seed: number): Random {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b79f5) >>> 0;
		let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
		mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
		return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** The seed of a generator that continues where one with `seed` is after `draws` values. */
export function laterSeed(seed: number, draws: number): number {
	return (seed + Math.imul(0x6d2b79f5, draws)) >>> 0;
}

/** `sleep` for any clock that has `after`. */
export function sleepOn(clock: Pick<Clock, "after">, delayMs: number, signal?: AbortSignal): Promise<void> {
	return new Promise((resolve, reject) => {
		if (signal?.aborted) {
			reject(signal.reason);
			return;
		}
		const abort = () => {
			timer.cancel();
			reject(signal?.reason);
		};
		const timer = clock.after(delayMs, () => {
			signal?.removeEventListener("abort", abort);
			resolve();
		});
		signal?.addEventListener("abort", abort, { once: true });
	});
}

/** The machine's clock. Timers do not keep the process alive on their own when `unref` is set. */
export function systemClock(options: { unref?: boolean } = {}): Clock {
	const clock: Clock = {
		now: () => Date.now(),
		monotonicMs: () => performance.now(),
		after(delayMs, callback) {
			// setTimeout overflows above 2^31-1 ms (24.8 days): go there in steps.
			const longestMs = 2 ** 31 - 1;
			let handle: NodeJS.Timeout;
			const schedule = (remainingMs: number) => {
				const stepMs = Math.min(Math.max(remainingMs, 0), longestMs);
				handle = setTimeout(() => (remainingMs > stepMs ? schedule(remainingMs - stepMs) : callback()), stepMs);
				if (options.unref) handle.unref();
			};
			schedule(delayMs);
			return { cancel: () => clearTimeout(handle) };
		},
		sleep: (delayMs, signal) => sleepOn(clock, delayMs, signal),
		random: Math.random,
	};
	return clock;
}
