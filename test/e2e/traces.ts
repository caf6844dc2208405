/**
 * What a running cluster has on the machine besides its data directory: processes, mounts, interfaces, rules. Nothing of
 * it may remain when the cluster is down.
 */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { eventually, run } from "./cluster.ts";

interface Process {
	pid: number;
	parent: number;
	startTime: string;
	command: string;
}

export class Traces {
	readonly #data: string;
	/** By PID and start time. Containers have no mark, but descend from their node's first process, which has one. */
	readonly #known = new Set<string>();

	constructor(data: string) {
		this.#data = realpathSync(data);
	}

	/** One line for each. Processes that were found once are recognized later, even if they have changed. */
	look(): string[] {
		const all = processes();
		const own = new Set(all.filter(({ pid }) => this.#roleOf(pid) !== undefined).map(({ pid }) => pid));
		// A child can have a lower PID than its parent, so this repeats until nothing is added.
		for (let size = -1; size !== own.size; ) {
			size = own.size;
			for (const { pid, parent } of all) if (own.has(parent)) own.add(pid);
		}
		for (const process of all) if (own.has(process.pid)) this.#known.add(keyOf(process));
		const lines = all.filter((process) => this.#known.has(keyOf(process)));
		return [
			...lines.map(({ pid, command }) => `process ${pid} ${command}`),
			...read("/proc/self/mountinfo")
				.split("\n")
				.filter((mount) => mount.includes(this.#data))
				.map((mount) => `mount ${mount}`),
			...this.#cgroups().map((folder) => `control group ${folder}`),
			...[join(this.#data, "run"), join(tmpdir(), `cox-${hash(this.#data, 16)}`)]
				.filter(existsSync)
				.map((folder) => `sockets ${folder}: ${readdirSync(folder).join(", ")}`),
		];
	}

	/** PIDs of the cluster's own processes by role: `server`, `agent`, `switch`, `node/NAME`. */
	pids(role: RegExp): number[] {
		return processes()
			.map(({ pid }) => pid)
			.filter((pid) => role.test(this.#roleOf(pid) ?? ""));
	}

	/** PIDs of the cluster's processes by command line. */
	commands(command: RegExp): number[] {
		return processes()
			.filter((process) => command.test(process.command) && this.#roleOf(process.pid) !== undefined)
			.map(({ pid }) => pid);
	}

	#roleOf(pid: number): string | undefined {
		for (const entry of read(`/proc/${pid}/environ`).split("\0")) {
			const [, kind = "", value = ""] = /^COX_(SUPERVISOR|SERVER|AGENT|HOLDER)=(.*)$/s.exec(entry) ?? [];
			if (value === this.#data) return kind.toLowerCase();
			if (value.startsWith(`${this.#data}#`)) return value.slice(this.#data.length + 1);
		}
		return undefined;
	}

	#cgroups(): string[] {
		const root = "/sys/fs/cgroup";
		const hierarchies = [root, ...readdirSync(root).map((name) => join(root, name))];
		return hierarchies.map((folder) => join(folder, `coxswain-${hash(this.#data, 12)}`)).filter(existsSync);
	}
}

/** Kills existing processes with SIGKILL. */
export function kill(pids: readonly number[]): void {
	if (pids.length === 0) throw new Error("there is nothing to kill");
	for (const pid of pids) {
		try {
			process.kill(pid, "SIGKILL");
		} catch (error) {
			// It may have ended together with another one.
			if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
		}
	}
}

/** The parts of the machine's network that a cluster could change: interfaces, namespaces, nft tables, routes. */
export class MachineNetwork {
	readonly #before: ReadonlySet<string>;

	private constructor(before: readonly string[]) {
		this.#before = new Set(before);
	}

	static async look(): Promise<MachineNetwork> {
		return new MachineNetwork(await machineNetwork());
	}

	/**
	 * Other tests run on this machine at the same time: a trace is what was not there before, and remains.
	 * @param data directories of the clusters that have ended; what has the mark of another cluster is ignored
	 */
	async expectNoTrace(...data: string[]): Promise<void> {
		const own = data.map((path) => createHash("sha256").update(path).digest("hex").slice(0, 12));
		const isOthers = (line: string) => {
			const mark = /cox(?:swain-)?([0-9a-f]{12})/.exec(line)?.[1];
			return mark !== undefined && !own.includes(mark);
		};
		const added = async () => (await machineNetwork()).filter((line) => !this.#before.has(line) && !isOthers(line));
		await eventually(async () => expect(await added()).toEqual([]), 60_000);
	}
}

async function machineNetwork(): Promise<string[]> {
	const look = async (command: string, ...args: string[]) => (await run(command, args)).stdout.split("\n");
	const links = await look("ip", "-brief", "link");
	return [
		...links.map((line) => line.replace(/\s.*$/, "")),
		...(await look("ip", "netns")),
		...(await look("nft", "list", "tables")),
		...(await look("ip", "route")),
	];
}

function processes(): Process[] {
	return readdirSync("/proc").flatMap((name) => {
		if (!/^\d+$/.test(name)) return [];
		const stat = read(`/proc/${name}/stat`);
		const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
		// A zombie is no trace.
		if (stat === "" || fields[0] === "Z" || fields[0] === "X") return [];
		const command = read(`/proc/${name}/cmdline`).replaceAll("\0", " ");
		return [
			{ pid: Number(name), parent: Number(fields[1]), startTime: fields[19] ?? "", command: command.slice(0, 100) },
		];
	});
}

function keyOf({ pid, startTime }: Process): string {
	return `${pid} ${startTime}`;
}

function read(path: string): string {
	try {
		return readFileSync(path, "utf8");
	} catch {
		return "";
	}
}

function hash(text: string, length: number): string {
	return createHash("sha256").update(text).digest("hex").slice(0, length);
}
