/** The agent's counters: started and terminated containers, and probes (Kubernetes Metrics Reference). */

import { describeHealth } from "../../core/metrics/component.ts";
import {
	Histogram,
	histogramSamples,
	type MetricFamily,
	type MetricRegistry,
	type MetricSample,
} from "../../core/metrics/registry.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { Pod } from "../../kinds/generated/types.ts";
import type { Container } from "../../runtime/runtime.ts";
import type { ProbeKind } from "../pod/probe-state.ts";

export type ProbeOutcome = "successful" | "failed" | "unknown";

/** The default buckets of Prometheus' libraries, which upstream uses here. */
const durationBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const probeSeconds = "prober_probe_duration_seconds";
const types = { startup: "Startup", readiness: "Readiness", liveness: "Liveness" } as const;

/** Results of one type of probe of one container. */
interface ProbeSeries {
	labels: Record<string, string>;
	podUid: string;
	outcomes: Map<ProbeOutcome, number>;
	seconds: Histogram;
}

export class NodeMetrics {
	/** Served at `/metrics`. */
	readonly registry: MetricRegistry;
	readonly #sinceMs: number;
	readonly #started;
	readonly #ended;
	readonly #failures;
	/** By pod UID: the metrics of a pod's probes are removed with the pod. */
	readonly #probes = new Map<string, Map<string, ProbeSeries>>();

	/** @param registry shared with the counters of the agent's clients */
	constructor(registry: MetricRegistry, clock: Clock) {
		this.registry = registry;
		this.#sinceMs = clock.now();
		const type = "container_type";
		this.#started = registry.counters("kubelet_started_containers_total", "Containers that were started", [type]);
		this.#failures = registry.counters(
			"kubelet_started_containers_errors_total",
			"Containers that could not be started, by why",
			[type, "code"],
		);
		this.#ended = registry.counters("kubelet_terminated_containers_total", "Containers that have ended, by how", [
			type,
			"exit_code",
			"reason",
		]);
		describeHealth(registry, { healthz: ["ping", "log", "syncloop"] });
	}

	/** `/metrics/slis` */
	get slis(): readonly MetricFamily[] {
		return this.registry.families.filter(({ name }) => name.startsWith("kubernetes_healthcheck"));
	}

	/** `/metrics/probes` */
	get probes(): readonly MetricFamily[] {
		const all = () => [...this.#probes.values()].flatMap((series) => [...series.values()]);
		return [
			{
				name: "prober_probe_total",
				help: "Probes by their result",
				type: "counter",
				samples: () =>
					all().flatMap(({ labels, podUid, outcomes }) =>
						[...outcomes].map(([result, value]) => ({ labels: { ...labels, pod_uid: podUid, result }, value })),
					),
			},
			{
				name: probeSeconds,
				help: "How long probes took, in seconds",
				type: "histogram",
				samples: () =>
					all().flatMap(({ labels, seconds }): MetricSample[] => histogramSamples(seconds, labels, probeSeconds)),
			},
		];
	}

	started(pod: Pod, name: string): void {
		this.#started.of(typeOf(pod, name)).inc();
	}

	notStarted(pod: Pod, name: string, code: string): void {
		this.#failures.of(typeOf(pod, name), code).inc();
	}

	/** Called once per container. The previous agent counted containers that terminated before this agent started. */
	ended(pod: Pod, { config, exitCode = 0, reason = "", finishedAtMs = 0 }: Container): void {
		if (finishedAtMs < this.#sinceMs) return;
		this.#ended.of(typeOf(pod, config.name), String(exitCode), reason).inc();
	}

	probed({ metadata }: Pod, container: string, kind: ProbeKind, outcome: ProbeOutcome, tookMs: number): void {
		let ofPod = this.#probes.get(metadata.uid);
		if (ofPod === undefined) {
			ofPod = new Map();
			this.#probes.set(metadata.uid, ofPod);
		}
		const key = `${container}/${kind}`;
		let series = ofPod.get(key);
		if (series === undefined) {
			const { name: pod, namespace = "", uid } = metadata;
			series = {
				labels: { probe_type: types[kind], container, pod, namespace },
				podUid: uid,
				outcomes: new Map(),
				seconds: new Histogram(durationBounds),
			};
			ofPod.set(key, series);
		}
		series.outcomes.set(outcome, (series.outcomes.get(outcome) ?? 0) + 1);
		series.seconds.observe(tookMs / 1000);
	}

	/** The pod has left the node. */
	forget(podUid: string): void {
		this.#probes.delete(podUid);
	}
}

function typeOf({ spec }: Pod, name: string): string {
	if (spec.initContainers?.some((one) => one.name === name) === true) return "init_container";
	return spec.ephemeralContainers?.some((one) => one.name === name) === true ? "ephemeral_container" : "container";
}
