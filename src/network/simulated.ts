/**
 * Addresses without a network: pods of a simulated node get unique ones from its pod CIDR, but nothing is connected.
 */
import { AddressPool, formatIPv4, parseCidr } from "../core/addresses.ts";
import type { NodeNetwork, PodNetwork, ServicePort } from "./network.ts";

export interface SimulatedNetwork extends NodeNetwork {
	/** The last values set, for tests. */
	readonly routes: readonly { podCidr: string; via: string }[];
	readonly services: readonly ServicePort[];
}

export function createSimulatedNetwork(options: { nodeAddress: string; podCidr: string }): SimulatedNetwork {
	const cidr = parseCidr(options.podCidr);
	if (cidr === undefined) throw new Error(`not an IPv4 CIDR: ${options.podCidr}`);
	const pool = new AddressPool(cidr, { skipFirst: 2, skipLast: 1 });
	const pods = new Map<string, { address: number; network: PodNetwork }>();
	let routes: SimulatedNetwork["routes"] = [];
	let services: readonly ServicePort[] = [];
	return {
		nodeAddress: options.nodeAddress,
		get routes() {
			return routes;
		},
		get services() {
			return services;
		},
		async attachPod({ uid }) {
			const before = pods.get(uid);
			if (before !== undefined) return before.network;
			const address = pool.allocate();
			if (address === undefined) throw new Error(`no free pod address left in ${options.podCidr}`);
			const network = { addresses: [formatIPv4(address)] };
			pods.set(uid, { address, network });
			return network;
		},
		async detachPod(uid) {
			const pod = pods.get(uid);
			if (pod !== undefined) pool.release(pod.address);
			pods.delete(uid);
		},
		attached: async () => new Map([...pods].map(([uid, pod]) => [uid, pod.network])),
		async setRoutes(next) {
			routes = next;
		},
		async setServices(next) {
			services = next;
		},
		async close() {},
	};
}
