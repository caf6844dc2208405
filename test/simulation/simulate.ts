/** One simulated life of a cluster, from one seed. */
import type { Controller } from "../../src/controllers/controller.ts";
import { VirtualClock } from "../../src/core/virtual-clock.ts";
import type { Registry } from "../../src/kinds/registry.ts";
import { type SimulatedCluster, startCluster } from "./cluster.ts";
import { invariants, unfinished } from "./invariants.ts";
import { live, makeWorkloads, nodeCount } from "./script.ts";
import { type Observe, Truth } from "./truth.ts";

export interface SimulationOptions {
	seed: number;
	controllers(registry: Registry): Controller<unknown>[];
	/** How long users are busy and faults strike. Default five minutes. */
	troubleMs?: number;
	/** False: nothing fails, users alone make trouble. */
	faults?: boolean;
	/** Nodes have bad connections too. Default false. */
	unsteadyNodes?: boolean;
	/** Names of deeds (see script.ts) that nobody does. */
	without?: readonly string[];
	onError?(what: string, error: unknown): void;
	/** Told of every change of an object. */
	onChange?: Observe;
}

export interface SimulationResult {
	seed: number;
	/** Broken invariants, and what did not come to rest. Empty: all is well. */
	violations: readonly string[];
	/** Of every commit and its time: equal for equal seeds. */
	hash: string;
	commitCount: number;
	/** Length of the life, in virtual milliseconds. */
	simulatedMs: number;
}

/** Time to come to rest in, at the most, when faults have stopped. */
const restMs = 900_000;

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
	const { seed, troubleMs = 300_000 } = options;
	const clock = new VirtualClock({ seed });
	const startMs = clock.now();
	const cluster = await startCluster({ ...options, clock, unsteadyNodes: options.unsteadyNodes ?? false });
	const truth = new Truth(cluster.store, clock, [...invariants(), ...(options.onChange ? [options.onChange] : [])]);
	await whileAdvancing(clock, async () => {
		await Promise.all([makeWorkloads(cluster), addNodes(cluster)]);
		if (options.faults !== false) {
			const { random } = cluster;
			// Some lives are calmer than others.
			const level = random();
			Object.assign(cluster.storeFaults, { conflict: 0.03, lostReply: 0.02, slow: 0.2, slowMs: 100 * level });
			Object.assign(cluster.storeFaults, { watchDelay: 0.1 * level, watchDelayMs: 300 });
			Object.assign(cluster.connectionFaults, {
				unreachable: 0.02,
				lostAnswer: 0.04 * level,
				late: 0.3,
				lateMs: 800 * level,
				brokenWatch: 0.005,
			});
		}
		await live(cluster, troubleMs, options.without ?? []);
	});
	Object.assign(cluster.storeFaults, { conflict: 0, lostReply: 0, slow: 0, watchDelay: 0 });
	Object.assign(cluster.connectionFaults, { unreachable: 0, lostAnswer: 0, late: 0, brokenWatch: 0 });
	let left: string[] = [];
	// A new Job of a CronJob every minute: rest is a moment without anything left over.
	for (let waitedMs = 0; waitedMs < restMs; waitedMs += 5000) {
		await clock.advance(5000);
		left = unfinished(truth);
		if (left.length === 0 && waitedMs >= 120_000) break;
	}
	for (const text of cluster.complaints) truth.violation(text);
	for (const text of left) truth.violation(`did not come to rest: ${text}`);
	const { violations, hash, commitCount } = truth;
	truth.stop();
	await whileAdvancing(clock, () => cluster.stop());
	return { seed, violations, hash, commitCount, simulatedMs: clock.now() - startMs };
}

async function addNodes(cluster: SimulatedCluster): Promise<void> {
	for (let number = 1; number <= nodeCount; number++) await cluster.addNode(number);
}

/** Turns the clock until the work is done. */
async function whileAdvancing(clock: VirtualClock, work: () => Promise<void>): Promise<void> {
	let done = false;
	const finished = () => {
		done = true;
	};
	const working = work().finally(finished);
	// Reported by the await below; until then it must not count as unhandled.
	working.catch(finished);
	while (!done) await clock.advance(1000);
	await working;
}
