/** The usage of the whole machine. Nodes on the same machine share it: each reports all of it as its capacity. */
import { readFile, statfs } from "node:fs/promises";
import { cpus, freemem, totalmem, uptime } from "node:os";
import type { Clock, Timer } from "../../core/time/clock.ts";

export interface MachineUsage {
	bootedAtMs: number;
	cores: number;
	totalMemoryBytes: number;
	memoryBytes: number;
	availableMemoryBytes: number;
	/** Anonymous memory of processes. */
	rssBytes: number;
	/** Of all cores, since the machine booted. */
	cpuNanoseconds: number;
	/** The recent rate; undefined in the first second. */
	cpuNanoCores?: number;
	/** Of the file system with the files of pods. */
	fs: { capacityBytes: number; availableBytes: number; usedBytes: number; inodes: number; freeInodes: number };
}

interface Mark {
	atMs: number;
	cpuNanoseconds: number;
}

/** The interval of upstream's kubelet. */
const periodMs = 10_000;
const shortestMs = 1000;

export class MachineMeter {
	readonly #clock: Clock;
	readonly #directory: string;
	/** The last two readings: the rate is measured since the older one, over 10 to 20 seconds. */
	#marks: readonly [Mark, Mark];
	#timer: Timer | undefined;

	/** @param directory on the file system with the files of pods */
	constructor(clock: Clock, directory: string) {
		this.#clock = clock;
		this.#directory = directory;
		const mark = this.#mark();
		this.#marks = [mark, mark];
		this.#schedule();
	}

	async read(): Promise<MachineUsage> {
		const { blocks, bavail, bfree, bsize, files, ffree } = await statfs(this.#directory);
		const { atMs, cpuNanoseconds } = this.#mark();
		const [since] = this.#marks;
		const elapsedMs = atMs - since.atMs;
		const availableMemoryBytes = freemem();
		return {
			bootedAtMs: this.#clock.now() - Math.round(uptime() * 1000),
			cores: cpus().length,
			totalMemoryBytes: totalmem(),
			memoryBytes: totalmem() - availableMemoryBytes,
			availableMemoryBytes,
			rssBytes: 1024 * Number(/^AnonPages: +(\d+)/m.exec(await readFile("/proc/meminfo", "utf8"))?.[1] ?? 0),
			cpuNanoseconds,
			...(elapsedMs < shortestMs
				? {}
				: { cpuNanoCores: Math.round(((cpuNanoseconds - since.cpuNanoseconds) / elapsedMs) * 1000) }),
			fs: {
				capacityBytes: blocks * bsize,
				availableBytes: bavail * bsize,
				usedBytes: (blocks - bfree) * bsize,
				inodes: files,
				freeInodes: ffree,
			},
		};
	}

	stop(): void {
		this.#timer?.cancel();
	}

	#schedule(): void {
		this.#timer = this.#clock.after(periodMs, () => {
			this.#marks = [this.#marks[1], this.#mark()];
			this.#schedule();
		});
	}

	#mark(): Mark {
		const busyMs = cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
		return { atMs: this.#clock.monotonicMs(), cpuNanoseconds: busyMs * 1e6 };
	}
}
