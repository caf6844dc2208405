/** Metrics of clients over a network (Kubernetes Metrics Reference, `rest_client_…`). */
import { exponentialBounds, type MetricRegistry } from "../../core/metrics/registry.ts";

/** Called for each request that completed or failed. @param status undefined: there was no response */
export type Answered = (method: string, host: string, status: number | undefined, tookMs: number) => void;

export function clientMetrics(metrics: MetricRegistry): Answered {
	const requests = metrics.counters("rest_client_requests_total", "Requests by status code", [
		"code",
		"method",
		"host",
	]);
	const seconds = metrics.histograms(
		"rest_client_request_duration_seconds",
		"How long requests took until their answers began, in seconds",
		exponentialBounds(0.005, 2, 14),
		["verb", "host"],
	);
	return (method, host, status, tookMs) => {
		requests.of(status === undefined ? "<error>" : String(status), method, host).inc();
		seconds.of(method, host).observe(tookMs / 1000);
	};
}
