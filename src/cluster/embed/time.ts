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
	readonly clock: Clock;
	readonly time: ClusterTime;
	/**
	 * Resolves with the promise; virtual time advances in the meantime.
	 * @returns false if it took longer than the limit
	 */
	wait(promise: Promise<unknown>, limitMs: number): Promise<boolean>;
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
		stop() {},
	};
}

export function virtualTiming(options: { startTime?: Date | string | undefined; seed?: number | undefined }): Timing {
	const startMs = options.startTime === undefined ? undefined : new Date(options.startTime).getTime();
	if (Number.isNaN(startMs))
		throw new Error(`startTime ${options.startTime} is not a time: expected a Date or RFC 3339`);
	const clock = new VirtualClock({
		...(startMs === undefined ? {} : { startMs }),
		...(options.seed === undefined ? {} : { seed: options.seed }),
	});
	let running: TurnableClock | undefined;
	const stand = () => {
		running?.stop();
		running = undefined;
	};
	return {
		clock,
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
		stop: stand,
	};
}
