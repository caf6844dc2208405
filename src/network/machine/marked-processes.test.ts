/** A process does not become a part of a cluster because of its environment. */
import { type ChildProcess, spawn } from "node:child_process";
import { chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { expect, it, vi } from "vitest";
import { isOwnPlace, parsePlace, placeOf } from "../../linux/process-place.ts";
import { clusterDirectories, ensureKey, holderEnvironment, markedProcesses, marker } from "./marked-processes.ts";

it("reads where a process is", () => {
	const status = "Name:\tx\nPPid:\t12\nUid:\t1000\t0\t0\t0\nNSpid:\t9174\t163\t1\nNSpgid:\t1\n";
	expect(parsePlace(status, 1000)).toEqual({ parent: 12, user: 1000, numbers: ["9174", "163", "1"] });
	expect(parsePlace(status, 0).numbers).toEqual([]);
	expect(parsePlace("", undefined)).toEqual({ parent: 0, user: undefined, numbers: [] });
});

it.skipIf(process.getuid?.() !== 0)("finds holders, and none that only looks like one (as root)", async () => {
	const owner = mkdtempSync(`${tmpdir()}/cox-marks-`);
	const children: ChildProcess[] = [];
	const below = ["unshare", "--pid", "--fork", "--kill-child"];
	const sleep = ["sh", "-c", "echo ready; exec sleep 1000"];
	/** Starts a command once and resolves when it has printed something. */
	const start = async (env: Record<string, string>, ...command: string[]) => {
		const [program = "", ...args] = command;
		const child = spawn(program, args, {
			env: { PATH: process.env["PATH"], ...env },
			stdio: ["ignore", "pipe", "ignore"],
		});
		children.push(child);
		await new Promise((resolve) => child.stdout?.once("data", resolve));
		return child.pid ?? 0;
	};
	/** Retries: the shell reports that it is ready before it becomes the program. */
	const expectFound = (expected: [string, boolean][]) =>
		vi.waitFor(() => {
			const comm = (pid: number) => readFileSync(`/proc/${pid}/comm`, "utf8").trim();
			expect(markedProcesses(owner).map(({ pid, isInit }) => [comm(pid), isInit])).toEqual(expected);
		}, 10_000);
	try {
		const mark = { [marker]: `${owner}#node/one` };
		// While there is no key, only the process tree counts.
		await start(mark, ...below, ...sleep);
		await expectFound([
			["unshare", false],
			["sleep", true],
		]);
		for (const child of children.splice(0)) await ended(child);

		ensureKey(owner, markedProcesses(owner));
		const real = holderEnvironment(owner, "node/one");
		const agent = { COX_AGENT: owner };
		await start(real, ...below, ...sleep);
		// A container of another engine: the process that waits for it has no mark.
		await start({}, ...below, "env", ...words(real), ...words(agent), ...sleep);
		// A process without its own PID namespace that does not have the key.
		await start(mark, ...sleep);
		// A process of a node, in the node's PID namespace and deeper.
		await start(
			{},
			...below,
			"sh",
			"-c",
			`env ${[...words(real), ...words(agent)].join(" ")} sleep 1000 & echo ready; wait`,
		);
		await start({}, ...below, ...below, "env", ...words(real), ...words(agent), ...sleep);
		await expectFound([
			["unshare", false],
			["sleep", true],
		]);
		const all = readdirSync("/proc").map(Number).filter(Number.isInteger);
		const posing = all.filter((pid) => readEnvironment(pid).includes(`COX_AGENT=${owner}`));
		expect(posing).not.toEqual([]);
		expect(posing.filter((pid) => isOwnPlace(placeOf(pid, 0), "COX_AGENT", owner))).toEqual([]);
		expect(clusterDirectories()).toContain(owner);
		expect(clusterDirectories(12345)).not.toContain(owner);
		// A directory that does not belong to the user cannot become one of a cluster.
		chownSync(owner, 12345, 12345);
		expect(clusterDirectories()).not.toContain(owner);
	} finally {
		for (const child of children) await ended(child);
		rmSync(owner, { recursive: true });
	}
});

function readEnvironment(pid: number): string {
	try {
		return readFileSync(`/proc/${pid}/environ`, "utf8");
	} catch {
		return "";
	}
}

function words(environment: Record<string, string>): string[] {
	return Object.entries(environment).map(([name, value]) => `${name}=${value}`);
}

function ended(child: ChildProcess): Promise<unknown> {
	const closed = new Promise((resolve) => child.once("exit", resolve));
	child.kill("SIGKILL");
	return closed;
}
