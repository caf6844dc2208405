/**
 * How fast workloads come up on simulated nodes: `npm run bench:controllers [-- NAME…]`. The API server, the controllers, the
 * scheduler and the nodes are all in this process, on the machine's clock and a memory store.
 */
import { type Cluster, daemonSets, deployments, jobs, statefulSets } from "../src/index.ts";
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

/** True when there are so many and the predicate holds for each; each object is looked at until it holds, then no more. */
function all<T extends { metadata: { uid: string } }>(count: number, predicate: (object: T) => boolean) {
	return (objects: readonly T[]) => objects.length === count && objects.every(predicate);
}

const scenarios: Record<string, () => AsyncIterable<Figure>> = {
	async *jobs() {
		yield await withCluster(100, thousandJobs, "1,000 Jobs of one pod on 100 nodes, all Complete");
	},
	/** With what is done after their end: what history costs in all, against the figure with BENCH_HISTORY=off. */
	async *history() {
		yield await withCluster(100, thousandJobsAndRest, "1,000 Jobs of one pod on 100 nodes, and 5 s more");
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
	/** What a pod costs, of few and of many. */
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
