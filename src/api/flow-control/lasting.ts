/** How long a level was used how much: upstream's timing histograms, which count nanoseconds. */
import { Histogram } from "../../core/metrics/registry.ts";

class Lasting {
	readonly histogram: Histogram;
	#value = 0;

	constructor(bounds: readonly number[]) {
		this.histogram = new Histogram(bounds);
	}

	/** @param ns for which it has been what it was set to before */
	set(value: number, ns: number): void {
		if (ns > 0) this.histogram.observe(this.#value, ns);
		this.#value = value;
	}
}

const requestBounds = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1];
const nsPerMs = 1_000_000;

export interface Use {
	seatsRunning: number;
	seatsWaiting: number;
	running: number;
	waiting: number;
}

/** Parts of what a level has, over time. */
export class Utilization {
	readonly seats = new Lasting([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1]);
	readonly executing = new Lasting(requestBounds);
	readonly waiting = new Lasting(requestBounds);
	readonly demand = new Lasting([0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.7, 2, 2.8, 4, 6]);
	#sinceMs: number;

	constructor(nowMs: number) {
		this.#sinceMs = nowMs;
	}

	/** @param seats that it has @param places of requests that wait */
	set({ seatsRunning, seatsWaiting, running, waiting }: Use, seats: number, places: number, nowMs: number): void {
		const ns = Math.round((nowMs - this.#sinceMs) * nsPerMs);
		this.#sinceMs = nowMs;
		this.seats.set(seatsRunning / seats, ns);
		this.executing.set(running / seats, ns);
		this.waiting.set(waiting / places, ns);
		this.demand.set((seatsRunning + seatsWaiting) / seats, ns);
	}
}
