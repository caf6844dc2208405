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

/** etcd's. */
const transactionBounds = [
	0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192,
];

/** Objects by resource. */
export function countObjects(metrics: MetricRegistry, kinds: Registry, cache: WatchCache): void {
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
}

/** What is measured of a store that is a file. */
export interface StoreFile {
	/** Its size. */
	bytes(): number;
	/** Has `begin` called when a transaction begins, and what it returns when that is on disk or has failed. */
	followTransactions(begin: () => () => void): void;
}

/** The file of a store, in etcd's terms where they fit. */
export function measureStoreFile(metrics: MetricRegistry, clock: Clock, file: StoreFile): void {
	metrics.gauge("apiserver_storage_size_bytes", "Size of the store's file", ["storage_cluster_id"], () => [
		[["etcd-0"], file.bytes()],
	]);
	metrics.gauge("etcd_mvcc_db_total_size_in_bytes", "Size of the store's file", [], () => [[[], file.bytes()]]);
	metrics.gauge("etcd_server_has_leader", "The store belongs to the server; always 1", [], () => [[[], 1]]);
	const help = "How long transactions of the store took, in seconds; each holds the writes that were waiting";
	const seconds = metrics.histograms("etcd_disk_backend_commit_duration_seconds", help, transactionBounds).of();
	file.followTransactions(() => {
		const begunMs = clock.monotonicMs();
		return () => seconds.observe((clock.monotonicMs() - begunMs) / 1000);
	});
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
