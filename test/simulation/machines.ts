/**
 * The machines of a simulated cluster's nodes: they lose power, their agent or their connection, and recover.
 */

import type { Transport } from "../../src/client/client.ts";
import { type ConnectionFaults, type FaultyTransport, faultyTransport } from "../../src/client/faults.ts";
import { createInformerCache } from "../../src/client/informer.ts";
import { createClient } from "../../src/client/requests.ts";
import { nodeUser } from "../../src/cluster/control-plane/identities.ts";
import { endedLogsPath, wireLogs } from "../../src/core/ended-log.ts";
import type { User } from "../../src/core/exchange.ts";
import type { Clock, Random } from "../../src/core/time/clock.ts";
import { localVolumeNodeLabel } from "../../src/kinds/storage/local-volume.ts";
import { persistentVolumes } from "../../src/kinds/storage/persistentvolume.ts";
import { createSimulatedNetwork } from "../../src/network/simulated.ts";
import { type Agent, startAgent } from "../../src/node/agent.ts";
import { LogKeeper } from "../../src/node/history/log-keeper.ts";
import { nodePodSource } from "../../src/node/pod-source.ts";
import { plenty, succeedingProber } from "../../src/node/simulated-fleet.ts";
import { watchLocalVolumes } from "../../src/node/volumes/local-volumes.ts";
import type { Container } from "../../src/runtime/runtime.ts";
import {
	createSimulatedRuntime,
	type SimulatedRuntime,
	type SimulatedState,
	simulatedState,
} from "../../src/runtime/simulated/runtime.ts";

export interface MachinesOptions {
	clock: Clock;
	random: Random;
	connect(user: User): Transport;
	/** Of every node's connection. */
	faults: Readonly<ConnectionFaults>;
	/** Called when two pods with the same name run at the same time. */
	violation(text: string): void;
}

interface Machine {
	/** Its processes, which run as long as it has power. */
	runtime: SimulatedState;
	/** Undefined while its agent is down. */
	agent: { stop(): Promise<void> } | undefined;
	transport: FaultyTransport | undefined;
	/** An action on it is in progress. */
	busy: boolean;
}

export class Machines {
	readonly #options: MachinesOptions;
	readonly #machines = new Map<number, Machine>();

	constructor(options: MachinesOptions) {
		this.#options = options;
	}

	/** Acts on a machine, unless another action on it is in progress. */
	async alone(number: number, work: () => Promise<void>): Promise<void> {
		const machine = this.#machines.get(number);
		if (machine === undefined || machine.busy) return;
		machine.busy = true;
		try {
			await work();
		} finally {
			machine.busy = false;
		}
	}

	/** Resolves when the node is registered. */
	async powerOn(number: number): Promise<void> {
		const { busy = false } = this.#machines.get(number) ?? {};
		this.#machines.set(number, { runtime: simulatedState(), agent: undefined, transport: undefined, busy });
		await this.startAgent(number);
	}

	/** Nothing is cleaned up in the API. */
	async powerOff(number: number): Promise<void> {
		const machine = this.#of(number);
		machine.runtime = simulatedState();
		await this.stopAgent(number);
	}

	async startAgent(number: number): Promise<void> {
		const machine = this.#of(number);
		const { clock, random, faults, connect } = this.#options;
		const name = `node-${number}`;
		// All requests are made as the node, with its permissions.
		const transport = faultyTransport(connect(nodeUser(name)), { clock, random, faults });
		const client = createClient(transport, { userAgent: "kubelet" });
		const informers = createInformerCache(client, { clock });
		const volumes = watchLocalVolumes({
			client: () => client,
			volumes: informers.of(persistentVolumes, { labelSelector: `${localVolumeNodeLabel}=${name}` }),
			clock,
			isOwn: (hostname) => hostname === name,
			// Simulated volumes have no directories.
			remove: async () => {},
		});
		const logKeeper = new LogKeeper({
			clock,
			async deliver(logs) {
				// What the server answers: see api/paths/receive-logs.ts.
				const { done } = (await client.raw("POST", endedLogsPath, wireLogs(logs))) as { done: boolean[] };
				return done;
			},
		});
		const [address, podCidr] = [`10.0.0.${number}`, `10.244.${number}.0/24`];
		let agent: Agent | undefined;
		let stopped = false;
		machine.transport = transport;
		machine.agent = {
			async stop() {
				stopped = true;
				volumes.stop();
				await logKeeper.stop();
				await agent?.stop();
				informers.close();
			},
		};
		const runtime = this.#watched(machine.runtime);
		agent = await startAgent({
			client,
			informers,
			clock,
			events: false,
			logKeeper,
			pods: nodePodSource(informers, name),
			runtime,
			inMemory: runtime,
			network: createSimulatedNetwork({ nodeAddress: address, podCidr }),
			prober: succeedingProber,
			node: {
				name,
				addresses: [address],
				podCidr,
				capacity: plenty,
				allocatable: plenty,
				labels: {},
				machineId: `machine-${number}`,
				bootId: `boot-${number}`,
				kernelVersion: "6.0",
				osImage: "simulated",
				architecture: "amd64",
			},
		});
		if (stopped) await agent.stop();
	}

	/** Its processes keep running. */
	async stopAgent(number: number): Promise<void> {
		const machine = this.#of(number);
		const { agent } = machine;
		machine.agent = undefined;
		await agent?.stop();
	}

	cut(number: number, isCut: boolean): void {
		this.#of(number).transport?.cut(isCut);
	}

	async stop(): Promise<void> {
		await Promise.all([...this.#machines.keys()].map((number) => this.stopAgent(number)));
	}

	#of(number: number): Machine {
		const machine = this.#machines.get(number);
		if (machine === undefined) throw new Error(`there is no machine ${number}`);
		return machine;
	}

	#watched(state: SimulatedState): SimulatedRuntime {
		const { clock, random } = this.#options;
		const runtime = createSimulatedRuntime({ clock, state });
		const [stop, start] = [runtime.stopContainer.bind(runtime), runtime.startContainer.bind(runtime)];
		return Object.assign(runtime, {
			// Some programs use part of their grace period.
			stopContainer: async (id: string, graceMs: number) => {
				if (random() < 0.5) await clock.sleep(random() * graceMs);
				if (state.containers.has(id)) await stop(id, graceMs);
			},
			startContainer: async (id: string) => {
				await start(id);
				const started = state.containers.get(id)?.container;
				if (started?.state === "running") this.#checkIdentity(started);
			},
		});
	}

	/** Two live pods never have the same identity, on any machine. */
	#checkIdentity(started: Container): void {
		const { uid, key } = identityOf(started);
		for (const { runtime } of this.#machines.values()) {
			for (const { container } of runtime.containers.values()) {
				if (container.state !== "running") continue;
				const other = identityOf(container);
				if (other.key === key && other.uid !== uid) this.#options.violation(`two pods ${key} run at the same time`);
			}
		}
	}
}

function identityOf({ config: { labels } }: Container): { uid: string; key: string } {
	const label = (name: string) => labels[`io.kubernetes.pod.${name}`] ?? "";
	return { uid: label("uid"), key: `${label("namespace")}/${label("name")}` };
}
