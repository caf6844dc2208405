/** A whole cluster in one process, on a virtual clock, where everything between its parts may fail. */
import { type Api, createApi } from "../../src/api/handle.ts";
import { type Client, createClient } from "../../src/client/client.ts";
import { createMirror, type Mirror } from "../../src/client/mirror.ts";
import { createEventRecorder } from "../../src/client/recorder.ts";
import { memoryTransport } from "../../src/client/transport-memory.ts";
import type { Controller } from "../../src/controllers/controller.ts";
import { type Shell, startShell } from "../../src/controllers/shell.ts";
import { type Random, seededRandom } from "../../src/core/clock.ts";
import type { VirtualClock } from "../../src/core/virtual-clock.ts";
import { catalog } from "../../src/kinds/catalog.ts";
import { createRegistry, type Registry } from "../../src/kinds/registry.ts";
import { createSimulatedNetwork } from "../../src/network/simulated.ts";
import { type Fleet, startSimulatedFleet } from "../../src/node/simulated-fleet.ts";
import { createSimulatedRuntime } from "../../src/runtime/simulated.ts";
import { type Scheduler, startScheduler } from "../../src/scheduler/shell.ts";
import { createFaultyStore, type Faults } from "../../src/store/faulty.ts";
import { createMemoryStore } from "../../src/store/memory.ts";
import type { Store } from "../../src/store/store.ts";
import { type ConnectionFaults, faultyTransport } from "./faulty-transport.ts";
import { patientTransport } from "./patient-transport.ts";

export interface SimulatedCluster {
	readonly clock: VirtualClock;
	/** The store itself, behind all faults. */
	readonly store: Store;
	/** What was noticed of parts that do not behave. */
	readonly complaints: ReadonlySet<string>;
	readonly storeFaults: Faults;
	readonly connectionFaults: ConnectionFaults;
	/** Chance for faults and users, apart from the clock's own. */
	readonly random: Random;
	/** A client whose connection never fails. */
	readonly user: Client;
	readonly fleet: Fleet;
	readonly shells: Shell[];
	/** Stops one controller, wherever it is, and starts it again. */
	restart(index: number): Promise<void>;
	addNode(number: number): Promise<void>;
	removeNode(number: number): Promise<void>;
	stop(): Promise<void>;
}

export async function startCluster(options: {
	clock: VirtualClock;
	seed: number;
	/** Nodes have bad connections too. */
	unsteadyNodes: boolean;
	controllers(registry: Registry): Controller<unknown>[];
	onError?(what: string, error: unknown): void;
}): Promise<SimulatedCluster> {
	const { clock } = options;
	const random = seededRandom(options.seed ^ 0x5eed);
	const storeFaults: Faults = {};
	const connectionFaults: ConnectionFaults = { unreachable: 0, lostAnswer: 0, late: 0, lateMs: 0, brokenWatch: 0 };
	const complaints = new Set<string>();
	const store = createMemoryStore();
	const api: Api = await createApi({
		store: createFaultyStore(store, { faults: storeFaults, clock, random }),
		clock,
		registry: createRegistry(catalog),
	});
	const connect = (name: string) => {
		const transport = memoryTransport(api.handle, { name, groups: ["system:masters", "system:authenticated"] });
		return patientTransport(transport, clock, (text) => complaints.add(text));
	};
	const steady = (name: string) => createClient(connect(name), { userAgent: name });
	const unsteady = (name: string) =>
		createClient(faultyTransport(connect(name), { clock, random, faults: connectionFaults }), { userAgent: name });
	// Controllers, scheduler and nodes each see the world in their own time.
	const mirrors: Mirror[] = [];
	const mirror = (name: string, client = unsteady): Mirror => {
		const made = createMirror(client(name), { clock });
		mirrors.push(made);
		return made;
	};
	const controllerMirror = mirror("controllers");
	const recorder = createEventRecorder(steady("events"), { clock });
	const start = (controller: Controller<unknown>): Shell =>
		startShell(controller, {
			client: unsteady(controller.component),
			mirror: controllerMirror,
			clock,
			recorder,
			onError: (error, name, key) => options.onError?.(`${name} ${key}`, error),
		});
	const controllers = options.controllers(api.registry);
	const shells = controllers.map(start);
	const scheduler: Scheduler = startScheduler({
		client: unsteady("kube-scheduler"),
		mirror: mirror("scheduler"),
		clock,
		recordEvent: (regarding, event) => recorder.record({ regarding, ...event, component: "default-scheduler" }),
	});
	const fleet = startSimulatedFleet({
		client: options.unsteadyNodes ? unsteady("kubelet") : steady("kubelet"),
		mirror: options.unsteadyNodes ? mirror("nodes") : mirror("nodes", steady),
		clock,
		runtime: () => createSimulatedRuntime({ clock }),
		network: ({ podCidr = "10.244.0.0/24", addresses }) =>
			createSimulatedNetwork({ nodeAddress: addresses[0] ?? "", podCidr }),
	});
	const restarting = new Set<number>();
	return {
		clock,
		store,
		storeFaults,
		connectionFaults,
		complaints,
		random,
		user: steady("user"),
		fleet,
		shells,
		async restart(index) {
			const controller = controllers[index];
			if (controller === undefined || restarting.has(index)) return;
			restarting.add(index);
			await shells[index]?.stop();
			shells[index] = start(controller);
			restarting.delete(index);
		},
		async addNode(number) {
			await fleet.add({
				name: `node-${number}`,
				addresses: [`10.0.0.${number}`],
				podCidr: `10.244.${number}.0/24`,
				labels: {},
				machineId: `machine-${number}`,
				bootId: `boot-${number}`,
				kernelVersion: "6.0",
				osImage: "simulated",
				architecture: "amd64",
			});
		},
		removeNode: (number) => fleet.remove(`node-${number}`),
		async stop() {
			await Promise.all([scheduler.stop(), fleet.stop(), ...shells.map((shell) => shell.stop())]);
			await recorder.flush();
			for (const made of mirrors) made.close();
			await api.close();
			await store.close();
		},
	};
}
