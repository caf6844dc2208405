/**
 * Addresses without a network: pods of a simulated node get unique ones from its pod CIDR, but nothing is connected.
 */
import { AddressPool, formatIPv4, parseCidr, parseIPv4 } from "../core/addresses.ts";
import type { NodeNetwork, PodNetwork, ServicePort } from "./network.ts";

export interface SimulatedNetwork extends NodeNetwork {
	/** The last values set, for tests. */
	readonly routes: readonly { podCidr: string; via: string }[];
	readonly services: readonly ServicePort[];
	/** Attached pods by UID. */
	pods(): ReadonlyMap<string, PodNetwork>;
}

/** @param options.attached pods that have an address already, by UID */
export function createSimulatedNetwork(options: {
	nodeAddress: string;
	podCidr: string;
	attached?: ReadonlyMap<string, PodNetwork>;
}): SimulatedNetwork {
	const cidr = parseCidr(options.podCidr);
	if (cidr === undefined) throw new Error(`not an IPv4 CIDR: ${options.podCidr}`);
	const pool = new AddressPool(cidr, { skipFirst: 2, skipLast: 1 });
	const pods = new Map<string, { address: number; network: PodNetwork }>();
	for (const [uid, network] of options.attached ?? []) {
		const address = parseIPv4(network.addresses[0] ?? "");
		if (address !== undefined && pool.take(address)) pods.set(uid, { address, network });
	}
	let routes: SimulatedNetwork["routes"] = [];
	let services: readonly ServicePort[] = [];
	const attached = () => new Map([...pods].map(([uid, pod]) => [uid, pod.network]));
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
		pods: attached,
		attached: async () => attached(),
		async setRoutes(next) {
			routes = next;
		},
		async setServices(next) {
			services = next;
		},
		async close() {},
	};
}
