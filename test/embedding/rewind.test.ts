/** Snapshots of an embedded cluster, faults of its connections, and what it tells of writes. */
import { describe, expect, test } from "vitest";
import {
	type Client,
	type Cluster,
	type ClusterWrite,
	configMaps,
	deployments,
	jobs,
	pods,
	secrets,
	startCluster,
	type VirtualTime,
} from "../../src/index.ts";

const web = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  replicas: 2
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: web, image: nginx }] }
`;
const report = `
apiVersion: batch/v1
kind: Job
metadata: { name: report }
spec:
  template:
    metadata: { annotations: { simulate.coxswain.io/duration: 10m } }
    spec: { restartPolicy: Never, containers: [{ name: report, image: report }] }
`;

function withResolvers() {
	let resolve: (value: unknown) => void = () => {};
	const promise = new Promise((settle) => {
		resolve = settle;
	});
	return { promise, resolve };
}

async function state(client: Client) {
	const [all, jobList] = [await client.list(pods), await client.list(jobs)];
	const bare = <T extends { metadata: { resourceVersion?: string } }>({ metadata, ...rest }: T) => ({
		...rest,
		metadata: { ...metadata, resourceVersion: undefined },
	});
	return { pods: all.items.map(bare), jobs: jobList.items.map(bare) };
}

describe("a snapshot", () => {
	test("is what a rewind returns to: objects, time, nodes, and what pods still do", async () => {
		await using cluster = await startCluster({ clock: "virtual", nodes: 2 });
		await cluster.apply([web, report].join("---"));
		await cluster.waitFor(deployments, "web", "Available");
		await cluster.clock.advance("4m");
		const [before, snapshot] = [await state(cluster.client), await cluster.snapshot()];
		const history: unknown[] = [];
		for (let round = 0; round < 2; round++) {
			await cluster.client.delete(deployments, { namespace: "default", name: "web" });
			await cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "later" } });
			await cluster.nodes.add({ name: "extra" });
			const done = await cluster.waitFor(jobs, "report", "Complete", { timeout: "1h" });
			history.push({ at: done.status?.completionTime, uid: (await cluster.client.list(configMaps)).items.length });
			await cluster.nodes.crash("node-2");
			await cluster.clock.advance("1h");
			await cluster.rewind(snapshot);
			expect(cluster.clock.now()).toBe(snapshot.atMs);
			expect(cluster.nodes.names).toEqual(["node-1", "node-2"]);
			expect(await state(cluster.client)).toEqual(before);
			await expect(cluster.client.get(configMaps, { namespace: "default", name: "later" })).rejects.toThrow(
				/not found/,
			);
			// Nothing is done again, and nothing was forgotten.
			await cluster.clock.advance("1s");
			expect((await state(cluster.client)).pods).toEqual(before.pods);
		}
		expect(history[1]).toEqual(history[0]);
		await cluster.apply(web.replace("replicas: 2", "replicas: 3"));
		await cluster.waitFor(deployments, "web", ({ status }) => status?.availableReplicas === 3);
		const addresses = (await cluster.client.list(pods)).items.map(({ status }) => status?.podIP);
		expect(new Set(addresses).size).toBe(addresses.length);
	});

	test("leaves clients, ports and tokens as they are, and watches go on after a list", async () => {
		await using cluster = await startCluster({ nodes: 0, clock: "virtual" });
		const snapshot = await cluster.snapshot();
		const before = await cluster.kubeconfig();
		const ann = cluster.clientAs({ user: "ann", groups: ["system:masters"] });
		const [revision, ended] = [await ann.revision(), withResolvers()];
		ann.watch(
			configMaps,
			{ resourceVersion: String(revision), signal: new AbortController().signal },
			{ event() {}, end: ended.resolve },
		);
		await cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } });
		const [listed] = await Promise.all([cluster.client.list(configMaps), cluster.rewind(snapshot)]);
		expect(listed.items.length).toBeGreaterThan(0);
		await ended.promise;
		expect(await cluster.kubeconfig()).toBe(before);
		expect(await ann.revision()).toBeGreaterThan(revision + 1);
		await cluster.apply({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } });
		await expect(cluster.rewind({ atMs: 1 })).rejects.toThrow("the snapshot is not one of this cluster");
	});
});

describe("faults", () => {
	const operator = (cluster: Cluster) => cluster.clientAs({ user: "operator", groups: ["system:masters"] });
	const draft = { metadata: { namespace: "default", name: "a" }, data: { key: "1" } };

	test("reach other clients than the test's own", async () => {
		await using cluster = await startCluster({ nodes: 0, clock: "virtual", faults: { unreachable: 1 } });
		await cluster.client.create(configMaps, draft);
		await expect(operator(cluster).list(configMaps)).rejects.toMatchObject({ reason: "ServiceUnavailable" });
		Object.assign(cluster.faults, { unreachable: 0, lostAnswer: 1 });
		await expect(operator(cluster).create(secrets, { metadata: draft.metadata })).rejects.toMatchObject({
			reason: "Timeout",
		});
		expect((await cluster.client.get(secrets, draft.metadata)).metadata.name).toBe("a");
		Object.assign(cluster.faults, { lostAnswer: 0, conflict: 1 });
		const found = await operator(cluster).get(configMaps, draft.metadata);
		await expect(operator(cluster).update(configMaps, found)).rejects.toMatchObject({ reason: "Conflict" });
	});

	test("delay the events of watches in the cluster's time", async () => {
		await using cluster = await startCluster({ nodes: 0, clock: "virtual", faults: { late: 1, lateMs: 60_000 } });
		const seen: string[] = [];
		const watched = operator(cluster);
		watched.watch(
			configMaps,
			{ resourceVersion: String(await cluster.client.revision()), signal: new AbortController().signal },
			{ event: ({ object }) => seen.push(object.metadata.name), end() {} },
		);
		await cluster.clock.advance("1m"); // the request itself is late, too
		await cluster.client.create(configMaps, draft);
		expect(seen).toEqual([]);
		await cluster.clock.advance("1m");
		expect(seen).toEqual(["a"]);
	});

	test("that do not exist are refused", async () => {
		// @ts-expect-error: no such fault
		await expect(startCluster({ faults: { slow: 1 } })).rejects.toThrow(/faults has no option slow/);
	});
});

test("every write is told, with who, what came of it, and the object before and after", async () => {
	const writes: ClusterWrite[] = [];
	const onWrite = (write: ClusterWrite) => void writes.push(write);
	await using cluster: Cluster<VirtualTime> = await startCluster({ clock: "virtual", onWrite });
	writes.length = 0;
	await cluster.apply(web);
	await cluster.waitFor(deployments, "web", "Available");
	await cluster.apply(web);
	const ann = cluster.clientAs({ user: "ann" });
	await expect(ann.delete(deployments, { namespace: "default", name: "web" })).rejects.toThrow(/forbidden/);
	await cluster.delete(web);
	const of = (name: string) => writes.filter((write) => write.name === name && write.resource === "deployments");
	const told = of("web").map((write) => [write.verb, write.user, write.code, write.isNew]);
	expect(told[0]).toEqual(["patch", "kubernetes-admin", 201, true]);
	expect(told.at(-2)).toEqual(["delete", "ann", 403, false]);
	expect(told.at(-1)).toEqual(["delete", "kubernetes-admin", 200, false]);
	expect(of("web").at(-1)?.before()).toMatchObject({ spec: { replicas: 2 } });
	expect(of("web").at(-1)?.after()).toBeUndefined();
	const status = of("web").find(({ subresource }) => subresource === "status");
	expect(status?.user).toBe("system:serviceaccount:kube-system:deployment-controller");
	expect(status?.after()).not.toEqual(status?.before());
	const unchanged = of("web").findLast(({ verb, subresource }) => verb === "patch" && subresource === undefined);
	expect([unchanged?.before(), unchanged?.after()]).toEqual([undefined, undefined]);
	const bound = writes.find(({ subresource }) => subresource === "binding");
	expect(bound).toMatchObject({ user: "system:kube-scheduler", resource: "pods", verb: "create" });
});
