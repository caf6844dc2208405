/** Actions of users, and faults, in a simulated cluster. */
import type { Random } from "../../src/core/time/clock.ts";
import { daemonSets } from "../../src/kinds/apps/daemonset.ts";
import { deployments } from "../../src/kinds/apps/deployment.ts";
import { statefulSets } from "../../src/kinds/apps/statefulset.ts";
import { cronJobs } from "../../src/kinds/batch/cronjob.ts";
import { nodes } from "../../src/kinds/core/node.ts";
import type { Kind } from "../../src/kinds/engine/kind.ts";
import { pods } from "../../src/kinds/pod/pod.ts";
import { resourceQuotas } from "../../src/kinds/quota/resourcequota.ts";
import type { SimulatedCluster } from "./cluster.ts";
import { namespace, passingJob, persistently, type Workload } from "./workloads.ts";

export const nodeCount = 4;

interface Scene {
	cluster: SimulatedCluster;
	random: Random;
	workloads: readonly Workload[];
}

type Deed = (scene: Scene) => Promise<void>;

const scaled = new Set<Kind>([statefulSets as Kind, deployments as Kind]);
const rolled = new Set<Kind>([...scaled, daemonSets as Kind]);
const remade = new Set<Kind>([...rolled, cronJobs as Kind]);

function below(random: Random, count: number): number {
	return Math.floor(random() * count);
}

function pick({ random, workloads }: Scene, kinds: ReadonlySet<Kind>): Workload | undefined {
	const candidates = workloads.filter(({ kind }) => kinds.has(kind));
	return candidates[below(random, candidates.length)];
}

function merge({ cluster }: Scene, { kind, name }: Workload, spec: object): Promise<void> {
	return persistently(cluster, (client) => client.patch(kind, { namespace, name }, { type: "merge", patch: { spec } }));
}

