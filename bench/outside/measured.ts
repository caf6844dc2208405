/** CPU time of processes and writes of the store during a measurement. */
import type { Client } from "../../src/index.ts";
import { type Cpu, cpuOf, since, total } from "./cpu.ts";

/** Processes whose CPU time is shown. */
export type Pids = ReadonlyMap<string, number>;

export interface Spent {
	seconds: number;
	/** By process name. */
	cpu: ReadonlyMap<string, Cpu>;
	/** Writes, and the transactions that contain them; undefined if the server does not expose them. */
	store: StoreCounts | undefined;
}

export interface StoreCounts {
	commits: number;
	groups: number;
	/** Of all groups together. */
	groupSeconds: number;
}

/** @param client reads the server's metrics, before and after */
export async function spent(pids: Pids, client: Client, work: () => Promise<void>): Promise<Spent> {
	const [countsBefore, cpuBefore] = [await storeCounts(client), cpuOfAll(pids)];
	const startMs = performance.now();
	await work();
	const seconds = (performance.now() - startMs) / 1000;
	const cpu = new Map([...cpuOfAll(pids)].map(([name, now]) => [name, since(now, cpuBefore.get(name) ?? new Map())]));
	const counts = await storeCounts(client);
	return { seconds, cpu, store: counts && countsBefore && difference(counts, countsBefore) };
}

function cpuOfAll(pids: Pids): ReadonlyMap<string, Cpu> {
	return new Map([...pids].map(([name, pid]) => [name, cpuOf(pid)]));
}

/** Under etcd's names, which other servers use, too. */
async function storeCounts(client: Client): Promise<StoreCounts | undefined> {
	const text = String(await client.raw("GET", "/metrics"));
	const sum = (metric: string) => {
		let found: number | undefined;
		for (const line of text.split("\n")) {
			if (!line.startsWith(metric) || !/[ {]/.test(line[metric.length] ?? "")) continue;
			found = (found ?? 0) + Number(line.slice(line.lastIndexOf(" ")));
		}
		return found;
	};
	const groups = sum("etcd_disk_backend_commit_duration_seconds_count");
	if (groups === undefined) return undefined;
	const groupSeconds = sum("etcd_disk_backend_commit_duration_seconds_sum") ?? 0;
	return { commits: sum("etcd_requests_total") ?? 0, groups, groupSeconds };
}

function difference(now: StoreCounts, before: StoreCounts): StoreCounts {
	return {
		commits: now.commits - before.commits,
		groups: now.groups - before.groups,
		groupSeconds: now.groupSeconds - before.groupSeconds,
	};
}

/** @param count number of operations by which the CPU time is divided */
export function describe({ cpu, seconds, store }: Spent, count: number): string[] {
	const micros = (nanoseconds: number) => (nanoseconds / 1000 / count).toFixed(1);
	const lines = [...cpu].map(([name, threads]) => {
		const all = total(threads);
		const busy = [...threads].filter(([, ran]) => ran > all / 50).sort(([, a], [, b]) => b - a);
		const parts = busy.map(([thread, ran]) => `${thread} ${micros(ran)}`).join(", ");
		const idle = Math.max(0, 1 - (threads.get("main") ?? 0) / 1e9 / seconds);
		return `${name}: ${micros(all)} µs each, ${(all / 1e9).toFixed(2)} s in all (${parts}; main ${(idle * 100).toFixed(0)} % idle)`;
	});
	if (store !== undefined && store.groups > 0) {
		const { commits, groups, groupSeconds } = store;
		const groupMs = ((groupSeconds * 1000) / groups).toFixed(2);
		lines.push(`store: ${commits} writes in ${groups} groups of ${(commits / groups).toFixed(1)}, ${groupMs} ms each`);
	}
	return lines;
}
