/** What the processes of this PID namespace have used. The benchmark has one of its own, so that only its own count. */
import { allPids, readProc } from "../../src/linux/processes.ts";

const msPerTick = 10;

/** Processor time in milliseconds of all processes, and of those that have ended. Counted in ticks of 10 ms. */
export function cpuMs(pids: readonly number[] = allPids()): number {
	let ticks = 0;
	for (const pid of pids) {
		// After the program's name, which may hold anything: utime, stime, cutime and cstime are fields 14 to 17.
		const fields = readProc(`${pid}/stat`)?.split(") ").at(-1)?.split(" ") ?? [];
		for (const field of fields.slice(11, 15)) ticks += Number(field);
	}
	return ticks * msPerTick;
}

/** Proportional set size in MiB: what several processes share counts once. */
export function memoryMb(pids: readonly number[]): number {
	let kilobytes = 0;
	for (const pid of pids) {
		const text = readProc(`${pid}/smaps_rollup`) ?? "";
		kilobytes += Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0);
	}
	return kilobytes / 1024;
}

/** Processes whose arguments are these. */
export function running(...args: string[]): number[] {
	const wanted = `${args.join("\0")}\0`;
	return allPids().filter((pid) => readProc(`${pid}/cmdline`) === wanted);
}
