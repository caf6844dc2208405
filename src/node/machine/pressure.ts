/**
 * Whether a node runs short of memory or disk, as its conditions say: the machine's figures against the kubelet's
 * thresholds.
 */
import type { Clock, Timer } from "../../core/clock.ts";
import { parseQuantity } from "../../core/quantity.ts";
import type { MachineUsage } from "./machine-usage.ts";

export type Pressure = ReadonlySet<"MemoryPressure" | "DiskPressure">;
export const noPressure: Pressure = new Set();

/** Of upstream's signals, those that a machine without image file systems has; its default thresholds for them. */
export const usualThresholds = {
	"memory.available": "100Mi",
	"nodefs.available": "10%",
	"nodefs.inodesFree": "5%",
} as const;

type Signal = keyof typeof usualThresholds;
/** Quantities, or shares such as `10%`; a signal that is not there has no threshold. */
export type Thresholds = Readonly<Partial<Record<Signal, string>>>;

const conditions = {
	"memory.available": "MemoryPressure",
	"nodefs.available": "DiskPressure",
	"nodefs.inodesFree": "DiskPressure",
} as const;

/** As often as upstream's kubelet looks. */
const everyMs = 10_000;
/**
 * How long a condition stays after the last look that gave reason for it (upstream's evictionPressureTransitionPeriod).
 */
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
	// Object.keys gives strings; these are the signals.
	const short = (Object.keys(figures) as Signal[]).filter((signal) => {
		const [available, capacity] = figures[signal];
		const threshold = thresholds[signal];
		// File systems that make inodes as they need them say that they have none.
		return threshold !== undefined && capacity > 0 && available < amount(threshold, capacity);
	});
	return new Set(short.map((signal) => conditions[signal]));
}

/** @throws Error for what is neither a share nor a quantity */
export function amount(threshold: string, capacity: number): number {
	const share = /^(\d+(?:\.\d+)?)%$/.exec(threshold)?.[1];
	return share === undefined ? parseQuantity(threshold) : (capacity * Number(share)) / 100;
}

export interface PressureWatch {
	/** As it was last seen. */
	readonly now: Pressure;
	stop(): void;
}

/** @param changed called when another pressure is seen */
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
		// A machine that cannot be measured is as it was.
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
