/** Measures pods with limits for local storage, and evicts those that exceed them. Does nothing if there are none. */
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Runtime } from "../../runtime/runtime.ts";
import type { RuntimeView } from "../context/runtime-view.ts";
import type { Verdict } from "../pod/pod-state.ts";
import type { Directories } from "../volumes/layout.ts";
import { measureStorage } from "./measure-storage.ts";
import { containerLimits, hasStorageLimits, storageExcess } from "./storage-limits.ts";

/** The interval of the kubelet's eviction manager. */
const everyMs = 10_000;
/** The pause after a long measurement, as a multiple of its duration: at most a twentieth of one thread. */
const pausePerLook = 20;
/** The kubelet's grace period for pods that exceed their limits. */
const graceSeconds = 1;

export interface StoragePod {
	readonly pod: Pod;
	/** Whether the pod has not terminated. */
	readonly active: boolean;
	end(verdict: Verdict): void;
}

export interface StorageMonitor {
	/** A pod was added. */
	added(pod: Pod): void;
	/** Measures all pods now. */
	look(): Promise<void>;
	stop(): void;
}

export function watchStorage(options: {
	clock: Clock;
	runtime: Pick<Runtime, "writableLayers">;
	view: Pick<RuntimeView, "of">;
	directories: Directories;
	pods(): Iterable<StoragePod>;
}): StorageMonitor {
	const { clock, pods } = options;
	let timer: Timer | undefined;
	let stopped = false;

	const limited = () => [...pods()].filter(({ pod, active }) => active && hasStorageLimits(pod));
	const schedule = (delayMs: number) => {
		if (!stopped) timer ??= clock.after(delayMs, () => void round());
	};
	const look = async () => {
		for (const one of limited()) {
			const containers = containerLimits(one.pod).size > 0;
			const message = storageExcess(one.pod, await measureStorage(options, one.pod, { containers }));
			if (stopped) return;
			if (message !== undefined && one.active) one.end({ reason: "Evicted", message, graceSeconds });
		}
	};
	const round = async () => {
		const startedMs = clock.monotonicMs();
		// A pod whose files cannot be read now is measured again later.
		await look().catch(() => {});
		timer = undefined;
		if (limited().length > 0) schedule(Math.max(everyMs, (clock.monotonicMs() - startedMs) * pausePerLook));
	};
	return {
		added(pod) {
			if (hasStorageLimits(pod)) schedule(everyMs);
		},
		look,
		stop() {
			stopped = true;
			timer?.cancel();
		},
	};
}
