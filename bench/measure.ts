/** Measures time and memory, and prints one line per measurement. */
import { type Cluster, startCluster } from "../src/index.ts";

export interface Figure {
	what: string;
	/** Wall time in seconds. */
	seconds: number;
	/** CPU time of all threads: the upper limit of the wall time on an idle machine. */
	cpuSeconds: number;
	/** Memory of the whole process at its end. */
	rssMb: number;
	heapMb: number;
	note?: string;
}

/** A cluster of simulated nodes on the machine's clock and a memory store, for one measurement. */
export async function withCluster(
	nodeCount: number,
	measure: (cluster: Cluster) => Promise<void>,
	what: string,
): Promise<Figure> {
	await using cluster = await startCluster({
		nodes: nodeCount,
		...(process.env["BENCH_HISTORY"] === "off" && { history: false }),
		notify: { allow: ["127.0.0.1"] },
	});
	collectGarbage();
	const startMs = performance.now();
	const cpu = process.cpuUsage();
	await measure(cluster);
	const seconds = (performance.now() - startMs) / 1000;
	const { user, system } = process.cpuUsage(cpu);
	return { what, seconds, cpuSeconds: (user + system) / 1e6, ...memory() };
}

/** Memory of heap and buffers in MiB, after garbage collection. */
export async function heldMb(): Promise<number> {
	for (let round = 0; round < 3; round++) {
		collectGarbage();
		await new Promise((resolve) => setTimeout(resolve, 50));
	}
	const { heapUsed, external } = process.memoryUsage();
	return (heapUsed + external) / 2 ** 20;
}

export function median(figures: readonly number[]): number {
	const sorted = [...figures].sort((one, other) => one - other);
	return sorted[sorted.length >> 1] ?? 0;
}

export function memory(): { rssMb: number; heapMb: number } {
	const rssMb = process.memoryUsage.rss() / 2 ** 20;
	collectGarbage();
	return { rssMb, heapMb: process.memoryUsage().heapUsed / 2 ** 20 };
}

/** Requires --expose-gc, which scripts/bench.ts sets. */
function collectGarbage(): void {
	globalThis.gc?.();
}

export function print({ what, seconds, cpuSeconds, rssMb, heapMb, note }: Figure): void {
	const figures = `${seconds.toFixed(2).padStart(7)} s  ${cpuSeconds.toFixed(2).padStart(7)} s CPU  ${rssMb.toFixed(0).padStart(5)} MB resident  ${heapMb.toFixed(0).padStart(5)} MB heap`;
	console.log(`${what.padEnd(58)} ${figures}${note === undefined ? "" : `  ${note}`}`);
}
