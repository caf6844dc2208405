/**
 * The metrics of requests (Kubernetes Metrics Reference, "apiserver_request_total" and its neighbours). A request costs
 * two looks at the clock, one look-up, one addition and one observation.
 */

import type { ApiRequest } from "../../core/exchange.ts";
import type { Counter, Histogram, MetricRegistry } from "../../core/metrics/registry.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { Registry } from "../../kinds/engine/registry.ts";
import { certificateUntilMs } from "../request/peer.ts";
import type { RequestInfo } from "../request/request-info.ts";
import {
	Measured,
	type MeasuredRequest,
	type RequestCounts,
	type RequestFacts,
	type RequestSeries,
} from "./measured-request.ts";
import { isServed, pathLabels, type RequestLabels, requestKey, requestLabels } from "./request-labels.ts";

const labelNames = ["verb", "dry_run", "group", "version", "resource", "subresource", "scope", "component"] as const;
/** Upstream's, as all bounds here. */
const durationBounds = [
	0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];
const component = "apiserver";
const [hour, day] = [3600, 86_400] as const;
const certificateBounds = [
	...[0, 0.5, 1, 2, 6, 12].map((hours) => hours * hour),
	...[1, 2, 4, 7, 30, 90, 180, 360].map((days) => days * day),
];

export interface RequestMetricsOptions {
	metrics: MetricRegistry;
	clock: Clock;
	/** The time that certificates are dated by. Default: `clock`. */
	wallClock?: Pick<Clock, "now"> | undefined;
	/** What may become a label: others' words in requests must not. */
	kinds: Registry;
}

export class RequestMetrics implements RequestCounts {
	readonly #clock: Clock;
	readonly #kinds: Registry;
	readonly #series = new Map<string, RequestSeries>();
	/** The same, by what requests for them have in common. */
	readonly #byRequest = new Map<string, RequestSeries>();
	readonly #running = { readOnly: 0, mutating: 0 };
	readonly #total;
	readonly #seconds;
	readonly #terminations;
	readonly #watchEvents;
	readonly #authenticated: Counter;
	readonly #unknown: Counter;
	readonly #allowed: Counter;
	readonly #denied: Counter;
	readonly #wallClock: Pick<Clock, "now">;
	readonly #certificateSeconds: Histogram;

