/**
 * Speed of workloads on simulated nodes: `npm run bench:controllers [-- NAME…]`. API server, controllers, scheduler and
 * nodes share this process, the machine's clock and a memory store.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { type Cluster, daemonSets, deployments, jobs, notificationPolicies, statefulSets } from "../src/index.ts";
import { type Figure, print, withCluster } from "./measure.ts";

const template = (app: string, spec: object = {}, annotations: Record<string, string> = {}) => ({
	metadata: { labels: { app }, annotations },
	spec: { containers: [{ name: "main", image: "bench" }], ...spec },
});

async function thousandJobs(cluster: Cluster): Promise<void> {
	const count = 1000;
	const creates: Promise<unknown>[] = [];
	for (let index = 0; index < count; index++) {
		creates.push(
			cluster.client.create(jobs, {
				metadata: { name: `job-${index}`, namespace: "default" },
				spec: {
					template: template("job", { restartPolicy: "Never" }, { "simulate.coxswain.io/duration": "1ms" }),
				},
			}),
		);
	}
	await Promise.all(creates);
	await cluster.waitForList(
		jobs,
		{},
		all(count, (job) => job.status?.conditions?.some((c) => c.type === "Complete" && c.status === "True") ?? false),
		{ timeout: "10m" },
	);
}

async function thousandJobsAndRest(cluster: Cluster): Promise<void> {
	await thousandJobs(cluster);
	await new Promise((resolve) => setTimeout(resolve, 5000));
}

/**
 * A policy that matches everything, and a webhook in another process. BENCH_NOTIFY=off: no policy; held: nothing is sent
 * yet.
 */
async function thousandJobsTold(cluster: Cluster): Promise<void> {
	const mode = process.env["BENCH_NOTIFY"];
	const isOn = mode !== "off";
	const quiet = mode === "held" && { quietHours: { from: "00:00", to: "23:59" } };
	const receiver = isOn ? await startReceiver() : undefined;
	const startMs = performance.now();
	if (receiver !== undefined) {
		const hook = { metadata: { name: "hook", namespace: "default" }, stringData: { url: receiver.url } };
		await cluster.apply({ apiVersion: "v1", kind: "Secret", ...hook });
		const urlFrom = { secretKeyRef: { name: "hook", key: "url" } };
		await cluster.client.create(notificationPolicies, {
			metadata: { name: "all", namespace: "default" },
			spec: { events: ["Succeeded", "Failed"], ...quiet, sinks: [{ name: "hook", webhook: { urlFrom } }] },
		});
	}
	await thousandJobs(cluster);
	const { user, system } = process.cpuUsage();
	console.log(
		`all Complete after ${((performance.now() - startMs) / 1000).toFixed(2)} s, ${((user + system) / 1e6).toFixed(2)} s CPU of the process`,
	);
	if (receiver === undefined) return;
	if (mode === "held") return receiver.stop();
	await cluster.waitFor(notificationPolicies, "all", ({ status }) => status?.sent === 1000, { timeout: "5m" });
	receiver.stop();
}

async function startReceiver(): Promise<{ url: string; stop(): void }> {
	const program = `require("node:http").createServer((request, response) => { request.resume(); request.on("end", () => response.end()); })
		.listen(0, "127.0.0.1", function () { console.log("http://127.0.0.1:" + this.address().port + "/"); });`;
	const child = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
	const [url] = await once(child.stdout, "data");
	return { url: String(url).trim(), stop: () => void child.kill() };
}

async function parallelStatefulSet(cluster: Cluster): Promise<void> {
	const replicas = 500;
	await cluster.client.create(statefulSets, {
		metadata: { name: "web", namespace: "default" },
		spec: {
			replicas,
			serviceName: "web",
			podManagementPolicy: "Parallel",
			selector: { matchLabels: { app: "web" } },
			template: template("web"),
		},
	});
	await cluster.waitFor(statefulSets, "web", ({ status }) => status?.readyReplicas === replicas, { timeout: "10m" });
}

async function daemonSet(cluster: Cluster): Promise<void> {
	const count = cluster.nodes.names.length;
	await cluster.client.create(daemonSets, {
		metadata: { name: "agent", namespace: "default" },
		spec: { selector: { matchLabels: { app: "agent" } }, template: template("agent") },
	});
	await cluster.waitFor(daemonSets, "agent", ({ status }) => status?.numberReady === count, { timeout: "10m" });
}

const deployment = (replicas: number) => async (cluster: Cluster) => {
	await cluster.client.create(deployments, {
		metadata: { name: "web", namespace: "default" },
		spec: { replicas, selector: { matchLabels: { app: "web" } }, template: template("web") },
	});
	await cluster.waitFor(deployments, "web", ({ status }) => status?.availableReplicas === replicas, {
		timeout: "30m",
	});
};

/** True when there are `count` objects and the predicate holds for each. */
function all<T extends { metadata: { uid: string } }>(count: number, predicate: (object: T) => boolean) {
	return (objects: readonly T[]) => objects.length === count && objects.every(predicate);
}

const scenarios: Record<string, () => AsyncIterable<Figure>> = {
	async *jobs() {
		yield await withCluster(100, thousandJobs, "1,000 Jobs of one pod on 100 nodes, all Complete");
	},
	/** Includes the work after their end: compared with BENCH_HISTORY=off, the total cost of the history. */
	async *history() {
		yield await withCluster(100, thousandJobsAndRest, "1,000 Jobs of one pod on 100 nodes, and 5 s more");
	},
	async *notifications() {
		yield await withCluster(100, thousandJobsTold, "1,000 Jobs of one pod on 100 nodes, each told");
	},
	async *statefulset() {
		yield await withCluster(100, parallelStatefulSet, "Parallel StatefulSet of 500 on 100 nodes, ready");
	},
	async *daemonset() {
		yield await withCluster(1000, daemonSet, "DaemonSet over 1,000 nodes, ready");
	},
	async *deployment() {
		yield await withCluster(100, deployment(5000), "Deployment of 5,000 on 100 nodes, available");
	},
	/** The cost of a pod, with few and with many pods. */
	async *pods() {
		for (const count of (process.env["BENCH_PODS"] ?? "1000,5000,10000,30000").split(",").map(Number)) {
			const figure = await withCluster(
				300,
				deployment(count),
				`Deployment of ${count.toLocaleString("en")} on 300 nodes, available`,
			);
			const perPodMs = (figure.cpuSeconds * 1000) / count;
			yield {
				...figure,
				note: `${perPodMs.toFixed(2)} ms CPU, ${((figure.heapMb * 1024) / count).toFixed(0)} kB a pod`,
			};
		}
	},
};

const wanted = process.argv.slice(2);
for (const name of wanted.length === 0 ? Object.keys(scenarios) : wanted) {
	const scenario = scenarios[name];
	if (scenario === undefined) throw new Error(`there is no ${name}; there are ${Object.keys(scenarios).join(", ")}`);
	for await (const figure of scenario()) print(figure);
}
