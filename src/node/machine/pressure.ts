/**
 * Whether a node is short of memory or disk, for its conditions: compares the machine's usage with the kubelet's
 * thresholds.
 */

import { parseQuantity } from "../../core/quantity.ts";
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { MachineUsage } from "./machine-usage.ts";

export type Pressure = ReadonlySet<"MemoryPressure" | "DiskPressure">;
export const noPressure: Pressure = new Set();

/** Upstream's signals for a machine without a separate image file system, with their default thresholds. */
export const usualThresholds = {
	"memory.available": "100Mi",
	"nodefs.available": "10%",
	"nodefs.inodesFree": "5%",
} as const;

type Signal = keyof typeof usualThresholds;
/** Quantities, or percentages such as `10%`; absent signals have no threshold. */
export type Thresholds = Readonly<Partial<Record<Signal, string>>>;

const conditions = {
	"memory.available": "MemoryPressure",
	"nodefs.available": "DiskPressure",
	"nodefs.inodesFree": "DiskPressure",
} as const;

/** The interval of upstream's kubelet. */
const everyMs = 10_000;
/** How long a condition lasts after the threshold was last exceeded (upstream's evictionPressureTransitionPeriod). */
const lastingMs = 300_000;

/** Pure. */
export function pressureOf(
	{
		availableMemoryBytes,
		totalMemoryBytes,
		fs,
	}: Pick<MachineUsage, "availableMemoryBytes" | "totalMemoryBytes" | "fs">,
	thresholds: Thresholds,
): Pressure {
	const figures: Record<Signal, readonly [available: number, capacity: number]> = {
		"memory.available": [availableMemoryBytes, totalMemoryBytes],
		"nodefs.available": [fs.availableBytes, fs.capacityBytes],
		"nodefs.inodesFree": [fs.freeInodes, fs.inodes],
	};
	// Object.keys returns strings; these are the signals.
	const short = (Object.keys(figures) as Signal[]).filter((signal) => {
		const [available, capacity] = figures[signal];
		const threshold = thresholds[signal];
		// File systems that create inodes on demand report 0 inodes.
		return threshold !== undefined && capacity > 0 && available < amount(threshold, capacity);
	});
	return new Set(short.map((signal) => conditions[signal]));
}

/** @throws Error if the text is neither a percentage nor a quantity */
export function amount(threshold: string, capacity: number): number {
	const share = /^(\d+(?:\.\d+)?)%$/.exec(threshold)?.[1];
	return share === undefined ? parseQuantity(threshold) : (capacity * Number(share)) / 100;
}

export interface PressureWatch {
	/** The last result. */
	readonly now: Pressure;
	stop(): void;
}

/** @param changed called when the pressure changes */
export function watchPressure(options: {
	clock: Clock;
	read(): Promise<MachineUsage>;
	thresholds: Thresholds;
	changed(): void;
}): PressureWatch {
	const { clock, read, thresholds, changed } = options;
	const lastSeenMs = new Map<"MemoryPressure" | "DiskPressure", number>();
	let now = noPressure;
	let timer: Timer | undefined;
	let stopped = false;
	const look = async () => {
		// If the machine cannot be measured, the last result remains.
		const usage = await read().catch(() => undefined);
		if (stopped) return;
		const nowMs = clock.monotonicMs();
		if (usage !== undefined) for (const type of pressureOf(usage, thresholds)) lastSeenMs.set(type, nowMs);
		const lasting = [...lastSeenMs].filter(([, seenMs]) => nowMs - seenMs < lastingMs).map(([type]) => type);
		const isNew = lasting.length !== now.size || lasting.some((type) => !now.has(type));
		now = new Set(lasting);
		if (isNew) changed();
		timer = clock.after(everyMs, () => void look());
	};
	void look();
	return {
		get now() {
			return now;
		},
		stop() {
			stopped = true;
			timer?.cancel();
		},
	};
}
