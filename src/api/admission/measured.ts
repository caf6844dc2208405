/** Measures how long admission takes. */

import type { MetricRegistry } from "../../core/metrics/registry.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { Admission, AdmissionAttributes } from "../server/server.ts";

const bounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5];

/** The same steps, with the time that they take. */
export function measuredAdmission(admission: Admission, metrics: MetricRegistry, clock: Clock): Admission {
	const help = "How long the steps of admission took, in seconds";
	const labels = ["operation", "rejected", "type"];
	const seconds = metrics.histograms("apiserver_admission_step_admission_duration_seconds", help, bounds, labels);
	const operation = { create: "CREATE", update: "UPDATE", delete: "DELETE", connect: "CONNECT" } as const;
	const measured = (take: Admission["admit"], type: string): Admission["admit"] => {
		const series = (rejected: string) => ({
			create: seconds.of(operation.create, rejected, type),
			update: seconds.of(operation.update, rejected, type),
			delete: seconds.of(operation.delete, rejected, type),
			connect: seconds.of(operation.connect, rejected, type),
		});
		const [admitted, refused] = [series("false"), series("true")];
		const done = (by: typeof admitted, { operation: of }: AdmissionAttributes, begunMs: number) =>
			by[of].observe((clock.monotonicMs() - begunMs) / 1000);
		return (request: AdmissionAttributes) => {
			const begunMs = clock.monotonicMs();
			let pending: Promise<void> | undefined;
			try {
				pending = take(request);
			} catch (error) {
				done(refused, request, begunMs);
				throw error;
			}
			if (pending === undefined) {
				done(admitted, request, begunMs);
				return undefined;
			}
			return pending.then(
				() => done(admitted, request, begunMs),
				(error: unknown) => {
					done(refused, request, begunMs);
					throw error;
				},
			);
		};
	};
	return {
		admit: measured((request) => admission.admit(request), "admit"),
		allocate: (request) => admission.allocate(request),
		check: measured((request) => admission.check(request), "validate"),
	};
}
