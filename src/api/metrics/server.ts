/** What is counted of the API server besides requests: the store, the audit log. */

import type { Histogram, MetricRegistry } from "../../core/metrics/registry.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { Registry } from "../../kinds/engine/registry.ts";
import type { AuditOptions } from "../audit/audit.ts";
import type { WatchCache } from "../cache/cache.ts";
import { resourceOfKey } from "../cache/keys.ts";

const storeBounds = [
	0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];

/** Objects by resource, and the size of what holds them. @param storeBytes of the store's file, where there is one */
export function countObjects(
	metrics: MetricRegistry,
	kinds: Registry,
	cache: WatchCache,
	storeBytes: (() => number) | undefined,
): void {
	metrics.gauge(
		"apiserver_storage_objects",
		"As apiserver_resource_objects, which is the newer name",
		["resource"],
		() =>
			kinds.all().map((kind) => {
				const { group, plural } = kind;
				return [[group === "" ? plural : `${plural}.${group}`], cache.resource(kind).size];
			}),
	);
	metrics.gauge("apiserver_resource_objects", "Stored objects by resource", ["group", "resource"], () =>
		kinds.all().map((kind) => [[kind.group, kind.plural], cache.resource(kind).size]),
	);
	if (storeBytes === undefined) return;
	metrics.gauge("apiserver_storage_size_bytes", "Size of the store's file", ["storage_cluster_id"], () => [
		[["etcd-0"], storeBytes()],
	]);
	metrics.gauge("etcd_mvcc_db_total_size_in_bytes", "Size of the store's file", [], () => [[[], storeBytes()]]);
	metrics.gauge("etcd_server_has_leader", "The store belongs to the server; always 1", [], () => [[[], 1]]);
}

export type StoreOperation = "create" | "update" | "delete";

/** Writes to the store. Reads come from the watch cache. */
export class StoreMetrics {
	readonly #clock: Clock;
	readonly #seconds;
	/** By operation and `group/plural`. */
	readonly #series = new Map<string, Histogram>();

	constructor(metrics: MetricRegistry, clock: Clock) {
		this.#clock = clock;
		const labels = ["operation", "group", "resource"];
		const help = "How long the store took, in seconds, until what was written could be acknowledged";
		this.#seconds = metrics.histograms("etcd_request_duration_seconds", help, storeBounds, labels);
		metrics.add({
			name: "etcd_requests_total",
			help: "Writes to the store",
			type: "counter",
			samples: () =>
				this.#seconds
					.samples()
					.filter(({ metricName }) => metricName?.endsWith("_count"))
					.map(({ labels: of, value }) => ({ labels: of, value })),
		});
	}

	/** To be handed to `committed`. */
	begin(): number {
		return this.#clock.monotonicMs();
	}

	committed(operation: StoreOperation, key: string, begunMs: number): void {
		const resource = resourceOfKey(key) ?? "core/";
		const name = `${operation} ${resource}`;
		let series = this.#series.get(name);
		if (series === undefined) {
			const cut = resource.indexOf("/");
			const group = resource.slice(0, cut);
			series = this.#seconds.of(operation, group === "core" ? "" : group, resource.slice(cut + 1));
			this.#series.set(name, series);
		}
		series.observe((this.#clock.monotonicMs() - begunMs) / 1000);
	}
}

/** The same log, with its events counted. */
export function countedAudit({ policy, sink }: AuditOptions, metrics: MetricRegistry): AuditOptions {
	const events = metrics.counters("apiserver_audit_event_total", "Events in the audit log").of();
	const levels = metrics.counters("apiserver_audit_level_total", "Events in the audit log, by level", ["level"]);
	return {
		policy,
		sink(event) {
			events.inc();
			levels.of(event.level).inc();
			sink(event);
		},
	};
}