	constructor({ metrics, clock, wallClock = clock, kinds }: RequestMetricsOptions) {
		this.#clock = clock;
		this.#wallClock = wallClock;
		this.#kinds = kinds;
		this.#total = metrics.counters("apiserver_request_total", "Requests by verb, resource, scope and status code", [
			...labelNames,
			"code",
		]);
		this.#seconds = metrics.histograms(
			"apiserver_request_duration_seconds",
			"How long requests took, in seconds; for watches, logs and connections, how long they ran",
			durationBounds,
			labelNames,
		);
		metrics.add({
			name: "apiserver_request_sli_duration_seconds",
			help: "How long requests took, in seconds, without watches; there are no webhooks to wait for",
			type: "histogram",
			samples: () => this.#sliSamples(),
		});
		this.#terminations = metrics.counters(
			"apiserver_request_terminations_total",
			"Requests that were turned away because there were too many",
			["verb", "group", "version", "resource", "subresource", "scope", "component", "code"],
		);
		this.#watchEvents = metrics.counters("apiserver_watch_events_total", "Events that were sent to watches", [
			"group",
			"version",
			"resource",
		]);
		metrics.gauge(
			"apiserver_current_inflight_requests",
			"Requests under way, but for those that run on",
			["request_kind"],
			() => Object.entries(this.#running).map(([kind, count]) => [[kind], count]),
		);
		metrics.gauge(
			"apiserver_longrunning_requests",
			"Watches, logs and connections that run",
			["verb", "group", "version", "resource", "subresource", "scope", "component"],
			() => this.#longRunning(),
		);
		metrics.gauge(
			"apiserver_requested_deprecated_apis",
			"Deprecated versions that were asked for; always 1",
			["group", "version", "resource", "subresource", "removed_release"],
			() => this.#deprecated(),
		);
		const attempts = metrics.counters("authentication_attempts", "Requests by whether it is known who asks", [
			"result",
		]);
		this.#authenticated = attempts.of("success");
		this.#unknown = attempts.of("failure");
		const decisions = metrics.counters("authorization_attempts_total", "Requests by whether they may be made", [
			"result",
		]);
		this.#allowed = decisions.of("allowed");
		this.#denied = decisions.of("denied");
		const certificates = metrics.histograms(
			"apiserver_client_certificate_expiration_seconds",
			"For how long certificates still hold by which clients are known, in seconds, at each request",
			certificateBounds,
			[],
		);
		this.#certificateSeconds = certificates.of();
	}

	begin(facts: RequestFacts): MeasuredRequest {
		return new Measured(this, facts, this.#clock.monotonicMs());
	}

	entered({ method }: ApiRequest, change: 1 | -1): void {
		if (method === "GET" || method === "HEAD") this.#running.readOnly += change;
		else this.#running.mutating += change;
	}

	decided({ request, requester, isAllowed }: RequestFacts, status: number): void {
		if (requester !== undefined) {
			this.#authenticated.inc();
			const untilMs = requester === request.user ? certificateUntilMs(request.peer) : undefined;
			if (untilMs !== undefined) this.#certificateSeconds.observe((untilMs - this.#wallClock.now()) / 1000);
			if (isAllowed) this.#allowed.inc();
			else if (status === 403 || status === 401) this.#denied.inc();
		} else if (status === 401) this.#unknown.inc();
	}

	seriesOf(request: ApiRequest, info: RequestInfo | undefined): RequestSeries {
		const found = this.#byRequest.get(requestKey(request, info));
		if (found !== undefined) return found;
		return this.#firstOf(request, info);
	}

	#firstOf(request: ApiRequest, info: RequestInfo | undefined): RequestSeries {
		const labels = requestLabels(request, info);
		const known = labels.resource === "" || isServed(this.#kinds, labels);
		const series = this.#seriesNamed(known ? labels : pathLabels(labels.verb, ""));
		// Clients' own words are not remembered.
		if (known && info !== undefined) this.#byRequest.set(requestKey(request, info), series);
		return series;
	}

	finished(series: RequestSeries, code: number, startedMs: number): void {
		let counter = series.byCode.get(code);
		if (counter === undefined) {
			counter = this.#total.of(...values(series.labels), String(code));
			series.byCode.set(code, counter);
		}
		counter.inc();
		series.seconds.observe((this.#clock.monotonicMs() - startedMs) / 1000);
		if (code === 429) {
			const [verb = "", , ...rest] = values(series.labels);
			this.#terminations.of(verb, ...rest, "429").inc();
		}
	}

	#seriesNamed(labels: RequestLabels): RequestSeries {
		const { verb, group, version, resource } = labels;
		const key = keyOf(labels);
		let series = this.#series.get(key);
		if (series === undefined) {
			series = {
				labels,
				byCode: new Map(),
				seconds: this.#seconds.of(...values(labels)),
				running: 0,
				events: verb === "WATCH" ? this.#watchEvents.of(group, version, resource) : undefined,
			};
			this.#series.set(key, series);
		}
		return series;
	}

	*#longRunning(): Iterable<readonly [string[], number]> {
		for (const { labels, running } of this.#series.values()) {
			if (running === 0) continue;
			const [verb = "", , ...rest] = values(labels);
			yield [[verb, ...rest], running];
		}
	}

	*#deprecated(): Iterable<readonly [string[], number]> {
		const told = new Set<string>();
		for (const { labels } of this.#series.values()) {
			const { group, version, resource, subresource } = labels;
			const found = this.#kinds.resource(group, version, resource);
			const deprecation = found?.served?.deprecation ?? found?.kind.deprecation;
			if (deprecation === undefined || told.has(`${group}/${version}/${resource}/${subresource}`)) continue;
			told.add(`${group}/${version}/${resource}/${subresource}`);
			const removed = /unavailable in v(\d+\.\d+)/.exec(deprecation)?.[1] ?? "";
			yield [[group, version, resource, subresource, removed], 1];
		}
	}

	#sliSamples() {
		const family = "apiserver_request_sli_duration_seconds";
		return this.#seconds
			.samples()
			.filter(({ labels }) => labels["verb"] !== "WATCH")
			.map((sample) => ({
				...sample,
				metricName: sample.metricName?.replace("apiserver_request_duration_seconds", family) ?? family,
			}));
	}
}

function keyOf({ verb, dryRun, group, version, resource, subresource, scope }: RequestLabels): string {
	return `${verb} ${dryRun} ${group} ${version} ${resource} ${subresource} ${scope}`;
}

/** In the order of `labelNames`. */
function values({ verb, dryRun, group, version, resource, subresource, scope }: RequestLabels): string[] {
	return [verb, dryRun, group, version, resource, subresource, scope, component];
}
