import { systemClock } from "../../core/time/clock.ts";

/** Long enough for `cox up` to return first: a collection takes about 40 ms. */
const pauseMs = 5_000;

/**
 * Collects the garbage of this process's start, which is a third of its heap, a few seconds after it. V8 collects when
 * memory is allocated, so an idle cluster would keep it.
 */
export function collectStartGarbage(): void {
	systemClock({ unref: true }).after(pauseMs, () => globalThis.gc?.());
}
