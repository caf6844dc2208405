import { duplexPair } from "../../api/sockets/duplex-pair.ts";
import type { Clock } from "../../core/time/clock.ts";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { createSimulatedNetwork, type SimulatedNetwork } from "../../network/simulated.ts";
import { startSimulatedFleet, plenty as usual } from "../../node/simulated-fleet.ts";
import { createSimulatedRuntime } from "../../runtime/simulated/runtime.ts";
import { resumeState, type SimulatedState, saveState, simulatedState } from "../../runtime/simulated/state.ts";
import type { ControlPlane } from "../control-plane/control-plane.ts";
import { nodeUser, simulatedNodes } from "../control-plane/identities.ts";
import type { NodePool, PoolNode, SavedNodes } from "./node-pool.ts";

/** A day: weeks of virtual time would otherwise be spent on heartbeats. */
const virtualLeaseMs = 86_400_000;

export interface SimulatedNodesOptions {
	controlPlane: ControlPlane;
	clock: Clock;
	/** False: pods' Events are not written. */
	events?: boolean;
	/** What nodes of these names go on with. Default: nothing runs on a new node. */
	saved?: SavedNodes | undefined;
}

/** Nodes in this process whose pods behave according to their annotations. */
export function createSimulatedNodes({ controlPlane, clock, events, saved }: SimulatedNodesOptions): NodePool {
	const specs = new Map<string, PoolNode>();
	const states = new Map<string, SimulatedState>();
	const networks = new Map<string, SimulatedNetwork>();
	/** Only for the first node of a name: a removed one leaves nothing. */
	const resumable = new Map(saved);
	const { keptLogs } = controlPlane;
	const fleet = startSimulatedFleet({
		client: (name) => controlPlane.client(nodeUser(name)).as("kubelet"),
		reader: controlPlane.client(simulatedNodes),
		informers: controlPlane.informers,
		clock,
		events,
		keepLogs: keptLogs && ((logs) => keptLogs.receive(logs, undefined)),
		...(clock instanceof VirtualClock ? { leaseMs: virtualLeaseMs } : {}),
		runtime(name) {
			const before = resumable.get(name);
			const state = before === undefined ? simulatedState() : resumeState(before.containers, clock);
			states.set(name, state);
			return createSimulatedRuntime({ clock, state });
		},
		network({ name }) {
			const { address = "", podCidr = "" } = specs.get(name) ?? {};
			const attached = resumable.get(name)?.network;
			const network = createSimulatedNetwork({ nodeAddress: address, podCidr, ...(attached && { attached }) });
			networks.set(name, network);
			return network;
		},
	});
	return {
		async add(node) {
			specs.set(node.name, node);
			const { name, labels, podCidr, taints, capacity } = node;
			await fleet.add({
				name,
				labels,
				podCidr,
				addresses: [node.address],
				...(taints === undefined ? {} : { taints }),
				...(capacity === undefined
					? {}
					: { capacity: { ...usual, ...capacity }, allocatable: { ...usual, ...capacity } }),
			});
		},
		async remove(name) {
			await fleet.remove(name);
			for (const known of [specs, states, networks, resumable]) known.delete(name);
		},
		async dial(name) {
			const agent = fleet.get(name);
			if (agent === undefined) throw new Error(`there is no simulated node ${name}`);
			const [near, far] = duplexPair();
			agent.connection(far);
			return near;
		},
		save: () =>
			new Map(
				[...states].map(([name, state]) => [
					name,
					{ containers: saveState(state, clock.now()), network: networks.get(name)?.pods() ?? new Map() },
				]),
			),
		agentPid: () => undefined,
		limitations: () => [],
		stop: () => fleet.stop(),
	};
}
