/** Metrics of webhooks, with upstream's names. */

import type { MetricRegistry } from "../../../core/metrics/registry.ts";
import type { Clock } from "../../../core/time/clock.ts";
import type { AdmissionAttributes } from "../../server/server.ts";
import type { Webhook } from "./webhook.ts";

const bounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5, 10, 25];
const operations = { create: "CREATE", update: "UPDATE", delete: "DELETE", connect: "CONNECT" } as const;
const types = { mutating: "admit", validating: "validating" } as const;

export class WebhookMetrics {
	readonly #clock: Clock;
	readonly #seconds;
	readonly #requests;
	readonly #rejections;
	readonly #failedOpen;

	constructor(metrics: MetricRegistry, clock: Clock) {
		this.#clock = clock;
		const prefix = "apiserver_admission_webhook";
		this.#seconds = metrics.histograms(
			`${prefix}_admission_duration_seconds`,
			"How long admission webhooks took, in seconds",
			bounds,
			["name", "operation", "rejected", "type"],
		);
		this.#requests = metrics.counters(`${prefix}_request_total`, "Calls of admission webhooks, by their answer", [
			"code",
			"name",
			"operation",
			"rejected",
			"type",
		]);
		this.#rejections = metrics.counters(
			`${prefix}_rejection_count`,
			"Requests that a webhook, or its failure, refused",
			["error_type", "name", "operation", "rejection_code", "type"],
		);
		this.#failedOpen = metrics.counters(`${prefix}_fail_open_count`, "Failed calls whose requests were let through", [
			"name",
			"type",
		]);
	}

	/** A webhook is about to be asked. */
	begin({ name }: Webhook, sort: keyof typeof types, of: AdmissionAttributes["operation"]) {
		const [type, operation, begunMs] = [types[sort], operations[of], this.#clock.monotonicMs()];
		const over = (code: number, isRejected: boolean) => {
			const rejected = String(isRejected);
			const seconds = (this.#clock.monotonicMs() - begunMs) / 1000;
			this.#seconds.of(name, operation, rejected, type).observe(seconds);
			this.#requests.of(String(code), name, operation, rejected, type).inc();
		};
		const rejected = (errorType: string, code: number) =>
			this.#rejections.of(errorType, name, operation, String(code), type).inc();
		return {
			answered: (code: number) => over(code, false),
			denied: (code: number) => {
				over(code, true);
				rejected("no_error", code);
			},
			failed: (isOpen: boolean) => {
				over(0, !isOpen);
				if (isOpen) this.#failedOpen.of(name, type).inc();
				else rejected("calling_webhook_error", 0);
			},
		};
	}
}
