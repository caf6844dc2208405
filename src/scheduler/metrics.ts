/** Metrics of the scheduler (Kubernetes Metrics Reference, `scheduler_…`). */

import { exponentialBounds, type MetricRegistry } from "../core/metrics/registry.ts";
import type { Clock } from "../core/time/clock.ts";

export type AttemptResult = "scheduled" | "unschedulable" | "error";

/** Pods without a node, by what they wait for. */
export interface PendingPods {
	active: number;
	backoff: number;
	unschedulable: number;
	gated: number;
}

const results: readonly AttemptResult[] = ["scheduled", "unschedulable", "error"];

export class SchedulerMetrics {
	readonly #clock: Clock;
	readonly #attempts;
	readonly #attemptSeconds;
	readonly #algorithmSeconds;
	readonly #podAttempts;
	readonly #podSeconds;
	readonly #preemptions;
	readonly #victims;

	/** @param profile the scheduler's name */
	constructor(metrics: MetricRegistry, clock: Clock, profile: string, pending: () => PendingPods) {
		this.#clock = clock;
		const labels = ["profile", "result"];
		const counted = metrics.counters("scheduler_schedule_attempts_total", "Attempts to find a node for a pod", labels);
		const timed = metrics.histograms(
			"scheduler_scheduling_attempt_duration_seconds",
			"How long attempts took, with the binding, in seconds",
			exponentialBounds(0.001, 2, 15),
			labels,
		);
		const byResult = <T>(of: (result: AttemptResult) => T) =>
			new Map(results.map((result): [AttemptResult, T] => [result, of(result)]));
		this.#attempts = byResult((result) => counted.of(profile, result));
		this.#attemptSeconds = byResult((result) => timed.of(profile, result));
		this.#algorithmSeconds = metrics
			.histograms(
				"scheduler_scheduling_algorithm_duration_seconds",
				"How long it took to choose a node, in seconds",
				exponentialBounds(0.001, 2, 15),
			)
			.of();
		this.#podAttempts = metrics
			.histograms("scheduler_pod_scheduling_attempts", "Attempts until a pod had a node", [1, 2, 4, 8, 16])
			.of();
		this.#podSeconds = metrics.histograms(
			"scheduler_pod_scheduling_sli_duration_seconds",
			"How long pods waited for a node, in seconds, from when they could have one",
			exponentialBounds(0.01, 2, 20),
			["attempts"],
		);
		this.#preemptions = metrics
			.counters("scheduler_preemption_attempts_total", "Pods for which others were to make room")
			.of();
		this.#victims = metrics
			.histograms("scheduler_preemption_victims", "Pods that were to make room for one", [1, 2, 4, 8, 16, 32, 64])
			.of();
		metrics.gauge("scheduler_pending_pods", "Pods without a node, by what they wait for", ["queue"], () =>
			Object.entries(pending()).map(([queue, count]) => [[queue], count]),
		);
	}

	/** @returns a start time for the other methods */
	begin(): number {
		return this.#clock.monotonicMs();
	}

	chosen(begunMs: number): void {
		this.#algorithmSeconds.observe(this.#since(begunMs));
	}

	attempted(result: AttemptResult, begunMs: number): void {
		this.#attempts.get(result)?.inc();
		this.#attemptSeconds.get(result)?.observe(this.#since(begunMs));
	}

	/**
	 * A pod was bound.
	 * @param tries including this one
	 */
	bound({ count, sinceMs }: { count: number; sinceMs: number }): void {
		this.#podAttempts.observe(count);
		// Upstream's grouping.
		this.#podSeconds.of(count >= 15 ? "15+" : String(count)).observe(this.#since(sinceMs));
	}

	preempts(victimCount: number): void {
		this.#preemptions.inc();
		this.#victims.observe(victimCount);
	}

	#since(begunMs: number): number {
		return (this.#clock.monotonicMs() - begunMs) / 1000;
	}
}
