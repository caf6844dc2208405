/** What users do to a simulated cluster. */
import type { Client } from "../../src/client/client.ts";
import type { Random } from "../../src/core/clock.ts";
import type { Draft, KubeObject } from "../../src/core/object.ts";
import { cronJobs } from "../../src/kinds/cronjob.ts";
import { daemonSets } from "../../src/kinds/daemonset.ts";
import { deployments } from "../../src/kinds/deployment.ts";
import { jobs } from "../../src/kinds/job.ts";
import type { Kind } from "../../src/kinds/kind.ts";
import { namespaces } from "../../src/kinds/namespace.ts";
import { nodes } from "../../src/kinds/node.ts";
import { pods } from "../../src/kinds/pod.ts";
import { services } from "../../src/kinds/service.ts";
import { statefulSets } from "../../src/kinds/statefulset.ts";
import type { SimulatedCluster } from "./cluster.ts";

const namespace = "default";

/** Tries until it is done: a user at a bad connection. Objects that exist or are gone already are as wanted. */
async function persistently(cluster: SimulatedCluster, work: (client: Client) => Promise<unknown>): Promise<void> {
	for (let attempt = 0; attempt < 100; attempt++) {
		try {
			await work(cluster.user);
			return;
		} catch (error) {
			const reason = error instanceof Error && "reason" in error ? error.reason : "";
			if (reason === "AlreadyExists" || reason === "NotFound") return;
			if (reason === "Invalid" || reason === "BadRequest") throw error;
			await cluster.clock.sleep(500);
		}
	}
}

function make<T extends KubeObject>(cluster: SimulatedCluster, kind: Kind<T>, draft: Draft<T>): Promise<void> {
	return persistently(cluster, (client) => client.create(kind, draft));
}

function template(app: string, annotations: Record<string, string>, spec: object = {}) {
	return {
		metadata: { labels: { app }, annotations },
		spec: { containers: [{ name: "main", image: "busybox" }], terminationGracePeriodSeconds: 5, ...spec },
	};
}

const annotation = (name: string) => `simulate.coxswain.io/${name}`;

/** The workloads that all simulations begin with. */
export async function makeWorkloads(cluster: SimulatedCluster): Promise<void> {
	for (const name of ["default", "kube-system", "kube-node-lease"]) {
		await make(cluster, namespaces, { metadata: { name }, spec: {} });
	}
	const selector = (app: string) => ({ matchLabels: { app } });
	const service = (app: string) =>
		make(cluster, services, {
			metadata: { name: app, namespace },
			spec: { clusterIP: "None", selector: { app }, ports: [{ name: "web", port: 80 }] },
		});
	await service("ordered");
	for (const [name, podManagementPolicy, replicas] of [
		["ordered", "OrderedReady", 3],
		["parallel", "Parallel", 4],
	] as const) {
		await make(cluster, statefulSets, {
			metadata: { name, namespace },
			spec: {
				serviceName: name,
				replicas,
				podManagementPolicy,
				selector: selector(name),
				template: template(name, { [annotation("ready-delay")]: "3s" }),
			},
		});
	}
	await make(cluster, daemonSets, {
		metadata: { name: "agent", namespace },
		spec: { selector: selector("agent"), template: template("agent", {}) },
	});
	await make(cluster, deployments, {
		metadata: { name: "front", namespace },
		spec: {
			replicas: 4,
			selector: selector("front"),
			template: template("front", { [annotation("ready-delay")]: "1s" }),
		},
	});
	const job = (name: string, completionMode: string, completions: number, annotations: Record<string, string>) =>
		make(cluster, jobs, {
			metadata: { name, namespace },
			spec: {
				completions,
				parallelism: 3,
				completionMode,
				backoffLimit: 1000,
				template: template(name, annotations, { restartPolicy: "Never" }),
			},
		});
	await job("count", "NonIndexed", 8, { [annotation("duration")]: "20s", [annotation("failure-rate")]: "0.2" });
	await job("index", "Indexed", 6, { [annotation("duration")]: "30s" });
	await make(cluster, cronJobs, {
		metadata: { name: "tick", namespace },
		spec: {
			schedule: "* * * * *",
			jobTemplate: {
				spec: { template: template("tick", { [annotation("duration")]: "5s" }, { restartPolicy: "OnFailure" }) },
			},
		},
	});
}

