/**
 * kill -9 of every part of a cluster, and of all at once: what was acknowledged stays, what ran is found again, and
 * `cox down` leaves nothing.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { apiClient } from "./api.ts";
import { eventually, TestCluster } from "./cluster.ts";
import { spreadSet } from "./spread.ts";
import { kill, MachineNetwork, Traces } from "./traces.ts";

/** One pod a node, each counting, so that a lost or repeated line shows. */
const counters = spreadSet({
	name: "counter",
	container: { image: "busybox", command: ["sh", "-c", "i=0; while :; do echo $i; i=$((i+1)); sleep 0.02; done"] },
	spec: { podManagementPolicy: "Parallel" },
});

interface CounterPod {
	name: string;
	uid: string;
	node: string;
	containerId: string;
	restarts: number;
}

describe("a cluster whose parts are killed", { timeout: 60_000 }, () => {
	let cluster: TestCluster;
	let traces: Traces;
	let network: MachineNetwork;

	async function pods(): Promise<CounterPod[]> {
		const { items } = JSON.parse(await cluster.kubectl("get", "pods", "-l", "app=counter", "-o", "json"));
		return items.map(
			// biome-ignore lint/suspicious/noExplicitAny: JSON of kubectl
			({ metadata, spec, status }: any): CounterPod => ({
				name: metadata.name,
				uid: metadata.uid,
				node: spec.nodeName,
				containerId: status.containerStatuses[0].containerID,
				restarts: status.containerStatuses[0].restartCount,
			}),
		);
	}

	const restarted = (before: readonly CounterPod[], isHit: (pod: CounterPod) => boolean) =>
		eventually(async () => {
			const now = await pods();
			expect(now.map(({ uid, restarts }) => ({ uid, restarts }))).toEqual(
				before.map((pod) => ({ uid: pod.uid, restarts: pod.restarts + (isHit(pod) ? 1 : 0) })),
			);
			await cluster.kubectl("wait", "--for=condition=ready", "pod", "-l", "app=counter", "--timeout=20s");
			for (const [index, pod] of before.entries())
				expect(now[index]?.containerId === pod.containerId).toBe(!isHit(pod));
			expect(runningCounters()).toBe(before.length);
		});

	/** How many counting shells there are on the machine, whatever the API says. */
	function runningCounters(): number {
		return traces.look().filter((line) => /^process \d+ sh -c i=0; while/.test(line)).length;
	}

	/** Numbers in a pod's log; they must be 0, 1, 2, … without a gap. */
	async function counted(pod: string): Promise<number> {
		const lines = (await cluster.kubectl("logs", pod)).trimEnd().split("\n").map(Number);
		expect(lines).toEqual(lines.map((_, index) => index));
		return lines.length;
	}

	async function countsOnFrom(counts: readonly number[]): Promise<void> {
		await eventually(async () => {
			for (const [index, count] of counts.entries())
				expect(await counted(`counter-${index}`)).toBeGreaterThan(count + 10);
		});
	}

	const countsNow = () => Promise.all(["counter-0", "counter-1"].map(counted));

	beforeAll(async () => {
		network = await MachineNetwork.look();
		cluster = await TestCluster.start("--nodes", "2");
		traces = new Traces(cluster.data);
		await cluster.kubectlInput(counters, "apply", "-f", "-");
		await cluster.kubectl("rollout", "status", "statefulset/counter", "--timeout=30s");
	});
	afterAll(() => cluster?.[Symbol.asyncDispose]());

	test("the server: no acknowledged object is lost, containers are adopted, no log line is missing", async () => {
		const acknowledged: string[] = [];
		for (let round = 0; round < 3; round++) {
			const before = await pods();
			const counts = await countsNow();
			const api = apiClient(cluster.kubeconfig);
			let acknowledgedNow = 0;
			const write = async (writer: number) => {
				for (let index = 0; ; index++) {
					const name = `written-${round}-${writer}-${index}`;
					const { code } = await api.send("POST", "/api/v1/namespaces/default/configmaps", { metadata: { name } });
					expect(code).toBe(201);
					acknowledged.push(name);
					if (++acknowledgedNow === 100) kill(traces.pids(/^server$/));
				}
			};
			const ends = await Promise.allSettled([0, 1, 2, 3, 4, 5, 6, 7].map(write));
			api.close();
			for (const end of ends)
				expect(String(end.status === "rejected" && end.reason)).toMatch(/ECONN|hang up|EPIPE|aborted/);
			await cluster.coxOk("up");
			const found = await cluster.kubectl("get", "configmaps", "-o", "name");
			const names = new Set(found.split("\n").map((line) => line.replace("configmap/", "")));
			expect(acknowledged.filter((name) => !names.has(name))).toEqual([]);
			await restarted(before, () => false);
			await countsOnFrom(counts);
		}
	});

	test("an agent, or the process it was started with: the server starts another, and no pod notices", async () => {
		for (const which of ["agent", "its parent"]) {
			const before = await pods();
			const counts = await countsNow();
			const [outer = 0, inner = 0] = traces.pids(/^agent$/);
			kill([which === "agent" ? inner : outer]);
			await eventually(async () => {
				const now = traces.pids(/^agent$/);
				expect(now).toHaveLength(4);
				expect(now).not.toContain(outer);
				expect(now).not.toContain(inner);
			});
			await cluster.coxOk("up");
			await restarted(before, () => false);
			await countsOnFrom(counts);
		}
	});

	test("a node: its pods are restarted, the others' are not", async () => {
		const before = await pods();
		kill(traces.pids(/^node\/node-1$/));
		await cluster.coxOk("up");
		await restarted(before, ({ node }) => node === "node-1");
	});

	test("the switch: the server recreates the nodes by itself", async () => {
		const before = await pods();
		kill(traces.pids(/^switch$/));
		await restarted(before, () => true);
	});

	test("the server and a node at once", async () => {
		const before = await pods();
		kill(traces.pids(/^server$|^node\/node-2$/));
		await cluster.coxOk("up");
		await restarted(before, ({ node }) => node === "node-2");
	});

	test("everything at once", async () => {
		const before = await pods();
		kill(traces.pids(/./));
		await cluster.coxOk("up");
		await restarted(before, () => true);
	});

	test.each([
		["nothing", undefined],
		["the server", /^server$/],
		["the agents", /^agent$/],
		["a node", /^node\/node-1$/],
		["the switch", /^switch$/],
		["the server and the switch", /^(server|switch)$/],
		["everything", /./],
	])("cox down leaves no trace after %s was killed", async (_, role) => {
		await cluster.coxOk("up");
		await cluster.kubectl("wait", "--for=condition=ready", "pod", "-l", "app=counter", "--timeout=20s");
		await eventually(async () => expect(runningCounters()).toBe(2));
		const there = traces.look().map((line) => line.split(" ")[0]);
		expect(new Set(there)).toEqual(new Set(["process", "control", "sockets"]));
		if (role !== undefined) kill(traces.pids(role));
		await cluster.coxOk("down");
		// What the test itself killed may still be on its way out.
		await eventually(async () => expect(traces.look()).toEqual([]), 5_000);
		await network.expectNoTrace(cluster.data);
	});
});

