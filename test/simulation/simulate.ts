/** One simulated life of a cluster, from one seed. */

import { noFaults } from "../../src/client/faults.ts";
import { VirtualClock } from "../../src/core/time/virtual-clock.ts";
import { outboxRoot } from "../../src/notify/outbox/outbox.ts";
import { type ClusterOptions, type SimulatedCluster, startCluster } from "./cluster.ts";
import { allControllers } from "./controllers.ts";
import { live, nodeCount } from "./deeds.ts";
import { invariants } from "./invariants/invariants.ts";
import { unfinished } from "./invariants/rest.ts";
import { JumpingClock } from "./jumping-clock.ts";
import { type Observe, Truth } from "./truth.ts";
import { makeWorkloads } from "./workloads.ts";

export interface SimulationOptions {
	seed: number;
	/** Duration of the actions of users and the faults. Default: two minutes. */
	troubleMs?: number;
	/** False: no faults, only actions of users. */
	faults?: boolean;
	/** Names of actions in deeds.ts to leave out. */
	without?: readonly string[];
	controllers?: ClusterOptions["controllers"];
	onError?(what: string, error: unknown): void;
	/** Told of every change of an object. */
	onChange?: Observe;
}

export interface SimulationResult {
	seed: number;
	/** Violated invariants, and what did not settle. Empty: success. */
	violations: readonly string[];
	/** Hash of every commit and its time: equal for equal seeds. */
	hash: string;
	commitCount: number;
	/** Length of the life, in virtual milliseconds. */
	simulatedMs: number;
}

/**
 * Time to settle after the faults, maximum and minimum. A controller that failed repeatedly waits up to 1,250 s before it
 * tries again.
 */
const rest = { longestMs: 1_800_000, shortestMs: 30_000 };

export async function simulate(options: SimulationOptions): Promise<SimulationResult> {
	const { seed, troubleMs: durationMs = 120_000, without = [] } = options;
	const time = new VirtualClock({ seed });
	const clock = new JumpingClock(time);
	const cluster = await startCluster({ controllers: allControllers, ...options, clock });
	const watching = invariants();
	const observers = watching.map(({ observe }) => observe);
	const observing = options.onChange ? [options.onChange, ...observers] : observers;
	const truth = new Truth(cluster, observing);
	await whileAdvancing(time, async () => {
		const [workloads] = await Promise.all([makeWorkloads(cluster), powerOn(cluster)]);
		if (options.faults !== false) beginFaults(cluster);
		await live(cluster, { workloads, durationMs, without });
	});
	endFaults(cluster);
	let left: string[] = [];
	// A CronJob creates a Job every minute: the cluster has settled at a moment without remaining work.
	for (let waitedMs = 0; waitedMs < rest.longestMs; waitedMs += 5000) {
		await time.advance(5000);
		if (waitedMs < rest.shortestMs) continue;
		left = [...unfinished(truth), ...(await untold(cluster))];
		if (left.length === 0) break;
	}
	for (const text of cluster.complaints) truth.violation(text);
	for (const text of left) truth.violation(`did not come to rest: ${text}`);
	for (const { atEnd } of watching) atEnd?.(truth);
	const { violations, hash, commitCount } = truth;
	truth.stop();
	await whileAdvancing(time, () => cluster.stop());
	return { seed, violations, hash, commitCount, simulatedMs: clock.monotonicMs() };
}

/** Notifications that wait, for logs or for a sink that was down. */
async function untold({ store }: SimulatedCluster): Promise<string[]> {
	const { entries } = await store.range({ from: outboxRoot, to: `${outboxRoot}\uffff` });
	return entries.map(({ key }) => `${key} was not told`);
}

/** Some seeds have fewer faults, and some lack one kind of fault. */
function beginFaults({ random, storeFaults, connectionFaults, nodeFaults, sinkFaults }: SimulatedCluster): void {
	const level = () => (random() < 0.25 ? 0 : random());
	Object.assign(storeFaults, {
		conflict: 0.06 * level(),
		lostReply: 0.04 * level(),
		refused: 0.08 * level(),
		slow: 0.2,
		slowMs: 100 * level(),
		watchDelay: 0.1 * level(),
		watchDelayMs: 300,
	});
	sinkFaults.refused = 0.6 * level();
	for (const faults of [connectionFaults, nodeFaults]) {
		Object.assign(faults, {
			unreachable: 0.04 * level(),
			lostAnswer: 0.04 * level(),
			late: 0.3,
			lateMs: 800 * level(),
			brokenWatch: 0.01 * level(),
			forgotten: 0.3 * level(),
		});
	}
}

function endFaults({ storeFaults, connectionFaults, nodeFaults, sinkFaults }: SimulatedCluster): void {
	Object.assign(storeFaults, { conflict: 0, lostReply: 0, refused: 0, slow: 0, watchDelay: 0 });
	sinkFaults.refused = 0;
	Object.assign(connectionFaults, noFaults);
	Object.assign(nodeFaults, noFaults);
}

async function powerOn({ machines }: SimulatedCluster): Promise<void> {
	for (let number = 1; number <= nodeCount; number++) await machines.powerOn(number);
}

/** Advances the clock until the work is done. @throws Error if it never is */
async function whileAdvancing(clock: VirtualClock, work: () => Promise<void>): Promise<void> {
	let done = false;
	const finished = () => {
		done = true;
	};
	const working = work().finally(finished);
	// Reported by the await below; until then it must not count as unhandled.
	working.catch(finished);
	const limitMs = clock.monotonicMs() + 3_600_000;
	while (!done) {
		if (clock.monotonicMs() > limitMs) throw new Error("an hour has passed, and something is still not done");
		await clock.advance(1000);
	}
	await working;
}