/** One thing a user, or fate, does. */
type Deed = (cluster: SimulatedCluster, random: Random) => Promise<void>;

const pick = (random: Random, count: number) => Math.floor(random() * count);

const scaled: readonly (readonly [Kind, string])[] = [
	[statefulSets as Kind, "ordered"],
	[statefulSets as Kind, "parallel"],
	[deployments as Kind, "front"],
];

const rolled: readonly (readonly [Kind, string])[] = [...scaled, [daemonSets as Kind, "agent"]];

export const nodeCount = 4;

const deeds: readonly Deed[] = [
	function scale(cluster, random) {
		const [kind, name] = scaled[pick(random, scaled.length)] ?? scaled[0] ?? [deployments as Kind, "front"];
		const replicas = pick(random, 6);
		return persistently(cluster, (client) =>
			client.patch(kind, { namespace, name }, { type: "merge", patch: { spec: { replicas } } }),
		);
	},
	function roll(cluster, random) {
		const [kind, name] = rolled[pick(random, rolled.length)] ?? [daemonSets as Kind, "agent"];
		const annotations = { version: String(pick(random, 1000)) };
		const patch = { spec: { template: { metadata: { annotations } } } };
		return persistently(cluster, (client) => client.patch(kind, { namespace, name }, { type: "merge", patch }));
	},
	function deletePod(cluster, random) {
		return persistently(cluster, async (client) => {
			const { items } = await client.list(pods, { namespace });
			const pod = items[pick(random, items.length)];
			if (pod === undefined) return;
			await client.delete(pods, { namespace, name: pod.metadata.name });
		});
	},
	function recreateDeployment(cluster, random) {
		const propagationPolicy = (["Background", "Foreground"] as const)[pick(random, 2)];
		return persistently(cluster, (client) =>
			client.delete(deployments, { namespace, name: "front" }, { propagationPolicy }),
		).then(async () => {
			await cluster.clock.sleep(10_000);
			await make(cluster, deployments, {
				metadata: { name: "front", namespace },
				spec: { replicas: 3, selector: { matchLabels: { app: "front" } }, template: template("front", {}) },
			});
		});
	},
	async function restartController(cluster, random) {
		await cluster.restart(pick(random, cluster.shells.length));
	},
	async function loseNode(cluster, random) {
		const number = 1 + pick(random, nodeCount);
		if (cluster.fleet.get(`node-${number}`) === undefined) return;
		await cluster.removeNode(number);
		await cluster.clock.sleep(random() * 90_000);
		await cluster.addNode(number);
	},
	async function cordonNode(cluster, random) {
		const name = `node-${1 + pick(random, nodeCount)}`;
		for (const unschedulable of [true, false]) {
			await persistently(cluster, (client) =>
				client.patch(nodes, { name }, { type: "merge", patch: { spec: { unschedulable } } }),
			);
			await cluster.clock.sleep(random() * 30_000);
		}
	},
];

/**
 * Does things for `durationMs`, several of them at a time. Resolves when the last of them is done.
 * @param without names of deeds, such as `loseNode`, that are not done
 */
export async function live(cluster: SimulatedCluster, durationMs: number, without: readonly string[]): Promise<void> {
	const { clock, random } = cluster;
	const allowed = deeds.filter((deed) => !without.includes(deed.name));
	const endMs = clock.now() + durationMs;
	const underWay: Promise<void>[] = [];
	while (clock.now() < endMs) {
		await clock.sleep(2000 + random() * 15_000);
		const deed = allowed[pick(random, allowed.length)];
		if (deed !== undefined) underWay.push(deed(cluster, random));
	}
	await Promise.all(underWay);
}
