/** `/metrics` and its neighbours: what the server has counted, as Prometheus reads it. */
import type { ApiResponse } from "../../core/exchange.ts";
import { exposition, expositionType, processMetrics } from "../../core/metrics/exposition.ts";
import type { MetricFamily, MetricRegistry } from "../../core/metrics/registry.ts";
import { textResponse } from "../respond.ts";

/** Undefined when the path is about no metrics. */
export function metricsAt(metrics: MetricRegistry, path: string): Promise<ApiResponse> | undefined {
	switch (path) {
		case "/metrics":
			return everything(metrics);
		case "/metrics/slis":
			return exposition(metrics.families.filter(isSli)).then(asText);
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
