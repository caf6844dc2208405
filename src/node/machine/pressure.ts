/** Whether a node is under pressure, and which thresholds call for evictions, from one look to the next. Pure. */
import {
	amount,
	type Observations,
	type PressureType,
	type Signal,
	type SignalAmounts,
	signalNames,
	signals,
} from "./signals.ts";

export type Pressure = ReadonlySet<PressureType>;
export const noPressure: Pressure = new Set();

/** As the fields of a KubeletConfiguration. */
export interface EvictionRules {
	evictionHard: SignalAmounts;
	evictionSoft: SignalAmounts;
	/** For how long a soft threshold must be exceeded; every soft threshold has one. */
	evictionSoftGraceMs: Readonly<Partial<Record<Signal, number>>>;
	/** What must be available beyond a threshold before it is no longer exceeded. */
	evictionMinimumReclaim: SignalAmounts;
	/** How long a condition lasts after the threshold was last exceeded. */
	evictionPressureTransitionMs: number;
	/** The longest grace period of pods that are evicted by a soft threshold, in seconds. */
	evictionMaxPodGraceSeconds: number;
}

/** What the machine lacks. */
export interface Shortage {
	signal: Signal;
	isHard: boolean;
	available: number;
	/** The threshold as a quantity: a share is computed of the capacity. */
	threshold: { text: string; isShare: boolean; amount: number };
}

export class PressureState {
	readonly #rules: EvictionRules;
	/** By signal and kind of threshold, since when it has been exceeded. */
	readonly #sinceMs = new Map<string, number>();
	/** Of those that called for evictions at the last look: they have to be exceeded by more to be over. */
	#due: ReadonlySet<string> = new Set();
	readonly #lastSeenMs = new Map<PressureType, number>();

	constructor(rules: EvictionRules) {
		this.#rules = rules;
	}

	/**
	 * @param nowMs on the monotonic clock
	 * @returns the conditions, and the thresholds that call for evictions now, those of memory first
	 */
	look(observed: Observations, nowMs: number): { pressure: Pressure; due: readonly Shortage[] } {
		const exceeded = this.exceeded(observed);
		const keys = new Set(exceeded.map(keyOf));
		for (const key of this.#sinceMs.keys()) if (!keys.has(key)) this.#sinceMs.delete(key);
		for (const shortage of exceeded) {
			const key = keyOf(shortage);
			if (!this.#sinceMs.has(key)) this.#sinceMs.set(key, nowMs);
			this.#lastSeenMs.set(signals[shortage.signal].pressure, nowMs);
		}
		const due = exceeded.filter((shortage) => {
			const graceMs = shortage.isHard ? 0 : (this.#rules.evictionSoftGraceMs[shortage.signal] ?? 0);
			return nowMs - (this.#sinceMs.get(keyOf(shortage)) ?? nowMs) >= graceMs;
		});
		this.#due = new Set(due.map(keyOf));
		const { evictionPressureTransitionMs } = this.#rules;
		const lasting = [...this.#lastSeenMs].filter(([, seenMs]) => nowMs - seenMs < evictionPressureTransitionMs);
		return { pressure: new Set(lasting.map(([type]) => type)), due };
	}

	/** The thresholds that are exceeded. */
	exceeded(observed: Observations): Shortage[] {
		const { evictionHard, evictionSoft } = this.#rules;
		return [...this.#exceededOf(evictionHard, true, observed), ...this.#exceededOf(evictionSoft, false, observed)].sort(
			(a, b) => signalNames.indexOf(a.signal) - signalNames.indexOf(b.signal),
		);
	}

	#exceededOf(thresholds: SignalAmounts, isHard: boolean, observed: Observations): Shortage[] {
		return signalNames.flatMap((signal): Shortage[] => {
			const [text, figure] = [thresholds[signal], observed.get(signal)];
			if (text === undefined || figure === undefined) return [];
			const threshold = { text, isShare: text.endsWith("%"), amount: amount(text, figure.capacity) };
			const found = { signal, isHard, available: figure.available, threshold };
			const reclaim = this.#due.has(keyOf(found)) ? (this.#rules.evictionMinimumReclaim[signal] ?? "0") : "0";
			return figure.available < threshold.amount + amount(reclaim, figure.capacity) ? [found] : [];
		});
	}
}

function keyOf({ signal, isHard }: Pick<Shortage, "signal" | "isHard">): string {
	return `${signal} ${isHard}`;
}
