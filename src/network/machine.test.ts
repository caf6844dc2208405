import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../core/time/clock.ts";
import { markedProcesses } from "./machine/marked-processes.ts";
import { createMachine, type Machine, type NodeHolder } from "./machine.ts";

const execute = promisify(execFile);
const clock = systemClock();
const works = process.getuid?.() === 0 || process.env["COX_TEST_ROOTLESS"] !== undefined;

describe.skipIf(!works)("machine (as root; rootless by linux/rootless.test.ts)", () => {
	let directory: string;
	let machine: Machine;
	const networkBefore = hostLinks();
	beforeEach(async () => {
		directory = realpathSync(mkdtempSync(`${tmpdir()}/cox-machine-`));
		machine = await createMachine({ directory, clock, localAddresses: ["10.96.0.1", "10.96.0.10"] });
	});
	afterEach(async () => {
		await machine.destroy();
		expect(markedProcesses(directory)).toEqual([]);
		expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(directory);
		expect(hostLinks()).toEqual(networkBefore);
		await rm(directory, { recursive: true });
	});

	const add = (index: number, to = machine, root = directory) =>
		to.addNode({
			name: `node-${index}`,
			index,
			podCidr: `10.244.${index}.0/24`,
			address: `172.30.0.${index}`,
			rootDirectory: `${root}/nodes/node-${index}`,
		});
	const inside = async (node: NodeHolder, script: string): Promise<string> => {
		const [program, ...args] = node.enterArguments();
		return (await execute(program, [...args, "sh", "-c", script])).stdout;
	};
	const until = async (what: string, check: () => boolean) => {
		for (let attempt = 0; attempt < 1000; attempt++) {
			if (check()) return;
			await clock.sleep(5);
		}
		throw new Error(`never came true: ${what}`);
	};

	it("has nothing to complain about here", () => {
		expect(machine.problems).toEqual([]);
		expect(machine.mode).toBe(process.getuid?.() === 0 ? "root" : "rootless");
	});

	it("makes nodes with host name, processes, addresses and a loopback of their own that reach each other", async () => {
		const [first, second] = [await add(1), await add(2)];
		expect(await inside(first, "uname -n; ls -d /proc/[0-9]* | head -1")).toBe("node-1\n/proc/1\n");
		expect(await inside(first, "ip -o -4 addr show")).toMatch(
			/10\.96\.0\.1\/32[\s\S]*10\.96\.0\.10\/32[\s\S]*172\.30\.0\.1\/16/,
		);
		const serve = `${process.execPath} -e 'require("net").createServer((s) => s.end("hello")).listen(7000, () => console.log(1))'`;
		await inside(second, `${serve} >/dev/null 2>&1 & echo`);
		const ask = `${process.execPath} -e 'const go = () => require("net").connect(7000, "172.30.0.2").on("data", (d) => console.log(d.toString())).on("error", () => setTimeout(go, 20)); go()'`;
		expect(await inside(first, ask)).toBe("hello\n");
	});

	it("gives each node a copy-on-write view of the machine's files that outlives the node", async () => {
		const first = await add(1);
		const second = await add(2);
		const view = first.viewDirectory;
		await inside(
			first,
			`cd ${view} && echo mine >var/log/cox-test && cat etc/hostname >/dev/null && ls dev/null proc/1 >/dev/null`,
		);
		expect(await inside(second, `ls ${second.viewDirectory}/var/log/cox-test 2>&1 || true`)).toContain("No such file");
		expect(readdirSync("/var/log")).not.toContain("cox-test");
		expect(await inside(first, `ls -A ${view}${directory} 2>/dev/null | wc -l`)).toBe("0\n");
		await machine.removeNode("node-1");
		const again = await add(1);
		expect(again.pid).not.toBe(first.pid);
		expect(await inside(again, `cat ${view}/var/log/cox-test`)).toBe("mine\n");
	});

	it("finds its nodes again from another process, and adds nothing twice", async () => {
		const first = await add(1);
		const other = await createMachine({ directory, clock });
		expect(other.nodes().map(({ name, pid, podCidr }) => ({ name, pid, podCidr }))).toEqual([
			{ name: "node-1", pid: first.pid, podCidr: "10.244.1.0/24" },
		]);
		expect((await add(1, other)).pid).toBe(first.pid);
		expect(await other.ensureSwitch()).toMatchObject(await machine.ensureSwitch());
	});

	it("removes one node with everything that runs in it, and leaves the others", async () => {
		const [first, second] = [await add(1), await add(2)];
		await inside(first, "setsid sleep 1234 >/dev/null 2>&1 & echo");
		await machine.removeNode("node-1");
		await machine.removeNode("node-1");
		expect(machine.nodes().map((node) => node.name)).toEqual(["node-2"]);
		expect(await inside(second, "echo alive")).toBe("alive\n");
	});

	it("recreates a node whose holder was killed, or was left half made", async () => {
		const first = await add(1);
		process.kill(first.pid, "SIGKILL");
		await until("the node is gone", () => machine.nodes().length === 0);
		const second = await add(1);
		await inside(second, "ip link del eth0");
		expect(machine.nodes()).toEqual([]);
		expect(await inside(await add(1), "ip -o -4 addr show dev eth0")).toContain("172.30.0.1/16");
	});

	it("destroys what is left after any of its processes was killed", async () => {
		await add(1);
		await add(2);
		const everything = markedProcesses(directory);
		const victim = everything[Math.floor(clock.random() * everything.length)];
		if (victim !== undefined) process.kill(victim.pid, "SIGKILL");
		await machine.destroy();
		await machine.destroy();
		expect(machine.nodes()).toEqual([]);
	});

	it("keeps two clusters with the same addresses apart", async () => {
		const elsewhere = realpathSync(mkdtempSync(`${tmpdir()}/cox-machine-`));
		const other = await createMachine({ directory: elsewhere, clock });
		try {
			const here = await add(1);
			const there = await add(1, other, elsewhere);
			expect(await inside(here, "readlink /proc/self/ns/net")).not.toBe(
				await inside(there, "readlink /proc/self/ns/net"),
			);
			await other.destroy();
			expect(await inside(here, "echo alive")).toBe("alive\n");
		} finally {
			await other.destroy();
			await rm(elsewhere, { recursive: true });
		}
	});
});

/** Network devices of the machine itself. */
/** Without those of clusters that other tests run. */
function hostLinks(): string[] {
	return readFileSync("/proc/net/dev", "utf8")
		.split("\n")
		.map((line) => line.split(":")[0]?.trim() ?? "")
		.filter((name) => !name.startsWith("cox"));
}
