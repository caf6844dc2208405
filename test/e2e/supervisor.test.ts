/**
 * A server process that dies is started again, some times and with its reason in the log, and `cox down` ends that for
 * good.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eventually, root, TestCluster } from "./cluster.ts";
import { kill, Traces } from "./traces.ts";

const simulated = ["--runtime", "simulated"];
const logOf = (cluster: TestCluster) => readFileSync(join(cluster.data, "server.log"), "utf8");
const statusOf = async (cluster: TestCluster) => JSON.parse(await cluster.coxOk("status", "--json"));

/** The next server answers. */
async function restarted(cluster: TestCluster, count: number) {
	return eventually(async () => {
		const status = await statusOf(cluster);
		expect(status.restarts.count).toBe(count);
		return status;
	}, 60_000);
}

test("a server that is killed comes back by itself, with its pods running on, and says what happened", async () => {
	await using cluster = await TestCluster.start();
	const traces = new Traces(cluster.data);
	await cluster.kubectl("run", "steady", "--image=busybox", "--", "sh", "-c", "echo up; sleep 100000");
	await cluster.kubectl("wait", "--for=condition=ready", "pod/steady", "--timeout=30s");
	const idOf = () =>
		cluster.kubectl("get", "pod", "steady", "-o", "jsonpath={.status.containerStatuses[0].containerID}");
	const before = await idOf();
	const [server = 0] = traces.pids(/^server$/);
	kill([server]);
	const status = await restarted(cluster, 1);
	expect(status.restarts.last).toContain(`the server process ${server} was killed (SIGKILL`);
	expect(await cluster.coxOk("status")).toMatch(/Restarts +1; \d{4}-.*: the server process \d+ was killed/);
	await cluster.kubectl("wait", "--for=condition=ready", "node/node-1", "pod/steady", "--timeout=60s");
	expect(await idOf()).toBe(before);
	expect(await cluster.kubectl("logs", "steady")).toBe("up\n");
	expect(logOf(cluster)).toMatch(/supervisor \d+: the server process \d+ was killed .* Restart 1 follows in 0.2 s/);
	traces.look();
	await cluster.coxOk("down");
	expect(traces.look()).toEqual([]);
});

test("a node that was removed is not there again after a restart", async () => {
	await using cluster = await TestCluster.start(...simulated, "--nodes", "2");
	await cluster.coxOk("node", "remove", "node-2");
	kill(new Traces(cluster.data).pids(/^server$/));
	const { nodes } = await restarted(cluster, 1);
	expect(nodes.map(({ name }: { name: string }) => name)).toEqual(["node-1"]);
});

test("a server that cannot stay is given up after a few attempts, and `cox up --foreground` ends with it", async () => {
	await using cluster = TestCluster.empty();
	const up = spawn(process.execPath, [join(root, "bin/cox.js"), "up", "--foreground", ...simulated], {
		env: { ...process.env, COX_DATA: cluster.data },
		stdio: ["ignore", "ignore", "pipe"],
	});
	const ended = once(up, "exit");
	let said = "";
	up.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
	await restarted(cluster, 0);
	const traces = new Traces(cluster.data);
	truncateSync(join(cluster.data, "store/store/data.mdb"), 3 * 4096);
	kill(traces.pids(/^server$/));
	expect(await ended).toEqual([1, null]);
	expect(said).toContain("the server process died too often and is not restarted");
	const log = logOf(cluster);
	expect(log).toMatch(/Restart 1 follows in 0.2 s[\s\S]*Restart 2 follows in 1 s[\s\S]*Restart 5 follows in 5 s/);
	expect(log).toMatch(/That was crash 6 in \d+ minutes: it is not started again/);
	expect(log).toContain("is damaged: it ends before its page");
	expect(traces.pids(/./)).toEqual([]);
});

test("`cox down` wins against a supervisor at any moment, and cleans up after one that was killed, too", async () => {
	await using cluster = TestCluster.empty();
	for (let round = 0; round < 6; round++) {
		await cluster.coxOk("up", ...simulated);
		const traces = new Traces(cluster.data);
		traces.look();
		const [server = 0] = traces.pids(/^server$/);
		if (round === 5) kill(traces.pids(/^supervisor$/));
		kill([server]);
		// Not a wait for anything: another moment each round, from the death to well after the restart.
		if (round > 0 && round < 5) await new Promise((resolve) => setTimeout(resolve, (round - 1) * 150));
		await cluster.coxOk("down");
		expect(traces.pids(/./)).toEqual([]);
		expect(traces.look()).toEqual([]);
	}
});

test("a server that never came up is not started again", async () => {
	await using cluster = await TestCluster.start(...simulated);
	await cluster.coxOk("down");
	truncateSync(join(cluster.data, "store/store/data.mdb"), 4100);
	expect((await cluster.cox("up")).code).toBe(1);
	expect(logOf(cluster)).toMatch(/supervisor \d+: the server process \d+ ended with exit code 1 before it was ready/);
	expect(new Traces(cluster.data).pids(/./)).toEqual([]);
});