const deeds: readonly Deed[] = [
	async function scale(scene) {
		const workload = pick(scene, scaled);
		if (workload !== undefined) await merge(scene, workload, { replicas: below(scene.random, 6) });
	},
	async function roll(scene) {
		const workload = pick(scene, rolled);
		const annotations = { version: String(below(scene.random, 1000)) };
		if (workload !== undefined) await merge(scene, workload, { template: { metadata: { annotations } } });
	},
	function deletePod({ cluster, random }) {
		return persistently(cluster, async (client) => {
			const { items } = await client.list(pods, { namespace });
			const pod = items[below(random, items.length)];
			if (pod === undefined) return;
			cluster.deletedByUser.add(pod.metadata.uid);
			await client.delete(pods, { namespace, name: pod.metadata.name });
		});
	},
	/** Several at once, as when a node is drained. */
	async function evict({ cluster, random }) {
		const { items } = await cluster.user.list(pods, { namespace }).catch(() => ({ items: [] }));
		const node = `node-${1 + below(random, nodeCount)}`;
		const evictions = items
			.filter(({ spec }) => spec.nodeName === node || random() < 0.3)
			.map(({ metadata: { name } }) =>
				cluster.user.createSubresource(pods, { namespace, name }, "eviction", {
					apiVersion: "policy/v1",
					kind: "Eviction",
					metadata: { name, namespace },
				}),
			);
		// Budgets refuse some.
		await Promise.allSettled(evictions);
	},
	async function remake(scene) {
		const { cluster, random } = scene;
		const workload = pick(scene, remade);
		if (workload === undefined) return;
		const { kind, name, make } = workload;
		const propagationPolicy = (["Background", "Foreground", "Orphan"] as const)[below(random, 3)];
		await persistently(cluster, async (client) => {
			const { uid } = (await client.get(kind, { namespace, name })).metadata;
			if (propagationPolicy !== "Orphan") cluster.deletedByUser.add(uid);
			await client.delete(kind, { namespace, name }, { propagationPolicy, preconditions: { uid } });
		});
		await cluster.clock.sleep(random() * 15_000);
		await persistently(cluster, make);
	},
	/** A Job that is deleted soon, often before it has finished. */
	async function submitJob({ cluster, random }) {
		const { make, kind, name } = passingJob(`passing-${Math.floor(random() * 1e9)}`, random() < 0.5);
		await persistently(cluster, make);
		await cluster.clock.sleep(random() * 10_000);
		await persistently(cluster, async (client) => {
			const { uid } = (await client.get(kind, { namespace, name })).metadata;
			cluster.deletedByUser.add(uid);
			await client.delete(kind, { namespace, name }, { propagationPolicy: "Background" });
		});
	},
	/** Limits the number of pods for a while; existing ones may stay. */
	async function tightenQuota(scene) {
		const { cluster, random } = scene;
		const quota = pick(scene, new Set<Kind>([resourceQuotas as Kind]));
		if (quota === undefined) return;
		await merge(scene, quota, { hard: { pods: String(below(random, 12)) } });
		await cluster.clock.sleep(random() * 40_000);
		await persistently(cluster, (client) => client.delete(quota.kind, { namespace, name: quota.name }));
		await persistently(cluster, quota.make);
	},
	async function restartController({ cluster: { controlPlane }, random }) {
		await controlPlane.restartController(below(random, controlPlane.controllerCount));
	},
	async function restartControlPlane({ cluster: { controlPlane }, random }) {
		await controlPlane.restart(random() * (random() < 0.5 ? 500 : 20_000));
	},
	/** Pending notifications wait, and their control plane ends. */
	async function loseSinks({ cluster: { controlPlane, sinkFaults, clock }, random }) {
		sinkFaults.isDown = true;
		await clock.sleep(random() * 30_000);
		await controlPlane.restart(random() * 5000);
		sinkFaults.isDown = false;
	},
	async function loseNode({ cluster, random }) {
		const number = 1 + below(random, nodeCount);
		const { machines, clock } = cluster;
		await machines.alone(number, async () => {
			await machines.powerOff(number);
			await clock.sleep(random() * 90_000);
			// At times the user has given it up by then.
			if (random() < 0.3) await persistently(cluster, (client) => client.delete(nodes, { name: `node-${number}` }));
			await clock.sleep(random() * 30_000);
			await machines.powerOn(number);
		});
	},
	async function restartAgent({ cluster: { machines, clock }, random }) {
		const number = 1 + below(random, nodeCount);
		await machines.alone(number, async () => {
			await machines.stopAgent(number);
			await clock.sleep(random() * 20_000);
			await machines.startAgent(number);
		});
	},
	async function cutConnection({ cluster: { machines, clock }, random }) {
		const number = 1 + below(random, nodeCount);
		await machines.alone(number, async () => {
			machines.cut(number, true);
			// Sometimes so long that its pods are evicted.
			await clock.sleep(random() * (random() < 0.2 ? 500_000 : 80_000));
			machines.cut(number, false);
		});
	},
	async function cordonNode({ cluster, random }) {
		const name = `node-${1 + below(random, nodeCount)}`;
		for (const unschedulable of [true, false]) {
			await persistently(cluster, (client) =>
				client.patch(nodes, { name }, { type: "merge", patch: { spec: { unschedulable } } }),
			);
			await cluster.clock.sleep(random() * 30_000);
		}
	},
	async function jumpClock({ cluster: { clock }, random }) {
		if (random() < 0.3) clock.jump(-random() * 30_000);
		else clock.jump(random() * (random() < 0.5 ? 120_000 : 10_800_000));
	},
];

/**
 * Does things for `durationMs`, several of them at a time. Resolves when the last of them is done.
 * @param without names of deeds, such as `loseNode`, that are not done
 */
export async function live(
	cluster: SimulatedCluster,
	options: { workloads: readonly Workload[]; durationMs: number; without: readonly string[] },
): Promise<void> {
	const { clock, random } = cluster;
	const scene: Scene = { cluster, random, workloads: options.workloads };
	const allowed = deeds.filter((deed) => !options.without.includes(deed.name));
	const endMs = clock.monotonicMs() + options.durationMs;
	const underWay: Promise<void>[] = [];
	while (clock.monotonicMs() < endMs) {
		await clock.sleep(1000 + random() * 9000);
		const deed = allowed[below(random, allowed.length)];
		if (deed !== undefined) underWay.push(deed(scene));
	}
	await Promise.all(underWay);
}
