/**
 * `/metrics` and its neighbours: what the server has counted, and what there is in the cluster, as Prometheus reads it.
 */
import type { ApiResponse, User } from "../../core/exchange.ts";
import { exposition, expositionType, processMetrics } from "../../core/metrics/exposition.ts";
import type { MetricFamily, MetricRegistry } from "../../core/metrics/registry.ts";
import { textResponse } from "../wire/respond.ts";
import type { WorkloadMetrics } from "../workload-metrics/serve.ts";

/** Undefined when the path is about no metrics. */
export function metricsAt(
	metrics: MetricRegistry,
	workloads: WorkloadMetrics,
	path: string,
	user: User,
): Promise<ApiResponse> | ApiResponse | undefined {
	switch (path) {
		case "/metrics":
			return everything(metrics);
		case "/metrics/slis":
			return exposition(metrics.families.filter(isSli)).then(asText);
		case "/metrics/workloads":
			return workloads.answer(user.name);
		default:
			return undefined;
	}
}

async function everything(metrics: MetricRegistry): Promise<ApiResponse> {
	const counted = await exposition(metrics.families);
	return asText(counted + (await processMetrics()));
}

function isSli({ name }: MetricFamily): boolean {
	return name.startsWith("kubernetes_healthcheck");
}

function asText(text: string): ApiResponse {
	return textResponse(text, 200, expositionType);
}
