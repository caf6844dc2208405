/** The machines under a simulated cluster's nodes: they lose their power, their agent or their connection, and come back. */

import type { Client, Transport } from "../../src/client/client.ts";
import { createMirror } from "../../src/client/informer.ts";
import type { Mirror } from "../../src/client/mirror.ts";
import { createClient } from "../../src/client/requests.ts";
import type { Clock, Random } from "../../src/core/clock.ts";
import { createSimulatedNetwork } from "../../src/network/simulated.ts";
import { type Fleet, startSimulatedFleet } from "../../src/node/simulated-fleet.ts";
import type { Container, Runtime } from "../../src/runtime/runtime.ts";
import { createSimulatedRuntime, type SimulatedState, simulatedState } from "../../src/runtime/simulated.ts";
import { type ConnectionFaults, type FaultyTransport, faultyTransport } from "./faulty-transport.ts";

export interface MachinesOptions {
	clock: Clock;
	random: Random;
	connect(name: string): Transport;
	/** Of every node's connection. */
	faults: Readonly<ConnectionFaults>;
	/** Told when two pods of one name run at the same time. */
	violation(text: string): void;
}

interface Machine {
	/** What runs on it; lives as long as it has power. */
	runtime: SimulatedState;
	/** Undefined while its agent is down. */
	agent: { fleet: Fleet; mirror: Mirror; client: Client } | undefined;
	transport: FaultyTransport | undefined;
	/** Something is being done to it. */
	busy: boolean;
}

export class Machines {
	readonly #options: MachinesOptions;
	readonly #machines = new Map<number, Machine>();

	constructor(options: MachinesOptions) {
		this.#options = options;
	}

	/** Does something to a machine that nothing else is done to at the moment, else nothing. */
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
		const transport = faultyTransport(connect(`kubelet-${number}`), { clock, random, faults });
		const client = createClient(transport, { userAgent: "kubelet" });
		const mirror = createMirror(client, { clock });
		const fleet = startSimulatedFleet({
			client,
			mirror,
			clock,
			events: false,
			runtime: () => this.#watched(machine.runtime),
			network: ({ podCidr = "", addresses }) => createSimulatedNetwork({ nodeAddress: addresses[0] ?? "", podCidr }),
		});
		machine.transport = transport;
		machine.agent = { fleet, mirror, client };
		await fleet.add({
			name,
			addresses: [`10.0.0.${number}`],
			podCidr: `10.244.${number}.0/24`,
			labels: {},
			machineId: `machine-${number}`,
			bootId: `boot-${number}`,
			kernelVersion: "6.0",
			osImage: "simulated",
			architecture: "amd64",
		});
	}

	/** What runs goes on running. */
	async stopAgent(number: number): Promise<void> {
		const machine = this.#of(number);
		const { agent } = machine;
		machine.agent = undefined;
		await agent?.fleet.stop();
		agent?.mirror.close();
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

	#watched(state: SimulatedState): Runtime {
		const { clock, random } = this.#options;
		const runtime = createSimulatedRuntime({ clock, state });
		return {
			...runtime,
			// Some programs take the time they are given to end in.
			stopContainer: async (id, graceMs) => {
				if (random() < 0.5) await clock.sleep(random() * graceMs);
				if (state.containers.has(id)) await runtime.stopContainer(id, graceMs);
			},
			startContainer: async (id) => {
				await runtime.startContainer(id);
				const started = state.containers.get(id)?.container;
				if (started?.state === "running") this.#checkIdentity(started);
			},
		};
	}

	/** Never two live pods of one identity, wherever they run. */
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