describe("cox", { timeout: 60_000 }, () => {
	test("up is the same the second time, and two at once start one cluster", async () => {
		await using cluster = TestCluster.empty();
		const both = await Promise.all([cluster.coxOk("up"), cluster.coxOk("up")]);
		const address = /API server (\S+)/.exec(both[0])?.[1];
		expect(both[1]).toContain(`API server ${address}`);
		const servers = new Traces(cluster.data).pids(/^server$/);
		expect(servers).toHaveLength(1);
		expect(await cluster.coxOk("up")).toContain(`API server ${address}`);
		expect(new Traces(cluster.data).pids(/^server$/)).toEqual(servers);
	});

	test("up takes another port, and says so, when its own is taken by another program", async () => {
		await using cluster = await TestCluster.start("--runtime", "simulated");
		const address = () => cluster.kubectl("config", "view", "-o", "jsonpath={..server}");
		const port = Number(/:(\d+)$/.exec(await address())?.[1]);
		await cluster.coxOk("down");
		const other = createServer();
		await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
		try {
			expect(await cluster.coxOk("up")).toContain(`port ${port} is taken: the API server now has port`);
		} finally {
			await new Promise((resolve) => other.close(resolve));
		}
		const moved = await address();
		expect(moved).not.toMatch(new RegExp(`:${port}$`));
		await cluster.kubectl("get", "nodes");
		await cluster.coxOk("down");
		await cluster.coxOk("up");
		expect(await address()).toBe(moved);
	});

	test("up works in a data directory with a very long path, and down leaves nothing of it", async () => {
		const path = Array.from({ length: 6 }, (_, index) => `${index}`.repeat(60)).join("/");
		await using cluster = TestCluster.empty(path);
		await cluster.coxOk("up");
		const traces = new Traces(cluster.data);
		await cluster.kubectl("run", "deep", "--image=busybox", "--restart=Never", "--", "sh", "-c", "echo far down");
		await eventually(async () => expect(await cluster.kubectl("logs", "deep")).toBe("far down\n"));
		expect(traces.look()).not.toEqual([]);
		await cluster.coxOk("down");
		expect(traces.look()).toEqual([]);
	});

	test("reset and down touch nothing of a folder that is not a cluster's", async () => {
		await using cluster = TestCluster.empty();
		const treasure = join(cluster.data, "run/treasure");
		mkdirSync(join(cluster.data, "run"));
		writeFileSync(treasure, "");
		const refused = await cluster.cox("reset");
		expect(refused.code).toBe(1);
		expect(refused.stderr).toContain("does not look like a cluster's data directory");
		expect(await cluster.coxOk("down")).toContain("nothing was running");
		expect(existsSync(treasure)).toBe(true);
		rmSync(cluster.data, { recursive: true });
		await cluster.coxOk("down");
		expect(existsSync(cluster.data)).toBe(false);
	});
});
