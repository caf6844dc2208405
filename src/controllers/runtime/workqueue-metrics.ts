/**
 * Metrics of the controllers' queues, like those of upstream's work queues (Kubernetes Metrics Reference,
 * `workqueue_…`).
 */
import { type Counter, exponentialBounds, type Histogram, type MetricRegistry } from "../../core/metrics/registry.ts";

/** From ten nanoseconds to a thousand seconds. */
const bounds = exponentialBounds(1e-8, 10, 12);

export interface QueueMetrics {
	readonly adds: Counter;
	readonly retries: Counter;
	/** From being added to being processed. */
	readonly waitSeconds: Histogram;
	readonly workSeconds: Histogram;
}

/** The current state of a queue. */
export interface QueueState {
	/** The number of queued keys. */
	readonly depth: number;
	/** When processing of each key in progress started, on the monotonic clock. */
	readonly begunMs: Iterable<number>;
	readonly nowMs: number;
}

/** All queues of one process. */
export class WorkqueueMetrics {
	readonly #states = new Map<string, () => QueueState>();
	readonly #adds;
	readonly #retries;
	readonly #wait;
	readonly #work;

	constructor(metrics: MetricRegistry) {
		const name = ["name"];
		this.#adds = metrics.counters("workqueue_adds_total", "Keys that were added to the queue", name);
		this.#retries = metrics.counters("workqueue_retries_total", "Keys that were added again after a failure", name);
		this.#wait = metrics.histograms(
			"workqueue_queue_duration_seconds",
			"How long keys waited in the queue, in seconds",
			bounds,
			name,
		);
		this.#work = metrics.histograms(
			"workqueue_work_duration_seconds",
			"How long it took to work on a key, in seconds",
			bounds,
			name,
		);
		const gauge = (metric: string, help: string, of: (state: QueueState) => number) =>
			metrics.gauge(metric, help, name, () => [...this.#states].map(([queue, state]) => [[queue], of(state())]));
		const agesMs = ({ begunMs, nowMs }: QueueState) => [...begunMs].map((sinceMs) => nowMs - sinceMs);
		gauge("workqueue_depth", "Keys that wait in the queue", ({ depth }) => depth);
		gauge(
			"workqueue_unfinished_work_seconds",
			"How long the keys that are worked on have been so, in seconds, all together",
			(state) => agesMs(state).reduce((sum, ageMs) => sum + ageMs, 0) / 1000,
		);
		gauge(
			"workqueue_longest_running_processor_seconds",
			"How long the key that has been worked on for longest has been so, in seconds",
			(state) => agesMs(state).reduce((longest, ageMs) => Math.max(longest, ageMs), 0) / 1000,
		);
	}

	/** @param state called when metrics are read */
	queue(controller: string, state: () => QueueState): QueueMetrics {
		const name = upstreamNames[controller] ?? controller.replaceAll("-", "_");
		this.#states.set(name, state);
		return {
			adds: this.#adds.of(name),
			retries: this.#retries.of(name),
			waitSeconds: this.#wait.of(name),
			workSeconds: this.#work.of(name),
		};
	}
}

/** Queues whose upstream name differs from the controller's name here. */
const upstreamNames: Readonly<Record<string, string>> = {
	"certificatesigningrequest-signing": "certificate",
	"clusterrole-aggregation-controller": "ClusterRoleAggregator",
	endpoints: "endpoint",
	endpointslice: "endpoint_slice",
	endpointslicemirroring: "endpoint_slice_mirroring",
	"garbage-collector": "garbage_collector_attempt_to_delete",
	"node-lifecycle": "node_lifecycle_controller",
	"persistentvolume-binder": "claims",
	"pv-protection": "pvprotection",
	"pvc-protection": "pvcprotection",
	replicationcontroller: "replicationmanager",
	resourcequota: "resourcequota_primary",
	"root-ca-certificate-publisher": "root_ca_cert_publisher",
	"serviceaccount-token": "serviceaccount_tokens_service",
	"taint-eviction": "noexec_taint_pod",
	"ttl-after-finished": "ttl_jobs_to_delete",
};
