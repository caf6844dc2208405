/** An embedded cluster's time. */
import { type Clock, systemClock } from "../../core/time/clock.ts";
import { durationMs } from "../../core/time/duration.ts";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { TurnableClock } from "../time/turnable-clock.ts";

/** `90s`, `1h30m`, `26h`, `7d`, or milliseconds. */
export type Duration = string | number;

export interface SystemTime {
	readonly kind: "system";
	/** Epoch milliseconds. */
	now(): number;
}

export interface VirtualTime {
	readonly kind: "virtual";
	/** Epoch milliseconds. */
	now(): number;
	/** Sets the clock forward; resolves when everything due in between has happened, in order. */
	advance(duration: Duration): Promise<void>;
	/** Runs time at a multiple of real time, for interactive use. The order of events is then not reproducible. */
	run(rate: number): void;
	/** Stops time again. */
	stand(): void;
}

export type ClusterTime = SystemTime | VirtualTime;

/** The underlying clock, and how waiting callers are served. */
export interface Timing {
	/** Another one after the time was turned back. */
	readonly clock: Clock;
	readonly time: ClusterTime;
	/**
	 * Resolves with the promise; virtual time advances in the meantime.
	 * @returns false if it took longer than the limit
	 */
	wait(promise: Promise<unknown>, limitMs: number): Promise<boolean>;
	/**
	 * Remembers the time.
	 * @returns a function that turns virtual time back to it, any number of times; real time goes on. Timers are gone
	 */
	remember(): () => void;
	/** Nothing advances the clock any more. */
	stop(): void;
}

export function toMs(duration: Duration): number {
	return typeof duration === "number" ? duration : durationMs(duration);
}

export function systemTiming(): Timing {
	const clock = systemClock();
	return {
		clock,
		time: { kind: "system", now: () => clock.now() },
		wait: (promise, limitMs) =>
			new Promise((resolve, reject) => {
				const timer = clock.after(limitMs, () => resolve(false));
				promise.then(
					() => {
						timer.cancel();
						resolve(true);
					},
					(error: unknown) => {
						timer.cancel();
						reject(error);
					},
				);
			}),
		remember: () => () => {},
		stop() {},
	};
}

export function virtualTiming(options: { startTime?: Date | string | undefined; seed?: number | undefined }): Timing {
	const startMs = options.startTime === undefined ? undefined : new Date(options.startTime).getTime();
	if (Number.isNaN(startMs))
		throw new Error(`startTime ${options.startTime} is not a time: expected a Date or RFC 3339`);
	let clock = new VirtualClock({
		...(startMs === undefined ? {} : { startMs }),
		...(options.seed === undefined ? {} : { seed: options.seed }),
	});
	let running: TurnableClock | undefined;
	const stand = () => {
		running?.stop();
		running = undefined;
	};
	return {
		get clock() {
			return clock;
		},
		time: {
			kind: "virtual",
			now: () => clock.now(),
			// Asynchronous, so that an invalid duration is a rejection like any other failure.
			advance: async (duration) => clock.advance(toMs(duration)),
			run(rate) {
				stand();
				running = new TurnableClock({ clock, rate });
			},
			stand,
		},
		wait: (promise, limitMs) => clock.advanceUntil(promise, limitMs),
		remember() {
			const then = clock.fork();
			return () => {
				stand();
				clock = then.fork();
			};
		},
		stop: stand,
	};
}

const defaultTimeout = "60s";

/**
 * @param what for the message
 * @param look returns the current state, for the message
 * @throws Error with the current state if the wait exceeds the timeout
 */
export async function waitWithin<T>(
	timing: Timing,
	what: string,
	{ timeout = defaultTimeout }: { timeout?: Duration } | undefined = {},
	wait: (signal: AbortSignal) => Promise<T>,
	look: () => Promise<unknown>,
): Promise<T> {
	const abort = new AbortController();
	const waiting = wait(abort.signal);
	if (await timing.wait(waiting, toMs(timeout))) return waiting;
	waiting.catch(() => {});
	abort.abort();
	const found = await look().catch((error: unknown) => String(error));
	throw new Error(`waited ${timeout} for ${what}; its current state is ${JSON.stringify(found, undefined, 2)}`);
}
