/**
 * `npm run bench:outside [-- OPTIONS] [-- SECTION…]`, see bench/README.md. This process only coordinates; load and nodes
 * are separate processes.
 */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Client, configMaps, namespaces } from "../../src/index.ts";
import { connect, readKubeconfig } from "../kubeconfig.ts";
import { type Measured, startOwnCluster } from "./cluster.ts";
import type { Order, Outcome, Requests } from "./load.ts";
import { describe, spent } from "./measured.ts";
import { Timeline } from "./timeline.ts";
import { namespace as workloadNamespace, workloads } from "./workloads.ts";

const { values: options, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		/** Kubeconfig of the cluster to measure. Default: starts one. */
		kubeconfig: { type: "string" },
		/** NAME=PID of a process of that cluster. */
		pid: { type: "string", multiple: true, default: [] },
		/** Path of `cox` for the cluster that it starts. */
		cox: { type: "string", default: join(import.meta.dirname, "../../bin/cox.js") },
		/** Factor for all counts. */
		scale: { type: "string", default: "1" },
		rounds: { type: "string", default: "1" },
		/** The run fails after this number of seconds. */
		timeout: { type: "string", default: "900" },
	},
});

const scale = Number(options.scale);
const scaled = (count: number) => Math.max(1, Math.round(count * scale));
const namespace = `bench-${process.pid}`;
const collection = `/api/v1/namespaces/${namespace}/configmaps`;
/** About the size of a pod. */
const configMap = (name: string) =>
	JSON.stringify({
		apiVersion: "v1",
		kind: "ConfigMap",
		metadata: { name: `${name}-%d`, namespace },
		data: { text: "x".repeat(1500) },
	});

function measured(): Measured {
	if (options.kubeconfig === undefined) return startOwnCluster(options.cox);
	const pids = options.pid.map((pair) => pair.split("=")).map(([name = "", pid]) => [name, Number(pid)] as const);
	return { kubeconfig: options.kubeconfig, pids: new Map(pids), remove: () => {} };
}

const cluster = measured();
const children: ChildProcess[] = [];
const access = readKubeconfig(cluster.kubeconfig);
const client = connect(access, "bench");
const load = child("load");

function child(name: string): ChildProcess {
	const started = fork(join(import.meta.dirname, `${name}.js`));
	// Nobody must wait for its messages any longer.
	started.once("exit", (code) => code && started.emit("error", new Error(`${name} ended`)));
	children.push(started);
	return started;
}

async function order(work: { requests: Requests } | Omit<Order, "access">): Promise<Outcome> {
	load.send({ access, ...work });
	const [outcome] = await once(load, "message");
	// load.ts sends no other messages.
	return outcome as Outcome;
}

function pids(...also: readonly [string, ChildProcess | NodeJS.Process][]): ReadonlyMap<string, number> {
	return new Map([...cluster.pids, ...also.map(([name, { pid }]) => [name, pid ?? 0] as const)]);
}

function print(what: string, figure: string, lines: readonly string[]): void {
	console.log(`${what.padEnd(52)} ${figure}`);
	for (const line of lines) console.log(`    ${line}`);
}

/** Number of requests, or of events of watches, per measurement. */
async function measure(what: string, count: number, work: Omit<Order, "access">): Promise<void> {
	let outcome: Outcome | undefined;
	const cost = await spent(pids(["load", load]), client, async () => {
		outcome = await order(work);
	});
	if (outcome === undefined) return;
	const { seconds, latency, bytes } = outcome;
	const times = `p50 ${latency.p50.toFixed(2)}, p99 ${latency.p99.toFixed(2)}, at most ${latency.largest.toFixed(1)} ms`;
	const rate = Math.round(count / seconds).toLocaleString("en");
	print(what, `${rate} a second`, [`${times}; ${Math.round(bytes / count)} bytes each`, ...describe(cost, count)]);
}

let round = 0;
/** Names that are unique to a round. */
const unique = (name: string) => `${name}-${round}`;

async function create(name: string, clients: number, count: number): Promise<void> {
	const requests: Requests = { method: "POST", path: collection, body: configMap(unique(name)), clients, count };
	await measure(`ConfigMap creates, ${clients} clients`, count, { requests });
}

