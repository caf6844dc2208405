import { expect, test } from "vitest";
import { histogramSamples } from "../../core/metrics/registry.ts";
import { Utilization } from "./lasting.ts";

test("what parts of a level are in use counts for as long as it lasts, in nanoseconds", () => {
	const utilization = new Utilization(1000);
	const none = { seatsRunning: 0, seatsWaiting: 0, running: 0, waiting: 0 };
	utilization.set({ seatsRunning: 2, seatsWaiting: 6, running: 1, waiting: 5 }, 4, 50, 1010);
	utilization.set(none, 4, 50, 1012.5);
	utilization.set(none, 4, 50, 1013);
	const of = (name: "seats" | "executing" | "waiting" | "demand") =>
		Object.fromEntries(
			histogramSamples(utilization[name].histogram, {}, "n").map(({ labels, metricName, value }) => [
				labels["le"] ?? metricName,
				value,
			]),
		);
	expect(of("seats")).toMatchObject({ 0: 10_500_000, 0.4: 10_500_000, 0.5: 13_000_000, "+Inf": 13_000_000 });
	expect(of("seats")).toMatchObject({ n_sum: 1_250_000, n_count: 13_000_000 });
	expect(of("executing")).toMatchObject({ 0.1: 10_500_000, 0.25: 13_000_000 });
	expect(of("waiting")).toMatchObject({ 0.03: 10_500_000, 0.1: 13_000_000 });
	expect(of("demand")).toMatchObject({ 1.7: 10_500_000, 2: 13_000_000 });
});
