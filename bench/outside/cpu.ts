/** CPU time of processes by thread, from the kernel. */
import { readdirSync, readFileSync } from "node:fs";

/** Thread name → nanoseconds. The first thread of a process is `main`. */
export type Cpu = ReadonlyMap<string, number>;

/** Without threads that have ended. */
export function cpuOf(pid: number): Cpu {
	const found = new Map<string, number>();
	for (const thread of readdirSync(`/proc/${pid}/task`)) {
		try {
			const at = `/proc/${pid}/task/${thread}`;
			const name = thread === String(pid) ? "main" : readFileSync(`${at}/comm`, "utf8").trim();
			const [ran] = readFileSync(`${at}/schedstat`, "utf8").split(" ");
			found.set(name, (found.get(name) ?? 0) + Number(ran));
		} catch {
			// It has just ended.
		}
	}
	return found;
}

export function since(now: Cpu, before: Cpu): Cpu {
	return new Map([...now].map(([name, ran]) => [name, ran - (before.get(name) ?? 0)]));
}

export function total(cpu: Cpu): number {
	return [...cpu.values()].reduce((sum, ran) => sum + ran, 0);
}
