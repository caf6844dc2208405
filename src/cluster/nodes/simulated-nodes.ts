import { duplexPair } from "../../api/sockets/duplex-pair.ts";
import type { Clock } from "../../core/time/clock.ts";
import { VirtualClock } from "../../core/time/virtual-clock.ts";
import { createSimulatedNetwork } from "../../network/simulated.ts";
import { startSimulatedFleet, plenty as usual } from "../../node/simulated-fleet.ts";
import { createSimulatedRuntime } from "../../runtime/simulated/runtime.ts";
import type { ControlPlane } from "../control-plane/control-plane.ts";
import { nodeUser, simulatedNodes } from "../control-plane/identities.ts";
import type { NodePool, PoolNode } from "./node-pool.ts";

/** A day: weeks of virtual time would otherwise be spent on heartbeats. */
const virtualLeaseMs = 86_400_000;

export interface SimulatedNodesOptions {
	controlPlane: ControlPlane;
	clock: Clock;
	/** False: pods' Events are not written. */
	events?: boolean;
}

/** Nodes in this process whose pods behave according to their annotations. */
export function createSimulatedNodes({ controlPlane, clock, events }: SimulatedNodesOptions): NodePool {
	const specs = new Map<string, PoolNode>();
	const { keptLogs } = controlPlane;
	const fleet = startSimulatedFleet({
		client: (name) => controlPlane.client(nodeUser(name)).as("kubelet"),
		reader: controlPlane.client(simulatedNodes),
		informers: controlPlane.informers,
		clock,
		events,
		keepLogs: keptLogs && ((logs) => keptLogs.receive(logs, undefined)),
		...(clock instanceof VirtualClock ? { leaseMs: virtualLeaseMs } : {}),
		runtime: () => createSimulatedRuntime({ clock }),
		network: ({ name }) => {
			const { address = "", podCidr = "" } = specs.get(name) ?? {};
			return createSimulatedNetwork({ nodeAddress: address, podCidr });
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
			specs.delete(name);
		},
		async dial(name) {
			const agent = fleet.get(name);
			if (agent === undefined) throw new Error(`there is no simulated node ${name}`);
			const [near, far] = duplexPair();
			agent.connection(far);
			return near;
		},
		agentPid: () => undefined,
		limitations: () => [],
		stop: () => fleet.stop(),
	};
}
