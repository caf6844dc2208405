/** The usage of the whole machine. Nodes on the same machine share it: each reports all of it as its capacity. */
import { statSync } from "node:fs";
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
	fs: FileSystemUsage;
	/** Of the file system with images, if it is another one. */
	imageFs?: FileSystemUsage;
	/** Processes and threads. */
	pids: { available: number; capacity: number };
}

export interface FileSystemUsage {
	capacityBytes: number;
	availableBytes: number;
	usedBytes: number;
	inodes: number;
	freeInodes: number;
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
	/** Of images; undefined if they are on the same file system. */
	readonly #images: string | undefined;
	/** The last two readings: the rate is measured since the older one, over 10 to 20 seconds. */
	#marks: readonly [Mark, Mark];
	#timer: Timer | undefined;

	/**
	 * @param directory on the file system with the files of pods
	 * @param images the store of images
	 */
	constructor(clock: Clock, directory: string, images?: string) {
		this.#clock = clock;
		this.#directory = directory;
		this.#images = images !== undefined && statSync(images).dev !== statSync(directory).dev ? images : undefined;
		const mark = this.#mark();
		this.#marks = [mark, mark];
		this.#schedule();
	}

	async read(): Promise<MachineUsage> {
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
			fs: await fileSystem(this.#directory),
			...(this.#images === undefined ? {} : { imageFs: await fileSystem(this.#images) }),
			pids: await processIds(),
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

async function fileSystem(directory: string): Promise<FileSystemUsage> {
	const { blocks, bavail, bfree, bsize, files, ffree } = await statfs(directory);
	return {
		capacityBytes: blocks * bsize,
		availableBytes: bavail * bsize,
		usedBytes: (blocks - bfree) * bsize,
		inodes: files,
		freeInodes: ffree,
	};
}

/** The lower one of the kernel's two limits counts. */
async function processIds(): Promise<MachineUsage["pids"]> {
	const read = async (path: string) => (await readFile(path, "utf8")).trim();
	const limits = ["/proc/sys/kernel/pid_max", "/proc/sys/kernel/threads-max"].map(async (path) =>
		Number(await read(path)),
	);
	const capacity = Math.min(...(await Promise.all(limits)));
	// The fourth field is `RUNNING/ALL`.
	const all = Number((await read("/proc/loadavg")).split(" ")[3]?.split("/")[1] ?? 0);
	return { available: capacity - all, capacity };
}
