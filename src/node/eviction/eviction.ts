/**
 * Looks at the machine every ten seconds, keeps the node's pressure conditions, and evicts pods while the node is short
 * of something: one at a time, after what nobody uses was deleted.
 */
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import { isCritical } from "../../kinds/pod/critical.ts";
import type { MachineUsage } from "../machine/machine-usage.ts";
import { type EvictionRules, noPressure, type Pressure, PressureState, type Shortage } from "../machine/pressure.ts";
import { observe, signals } from "../machine/signals.ts";
import type { Verdict } from "../pod/pod-state.ts";
import { type FigureSources, podFigures } from "./pod-figures.ts";
import { evictionMessage, rank } from "./ranking.ts";

/** The interval of upstream's kubelet. */
const everyMs = 10_000;
/** How long the next eviction waits for the end of the last pod. */
const longestEndMs = 30_000;
/** Of pods that are evicted by a hard threshold. */
const hardGraceSeconds = 1;

export interface EvictablePod {
	readonly pod: Pod;
	/** Whether the pod has not terminated. */
	readonly active: boolean;
	/** Whether it has released what it used. */
	readonly released: boolean;
	end(verdict: Verdict): void;
}

export interface Eviction {
	/** The conditions of the last look. */
	readonly pressure: Pressure;
	stop(): void;
}

export interface EvictionOptions extends FigureSources {
	clock: Clock;
	read(): Promise<MachineUsage>;
	rules: EvictionRules;
	pods(): Iterable<EvictablePod>;
	/** Deletes what nobody uses from the disk: images. */
	reclaimDisk(): Promise<void>;
	/** The pressure has changed. */
	changed(): void;
	/** Records an Event of the node. */
	warn(reason: string, message: string): void;
}

export function startEviction(options: EvictionOptions): Eviction {
	const { clock, read, rules, changed, warn } = options;
	const state = new PressureState(rules);
	let pressure = noPressure;
	let timer: Timer | undefined;
	let stopped = false;
	let last: { pod: EvictablePod; atMs: number } | undefined;

	const look = async () => {
		// If the machine cannot be measured, the last result remains.
		const usage = await read().catch(() => undefined);
		if (stopped || usage === undefined) return;
		const found = state.look(observe(usage), clock.monotonicMs());
		const isNew = found.pressure.size !== pressure.size || [...found.pressure].some((type) => !pressure.has(type));
		pressure = found.pressure;
		if (isNew) changed();
		const [shortage] = found.due;
		if (shortage !== undefined) await relieve(shortage);
	};
	const relieve = async (shortage: Shortage) => {
		const isEnding = last !== undefined && !last.pod.released;
		if (isEnding && clock.monotonicMs() - (last?.atMs ?? 0) < longestEndMs) return;
		const { resource, pressure: type } = signals[shortage.signal];
		warn("EvictionThresholdMet", `Attempting to reclaim ${resource}`);
		if (type === "DiskPressure") {
			await options.reclaimDisk().catch(() => {});
			const after = await read().catch(() => undefined);
			const isShort =
				after === undefined || state.exceeded(observe(after)).some(({ signal }) => signal === shortage.signal);
			if (stopped || !isShort) return;
		}
		const candidates = [...options.pods()].filter(({ pod, active }) => active && !isCritical(pod));
		const figures = await podFigures(
			options,
			candidates.map(({ pod }) => pod),
			resource,
		);
		if (stopped) return;
		const measured = candidates.map((one) => ({ one, pod: one.pod, figures: figures.get(one.pod.metadata.uid) }));
		const [first] = rank(
			measured.filter(({ one }) => one.active),
			resource,
		);
		if (first === undefined) return;
		const graceSeconds = shortage.isHard ? hardGraceSeconds : rules.evictionMaxPodGraceSeconds;
		last = { pod: first.one, atMs: clock.monotonicMs() };
		first.one.end({ reason: "Evicted", message: evictionMessage(shortage, first), graceSeconds });
	};
	const round = async () => {
		await look().catch(() => {});
		if (!stopped) timer = clock.after(everyMs, () => void round());
	};
	void round();
	return {
		get pressure() {
			return pressure;
		},
		stop() {
			stopped = true;
			timer?.cancel();
		},
	};
}
