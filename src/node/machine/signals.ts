/** The kubelet's eviction signals: what a node is short of, by its machine's figures. Pure. */
import { parseQuantity } from "../../core/quantity.ts";
import type { MachineUsage } from "./machine-usage.ts";

export type PressureType = "MemoryPressure" | "DiskPressure" | "PIDPressure";
/** What pods use of it, as Events name it. */
export type ReclaimedResource = "memory" | "ephemeral-storage" | "inodes" | "pids";

/** Memory comes first: what follows from it is reclaimed first. */
export const signals = {
	"memory.available": { pressure: "MemoryPressure", resource: "memory" },
	"nodefs.available": { pressure: "DiskPressure", resource: "ephemeral-storage" },
	"nodefs.inodesFree": { pressure: "DiskPressure", resource: "inodes" },
	"imagefs.available": { pressure: "DiskPressure", resource: "ephemeral-storage" },
	"imagefs.inodesFree": { pressure: "DiskPressure", resource: "inodes" },
	"pid.available": { pressure: "PIDPressure", resource: "pids" },
} as const satisfies Record<string, { pressure: PressureType; resource: ReclaimedResource }>;

export type Signal = keyof typeof signals;
// Object.keys returns strings; these are the signals.
export const signalNames = Object.keys(signals) as Signal[];

/** Quantities, or percentages such as `10%`; absent signals have no threshold. */
export type SignalAmounts = Readonly<Partial<Record<Signal, string>>>;

/** Upstream's defaults of `evictionHard`. */
export const usualThresholds: SignalAmounts = {
	"memory.available": "100Mi",
	"nodefs.available": "10%",
	"nodefs.inodesFree": "5%",
	"imagefs.available": "15%",
	"imagefs.inodesFree": "5%",
};

export interface Figure {
	available: number;
	capacity: number;
}

/** A signal that the machine does not give is absent. */
export type Observations = ReadonlyMap<Signal, Figure>;

export function observe(
	usage: Pick<MachineUsage, "availableMemoryBytes" | "totalMemoryBytes" | "fs" | "imageFs" | "pids">,
): Observations {
	const { availableMemoryBytes, totalMemoryBytes, fs, imageFs, pids } = usage;
	const found: [Signal, Figure | undefined][] = [
		["memory.available", { available: availableMemoryBytes, capacity: totalMemoryBytes }],
		["nodefs.available", { available: fs.availableBytes, capacity: fs.capacityBytes }],
		["nodefs.inodesFree", { available: fs.freeInodes, capacity: fs.inodes }],
		["imagefs.available", imageFs && { available: imageFs.availableBytes, capacity: imageFs.capacityBytes }],
		["imagefs.inodesFree", imageFs && { available: imageFs.freeInodes, capacity: imageFs.inodes }],
		["pid.available", pids],
	];
	// File systems that create inodes on demand report 0 inodes.
	return new Map(found.flatMap(([signal, figure]) => (figure && figure.capacity > 0 ? [[signal, figure]] : [])));
}

/** @throws Error if the text is neither a percentage nor a quantity */
export function amount(threshold: string, capacity: number): number {
	const share = /^(\d+(?:\.\d+)?)%$/.exec(threshold)?.[1];
	return share === undefined ? parseQuantity(threshold) : Math.floor((capacity * Number(share)) / 100);
}
