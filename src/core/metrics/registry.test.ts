import { expect, test } from "vitest";
import { exposition, processMetrics } from "./exposition.ts";
import { exponentialBounds, MetricRegistry } from "./registry.ts";

test("what is counted becomes Prometheus' text", async () => {
	const metrics = new MetricRegistry();
	const requests = metrics.counters("requests_total", "Requests", ["verb"]);
	const [get, odd] = [requests.of("GET"), requests.of('a "quoted"\n\\verb')];
	get.inc();
	get.add(2);
	odd.inc();
	expect(requests.of("GET")).toBe(get);
	const seconds = metrics.histograms("wait_seconds", "Waiting", exponentialBounds(0.001, 10, 2)).of();
	for (const value of [0.001, 0.0011, 7]) seconds.observe(value);
	let depth = 1;
	metrics.gauge("depth", "Now", ["queue"], () => [[["job"], depth]]);
	metrics.counters("never_total", "Families without series are left out", ["x"]);
	depth = 2;
	expect(await exposition(metrics.families)).toBe(
		`${[
			"# HELP requests_total Requests",
			"# TYPE requests_total counter",
			'requests_total{verb="GET"} 3',
			'requests_total{verb="a \\"quoted\\"\\n\\\\verb"} 1',
			"",
			"# HELP wait_seconds Waiting",
			"# TYPE wait_seconds histogram",
			'wait_seconds_bucket{le="0.001"} 1',
			'wait_seconds_bucket{le="0.01"} 2',
			'wait_seconds_bucket{le="+Inf"} 3',
			"wait_seconds_sum 7.0021",
			"wait_seconds_count 3",
			"",
			"# HELP depth Now",
			"# TYPE depth gauge",
			'depth{queue="job"} 2',
		].join("\n")}\n`,
	);
});

test("a process tells its CPU time, memory and descriptors", async () => {
	const text = await processMetrics();
	for (const name of ["process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds", "nodejs_"])
		expect(text).toContain(name);
	// From the start of the process, not from when someone asked first.
	expect(Number(/^process_cpu_seconds_total (.*)$/m.exec(text)?.[1])).toBeGreaterThan(process.uptime() / 100);
});
