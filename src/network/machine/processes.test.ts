/** What a container has in its environment makes it no part of a cluster's machine. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { clusterDirectories, isDeeperThanNode, markedProcesses, marker } from "./processes.ts";

it("counts process namespaces", () => {
	expect(isDeeperThanNode("Name:\tx\nNSpid:\t9174\n")).toBe(false);
	expect(isDeeperThanNode("Name:\tx\nNSpid:\t9174\t1\nNSpgid:\t1\n")).toBe(false);
	expect(isDeeperThanNode("Name:\tx\nNSpid:\t9174\t163\t1\nNSpgid:\t1\n")).toBe(true);
});

it.skipIf(process.getuid?.() !== 0)(
	"finds holders by their marker, and none in a container of theirs (as root)",
	async () => {
		const owner = `/nowhere/${crypto.randomUUID()}`;
		const env = (name: string) => ({ PATH: process.env["PATH"], [marker]: `${name}#node/one` });
		const start = (command: string[], name: string) =>
			spawn("unshare", ["--pid", "--fork", "--kill-child", ...command], {
				env: env(name),
				stdio: ["ignore", "pipe", "ignore"],
			});
		const said = (child: ChildProcess) => new Promise((resolve) => child.stdout?.once("data", resolve));
		const script = ["sh", "-c", "echo ready; exec sleep 1000"];
		const node = start(script, owner);
		const inner = ["unshare", "--pid", "--fork", "--kill-child", "env", `${marker}=${owner}/inner#node/one`, ...script];
		const container = start(inner, `${owner}/outer`);
		try {
			await Promise.all([said(node), said(container)]);
			expect(markedProcesses(owner).filter(({ isInit }) => isInit)).toHaveLength(1);
			expect(readFileSync(`/proc/${node.pid}/comm`, "utf8")).toBe("unshare\n");
			expect(markedProcesses(`${owner}/inner`)).toEqual([]);
			expect(clusterDirectories()).toContain(owner);
			expect(clusterDirectories()).not.toContain(`${owner}/inner`);
		} finally {
			const ended = [node, container].map((child) => new Promise((resolve) => child.once("close", resolve)));
			for (const child of [node, container]) child.kill("SIGKILL");
			await Promise.all(ended);
		}
	},
);
