/**
 * The text of Prometheus, of families and of the process itself, by prom-client. The library is loaded, and begins to
 * look at the process, when someone asks for the first time.
 */
import type { Metric, Registry } from "prom-client";
import type { MetricFamily } from "./registry.ts";

export const expositionType = "text/plain; version=0.0.4; charset=utf-8";

/** Families without series are left out. */
export async function exposition(families: readonly MetricFamily[]): Promise<string> {
	const { Registry } = await import("prom-client");
	const registry = new Registry();
	for (const family of families) {
		const { name, help, type } = family;
		const values = family.samples();
		if (values.length === 0) continue;
		// What a registry asks of a metric is its `get`; its class is prom-client's own matter.
		registry.registerMetric({ name, get: async () => ({ name, help, type, values }) } as unknown as Metric);
	}
	return registry.metrics();
}

/** `process_*` and `nodejs_*`. */
export async function processMetrics(): Promise<string> {
	observed ??= observeProcess();
	return (await observed).metrics();
}

/** One for all clusters of a process. */
let observed: Promise<Registry> | undefined;

async function observeProcess(): Promise<Registry> {
	const { collectDefaultMetrics, Counter, Registry } = await import("prom-client");
	const register = new Registry();
	collectDefaultMetrics({ register });
	// The library counts from when it is loaded; a process is as old as it is.
	const cpu = (name: string, help: string, seconds: () => number) => {
		register.removeSingleMetric(name);
		new Counter({
			name,
			help,
			registers: [register],
			collect() {
				this.reset();
				this.inc(seconds());
			},
		});
	};
	const used = process.cpuUsage;
	cpu("process_cpu_user_seconds_total", "CPU time of the program, in seconds", () => used().user / 1e6);
	cpu("process_cpu_system_seconds_total", "CPU time of the system for it, in seconds", () => used().system / 1e6);
	cpu("process_cpu_seconds_total", "CPU time, in seconds", () => (used().user + used().system) / 1e6);
	return register;
}
