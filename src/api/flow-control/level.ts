/** A PriorityLevelConfiguration at work. */
import type { Clock } from "../../core/time/clock.ts";
import type { PriorityLevelConfiguration } from "../../kinds/generated/types.ts";
import { Demand } from "./demand.ts";
import { Utilization } from "./lasting.ts";
import type { Limits } from "./limits.ts";
import { Queues } from "./queues.ts";
import { RetryAfter } from "./retry-after.ts";
import { mostSeatsOf } from "./seats.ts";

const noQueues = { queues: 0, handSize: 0, queueLengthLimit: 0 };

export class Level {
	readonly name: string;
	readonly queues: Queues;
	readonly demand: Demand;
	readonly utilization: Utilization;
	readonly retryAfter = new RetryAfter();
	uid = "";
	isExempt = false;
	limits: Limits = { nominal: 0, least: 0, most: 0 };
	/** What it has now, with what it borrows and without what it lends. */
	current = 0;
	/** What it was to have at the last division, in proportion to others. */
	target = 0;
	mostSeatsOfOne = 1;
	readonly done = { dispatched: 0, rejected: 0, timedOut: 0, cancelled: 0 };

	readonly #clock: Clock;
	/** To compare with while it has none of its own. */
	readonly #idleSeats: number;

	/** @param serverSeats of the whole server */
	constructor(name: string, clock: Clock, serverSeats: number) {
		this.name = name;
		this.queues = new Queues(clock);
		this.demand = new Demand(clock.monotonicMs());
		this.utilization = new Utilization(clock.monotonicMs());
		this.#clock = clock;
		this.#idleSeats = Math.max(1, Math.round(serverSeats / 10));
	}

	/** Takes effect immediately for waiting requests. If its shares have changed, borrowing starts over. */
	configure({ metadata, spec }: Pick<PriorityLevelConfiguration, "metadata" | "spec">, limits: Limits): void {
		const isKept = limits.nominal === this.limits.nominal && this.current > 0;
		this.uid = metadata.uid;
		this.isExempt = spec.type === "Exempt";
		this.limits = limits;
		const { queues = 64, handSize = 8, queueLengthLimit = 50 } = spec.limited?.limitResponse?.queuing ?? noQueues;
		this.mostSeatsOfOne = mostSeatsOf(limits.nominal, Math.max(1, handSize));
		const kept = Math.max(limits.least, Math.min(limits.most, this.current));
		this.current = isKept ? kept : limits.nominal;
		this.queues.configure({ queues, handSize, queueLengthLimit }, this.#seats());
	}

	setCurrent(seats: number): void {
		this.current = seats;
		this.queues.setLimit(this.#seats());
	}

	/** Notes what is needed now. */
	note(nowMs = this.#clock.monotonicMs()): void {
		const { queues } = this;
		this.demand.set(queues.seatsRunning + queues.seatsWaiting, nowMs);
		this.utilization.set(queues, this.current > 0 ? this.current : this.#idleSeats, queues.places, nowMs);
	}

	#seats(): number {
		return this.isExempt ? Number.POSITIVE_INFINITY : this.current;
	}
}
