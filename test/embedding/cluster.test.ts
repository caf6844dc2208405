import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import {
	configMaps,
	cronJobs,
	daemonSets,
	deployments,
	events,
	isReason,
	jobs,
	namespaces,
	nodes,
	pods,
	serviceAccounts,
	startCluster,
	statefulSets,
} from "../../src/index.ts";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);

const job = (name: string, annotations: Record<string, string> = {}, spec: object = {}) => ({
	apiVersion: "batch/v1",
	kind: "Job",
	metadata: { name },
	spec: {
		...spec,
		template: {
			metadata: { annotations },
			spec: { restartPolicy: "Never", containers: [{ name: "main", image: "work" }] },
		},
	},
});

const web = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 3
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec:
      containers:
        - { name: web, image: nginx }
---
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector: { app: web }
  ports: [{ port: 80 }]
`;

test("a manifest of several documents is applied, becomes available, and goes again", async () => {
	await using cluster = await startCluster({ nodes: 2 });
	const applied = await cluster.apply(web);
	expect(applied.map((object) => object.kind)).toEqual(["Deployment", "Service"]);
	const deployment = await cluster.waitFor(deployments, "web", "Available");
	expect(deployment.status?.availableReplicas).toBe(3);
	await cluster.delete(web);
	await cluster.waitForList(pods, { namespace: "default" }, (list) => list.length === 0);
});

test("a namespace takes its Events with it, and only those", async () => {
	await using cluster = await startCluster({ nodes: 1 });
	const { client } = cluster;
	const spec = { containers: [{ name: "web", image: "nginx" }] };
	await client.create(namespaces, { metadata: { name: "lab" }, spec: {} });
	await cluster.waitFor(serviceAccounts, { namespace: "lab", name: "default" }, "exists");
	for (const namespace of ["lab", "default"]) {
		await client.create(pods, { metadata: { name: "web", namespace }, spec });
		await cluster.waitForList(events, { namespace }, (list) => list.some(({ reason }) => reason === "Started"));
	}
	await client.delete(namespaces, { name: "lab" });
	await cluster.waitForList(namespaces, {}, (list) => list.every(({ metadata }) => metadata.name !== "lab"));
	expect((await client.list(events, { namespace: "lab" })).items).toEqual([]);
	expect((await client.list(events, { namespace: "default" })).items).not.toEqual([]);
});

test("a field that the API does not know is refused with its path", async () => {
	await using cluster = await startCluster();
	await expect(cluster.apply(web.replace("replicas: 3", "replicaz: 3"))).rejects.toThrow(/spec\.replicaz/);
});

test("a kind that there is not is refused by name", async () => {
	await using cluster = await startCluster();
	await expect(cluster.apply({ apiVersion: "v1", kind: "Nothing", metadata: { name: "x" } })).rejects.toThrow(
		"Nothing x: there is no kind Nothing in v1",
	);
});

test("virtual time passes as far as a wait needs, and no further", async () => {
	await using cluster = await startCluster({ clock: "virtual", startTime: "2026-03-01T00:00:00Z" });
	const startMs = cluster.clock.now();
	expect(new Date(startMs).toISOString()).toMatch(/^2026-03-01T00:00:00/);
	await cluster.apply(job("hour", { "simulate.coxswain.io/duration": "1h" }));
	const done = await cluster.waitFor(jobs, "hour", "Complete", { timeout: "2h" });
	expect(done.status?.succeeded).toBe(1);
	const tookMs = cluster.clock.now() - startMs;
	expect(tookMs).toBeGreaterThanOrEqual(3_600_000);
	expect(tookMs).toBeLessThan(3_610_000);
});

test("a wait that times out says what it waited for and what there is", async () => {
	await using cluster = await startCluster({ clock: "virtual" });
	await cluster.apply(job("endless", { "simulate.coxswain.io/duration": "9d" }));
	await expect(cluster.waitFor(jobs, "endless", "Complete", { timeout: "1h" })).rejects.toThrow(
		/waited 1h for jobs\.batch default\/endless \(Complete\); its current state is \{(.|\n)*"active": 1/,
	);
});

test("26 hours bring a nightly CronJob's run, with its Events and its log", async () => {
	await using cluster = await startCluster({ clock: "virtual", startTime: "2026-03-01T12:00:00Z" });
	const { spec } = job("x", { "simulate.coxswain.io/duration": "10m" });
	await cluster.apply({
		apiVersion: "batch/v1",
		kind: "CronJob",
		metadata: { name: "nightly" },
		spec: { schedule: "0 2 * * *", jobTemplate: { spec } },
	});
	await cluster.clock.advance("14h1s");
	// 02:00 has just struck.
	const [running] = (await cluster.client.list(jobs, { namespace: "default" })).items;
	expect(running?.metadata.creationTimestamp).toBe("2026-03-02T02:00:00Z");
	await cluster.clock.advance("11h");
	const [finished] = (await cluster.client.list(jobs, { namespace: "default" })).items;
	expect(finished?.status?.completionTime).toMatch(/^2026-03-02T02:10:/);
	const cronJob = await cluster.client.get(cronJobs, { namespace: "default", name: "nightly" });
	expect(cronJob.status?.lastSuccessfulTime).toBe(finished?.status?.completionTime);
	const [pod] = (await cluster.client.list(pods, { namespace: "default" })).items;
	if (pod === undefined) throw new Error("no pod");
	expect(await cluster.logs(pod)).toContain("main ended with exit code 0");
	expect(await cluster.logs(pod.metadata.name)).toContain("main ended with exit code 0");
});

test("the same seed gives the same history, another seed another", async () => {
	const history = async (seed: number) => {
		await using cluster = await startCluster({ nodes: 3, clock: "virtual", seed });
		const unsteady = { "simulate.coxswain.io/duration": "20s", "simulate.coxswain.io/failure-rate": "0.5" };
		await cluster.apply(job("unsteady", unsteady, { completions: 5, parallelism: 3, backoffLimit: 50 }));
		await cluster.apply(web);
		await cluster.clock.advance("30m");
		const [podList, eventList] = [await cluster.client.list(pods), await cluster.client.list(events)];
		return JSON.stringify([podList, eventList]);
	};
	const first = await history(7);
	expect(await history(7)).toBe(first);
	expect(await history(8)).not.toBe(first);
});

test("nodes have labels that they may not give themselves", async () => {
	const labels = { "node-role.kubernetes.io/worker": "", "node-restriction.kubernetes.io/team": "a", disk: "ssd" };
	await using cluster = await startCluster({ clock: "virtual", nodes: [{ name: "one", labels }] });
	const node = await cluster.client.get(nodes, { name: "one" });
	expect(node.metadata.labels).toMatchObject(labels);
});

test("nodes come, with labels, taints and capacity, and go with all that ran on them", async () => {
	await using cluster = await startCluster({ clock: "virtual", nodes: [{ name: "one" }, { labels: { disk: "ssd" } }] });
	expect(cluster.nodes.names).toEqual(["one", "node-2"]);
	await cluster.apply({
		apiVersion: "apps/v1",
		kind: "DaemonSet",
		metadata: { name: "agent" },
		spec: {
			selector: { matchLabels: { app: "agent" } },
			template: {
				metadata: { labels: { app: "agent" } },
				spec: { containers: [{ name: "agent", image: "agent" }] },
			},
		},
	});
	const ready = (count: number) => cluster.waitFor(daemonSets, "agent", ({ status }) => status?.numberReady === count);
	await ready(2);
	await cluster.nodes.add({ name: "tainted", taints: [{ key: "only", value: "gpu", effect: "NoSchedule" }] });
	const small = await cluster.nodes.add({ name: "small", capacity: { cpu: "2", memory: "1Gi" } });
	expect(small.status?.allocatable).toMatchObject({ cpu: "2", memory: "1Gi", pods: "500" });
	await ready(3);
	await cluster.nodes.remove("one");
	await cluster.waitForList(pods, {}, (list) => list.every((pod) => pod.spec.nodeName !== "one"), { timeout: "5m" });
	expect((await cluster.client.list(nodes)).items.map((node) => node.metadata.name)).toEqual([
		"node-2",
		"small",
		"tainted",
	]);
});

test("a node that crashes is noticed after 50 seconds, its pods are evicted after 5 minutes, and it can come back", async () => {
	await using cluster = await startCluster({ clock: "virtual", nodes: 2 });
	await cluster.apply(web);
	await cluster.waitFor(deployments, "web", "Available");
	await cluster.clock.advance("3h");
	const crashedMs = cluster.clock.now();
	await cluster.nodes.crash("node-1");
	const unknown = await cluster.waitFor(
		nodes,
		"node-1",
		({ spec }) => spec.taints?.some(({ key }) => key === "node.kubernetes.io/unreachable") ?? false,
		{ timeout: "5m" },
	);
	expect(unknown.status?.conditions?.find(({ type }) => type === "Ready")?.status).toBe("Unknown");
	const noticedAfterMs = cluster.clock.now() - crashedMs;
	expect(noticedAfterMs).toBeGreaterThan(35_000);
	expect(noticedAfterMs).toBeLessThan(55_000);
	await cluster.waitForList(
		pods,
		{ labelSelector: "app=web" },
		(list) => list.filter((pod) => pod.spec.nodeName === "node-2" && pod.status?.phase === "Running").length === 3,
		{ timeout: "10m" },
	);
	expect(cluster.clock.now() - crashedMs).toBeGreaterThan(330_000);
	const back = await cluster.nodes.restart("node-1");
	expect(back.status?.conditions?.find(({ type }) => type === "Ready")?.status).toBe("True");
	await cluster.waitForList(pods, {}, (list) => list.length === 3, { timeout: "10m" });
});

test("what a folder keeps is there in the next cluster", async ({ onTestFinished }) => {
	const { mkdtempSync, rmSync } = await import("node:fs");
	const folder = mkdtempSync(join(root, "node_modules", ".store-"));
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
	{
		await using cluster = await startCluster({ store: { folder } });
		await cluster.apply(web);
		await cluster.waitFor(deployments, "web", "Available");
	}
	await using cluster = await startCluster({ store: { folder } });
	await cluster.waitFor(deployments, "web", "Available");
});

test("a cluster that has been stopped says so, as often as it is stopped", async () => {
	const cluster = await startCluster();
	const { client } = cluster;
	await Promise.all([cluster.stop(), cluster.stop()]);
	await cluster.stop();
	expect(() => cluster.client).toThrow("the cluster has been stopped");
	await expect(client.list(pods)).rejects.toSatisfy((error) => isReason(error, "ServiceUnavailable"));
});

test("options that contradict each other are refused", async () => {
	await expect(startCluster({ clock: "virtual", runtime: "process" })).rejects.toThrow("real time");
	await expect(startCluster({ nodes: [{ name: "a" }, { name: "a" }] })).rejects.toThrow("there is a node a already");
	await expect(startCluster({ clock: "virtual", startTime: "yesterday" })).rejects.toThrow("not a time");
	await expect(startCluster({ admissionPlugins: ["Nothing"] })).rejects.toThrow("there is no admission plugin Nothing");
});

test("an option that there is not is refused by the compiler and by name, and a bad number of nodes, too", async () => {
	// @ts-expect-error there is no such option
	await expect(startCluster({ nodez: 3 })).rejects.toThrow("startCluster has no option nodez: there are nodes, clock");
	const mistyped = { name: "a", label: { a: "b" } };
	await expect(startCluster({ nodes: [mistyped] })).rejects.toThrow("a node has no option label");
	await expect(startCluster({ nodes: -1 })).rejects.toThrow("nodes: -1 is not a whole number");
});

test("what the client returns may be changed and sent back, a cluster may have no nodes, and a wrong duration is a rejection", async () => {
	await using cluster = await startCluster({ nodes: 0, clock: "virtual" });
	expect((await cluster.client.list(nodes)).items).toEqual([]);
	const ref = { namespace: "default", name: "c" };
	const created = await cluster.client.create(configMaps, { metadata: ref, data: { key: "one" } });
	created.data = { ...created.data, key: "two" };
	await cluster.client.update(configMaps, created);
	const [listed] = (await cluster.client.list(configMaps, { fieldSelector: "metadata.name=c" })).items;
	if (listed?.data !== undefined) listed.data["key"] = "three";
	// Its own copy, not the server's.
	const read = await cluster.client.get(configMaps, ref);
	expect(read.data).toEqual({ key: "two" });
	expect(read.metadata.managedFields).toMatchObject([{ manager: "coxswain", operation: "Update" }]);
	read.metadata.managedFields = [{}];
	expect((await cluster.client.update(configMaps, read)).metadata.managedFields).toBeUndefined();
	await expect(cluster.clock.advance("zz")).rejects.toThrow("'zz' is not a duration");
});

test("optional steps of admission are taken when they are named", async () => {
	await using cluster = await startCluster({ admissionPlugins: ["DenyServiceExternalIPs"] });
	const spec = { ports: [{ port: 80 }], externalIPs: ["192.0.2.1"] };
	const applied = cluster.apply({ apiVersion: "v1", kind: "Service", metadata: { name: "x" }, spec });
	await expect(applied).rejects.toThrow("Use of external IPs is denied by admission control");
});

test("kubectl finds the cluster by its kubeconfig, which goes with the cluster", async () => {
	const cluster = await startCluster({ nodes: 2 });
	const path = await cluster.kubeconfigPath();
	expect(readFileSync(path, "utf8")).toBe(await cluster.kubeconfig());
	const { stdout } = await run("kubectl", ["get", "nodes", "-o", "name"], {
		env: { ...process.env, KUBECONFIG: path },
	});
	expect(stdout).toBe("node/node-1\nnode/node-2\n");
	await cluster.stop();
	expect(existsSync(path)).toBe(false);
});

test("a StatefulSet comes up in order within seconds of virtual time", async () => {
	await using cluster = await startCluster({ clock: "virtual" });
	const startMs = cluster.clock.now();
	await cluster.apply({
		apiVersion: "apps/v1",
		kind: "StatefulSet",
		metadata: { name: "db" },
		spec: {
			serviceName: "db",
			replicas: 3,
			selector: { matchLabels: { app: "db" } },
			template: {
				metadata: { labels: { app: "db" }, annotations: { "simulate.coxswain.io/ready-delay": "5s" } },
				spec: { containers: [{ name: "db", image: "postgres" }] },
			},
		},
	});
	await cluster.waitFor(statefulSets, "db", ({ status }) => status?.readyReplicas === 3);
	expect(cluster.clock.now() - startMs).toBeGreaterThanOrEqual(15_000);
});

test("a program ends by itself once its clusters are stopped", async () => {
	const program = `
		import { startCluster } from ${JSON.stringify(join(root, "dist/index.js"))};
		for (const clock of ["system", "virtual"]) {
			const cluster = await startCluster({ nodes: 2, clock });
			await cluster.kubeconfig();
			await cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { a: "b" } });
			await cluster.stop();
		}
		const virtual = await startCluster({ clock: "virtual" });
		virtual.clock.run(60);
		await virtual.stop();
		console.log("done", process.getActiveResourcesInfo().join());
	`;
	const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], { timeout: 20_000 });
	expect(stdout).toMatch(/^done\b/);
});

test("functions in the options know the types of their parameters", async () => {
	const told: string[] = [];
	const rules = [{ level: "Metadata", verbs: ["create"], resources: [{ group: "", resources: ["configmaps"] }] }];
	await using cluster = await startCluster({
		nodes: 0,
		audit: {
			policy: { apiVersion: "audit.k8s.io/v1", kind: "Policy", omitStages: ["RequestReceived"], rules },
			sink: (event) => told.push(`${event.verb} ${event.objectRef?.name}`),
		},
		onError: (what) => told.push(what),
	});
	await cluster.client.create(configMaps, { metadata: { namespace: "default", name: "a" } });
	expect(told).toContain("create a");
});