async function reads(path: string, what: string, clients: number, count: number, headers = {}): Promise<void> {
	await measure(what, count, { requests: { method: "GET", path, clients, count, headers } });
}

const sections: Readonly<Record<string, () => Promise<void>>> = {
	async creates() {
		await create("eight", 8, scaled(4000));
		await create("many", 32, scaled(8000));
	},
	async gets() {
		const name = unique("read");
		await order({ requests: { method: "POST", path: collection, body: configMap(name), clients: 8, count: 1 } });
		for (const clients of [8, 32])
			await reads(`${collection}/${name}-0`, `ConfigMap GETs, ${clients} clients`, clients, scaled(30_000));
	},
	async lists() {
		const count = scaled(5000);
		const label = JSON.stringify({ list: unique("list") });
		const body = configMap(unique("list")).replace('"namespace"', `"labels":${label},"namespace"`);
		await order({ requests: { method: "POST", path: collection, body, clients: 32, count } });
		const path = `${collection}?labelSelector=list%3D${unique("list")}`;
		await reads(path, `LIST of ${count}`, 1, scaled(60));
		await reads(path, `LIST of ${count}, gzip`, 1, scaled(60), { "accept-encoding": "gzip" });
	},
	async watches() {
		const [watchCount, count] = [100, scaled(2000)];
		const { resourceVersion } = await client.list(configMaps, { namespace, limit: 1 });
		const path = `${collection}?watch=true&resourceVersion=${resourceVersion}`;
		const requests: Requests = { method: "POST", path: collection, body: configMap(unique("fan")), clients: 32, count };
		await measure(`watch fan-out ${watchCount} × ${count}, events`, watchCount * count, {
			watches: { watchCount, path, requests },
		});
	},
	jobs: () => workloadSection("jobs", scaled(1000)),
	statefulset: () => workloadSection("statefulset", scaled(500)),
	daemonset: () => workloadSection("daemonset", nodeCount),
	deployment: () => workloadSection("deployment", scaled(500)),
};

const nodeCount = scaled(100);
let nodes: ChildProcess | undefined;

async function startNodes(): Promise<ChildProcess> {
	const started = child("nodes");
	started.send({ access, count: nodeCount });
	await once(started, "message");
	return started;
}

async function workloadSection(name: string, count: number): Promise<void> {
	nodes ??= await startNodes();
	const workload = workloads[name]?.(count);
	if (workload === undefined) throw new Error(`there is no workload ${name}`);
	const timeline = new Timeline();
	const app = unique(name);
	const { group, version, plural } = workload.kind;
	const path = `/apis/${group}/${version}/namespaces/${workloadNamespace}/${plural}`;
	const requests: Requests = { method: "POST", path, body: workload.body(app), clients: 32, count: workload.objects };
	const also = pids(["nodes", nodes], ["load", load], ["bench", process]);
	const cost = await spent(also, client, async () => {
		await Promise.all([timeline.follow(client, workload, app), order({ requests })]);
	});
	print(workload.what, `${cost.seconds.toFixed(2)} s`, [...describe(cost, workload.pods), ...timeline.describe()]);
	await removeWorkload(client, path, app);
}

async function removeWorkload(by: Client, path: string, app: string): Promise<void> {
	await by.raw("DELETE", `${path}?labelSelector=app%3D${app}&propagationPolicy=Foreground`);
	const left = async () => ((await by.raw("GET", `${path}?labelSelector=app%3D${app}`)) as { items: unknown[] }).items;
	while ((await left()).length > 0) await sleep(100);
}

async function run(): Promise<void> {
	await client.create(namespaces, { metadata: { name: namespace }, spec: {} });
	const wanted = positionals.length > 0 ? positionals : Object.keys(sections);
	for (; round < Number(options.rounds); round++) {
		for (const name of wanted) {
			const section = sections[name];
			if (section === undefined) throw new Error(`there is no ${name}; there are ${Object.keys(sections).join(", ")}`);
			await section();
		}
	}
	await client.delete(namespaces, { name: namespace });
}

const late = sleep(Number(options.timeout) * 1000, undefined, { ref: false }).then(() => {
	throw new Error(`not done after ${options.timeout} s`);
});
try {
	await Promise.race([run(), late]);
} finally {
	await client.close();
	for (const started of children) started.kill();
	cluster.remove();
}
