import { formatIPv4, parseCidr } from "../../core/addresses.ts";

/** The address ranges of a cluster, determined when it is created and passed to every component that needs them. */
export interface ClusterNetwork {
	/** Of all pods. */
	clusterCidr: string;
	/** Of all services. */
	serviceCidr: string;
}

const serviceCidr = "10.96.0.0/16";
export const defaultNetwork: ClusterNetwork = { clusterCidr: "10.244.0.0/16", serviceCidr };
/** For clusters of simulated nodes, of which there may be thousands. */
export const simulatedNetwork: ClusterNetwork = { clusterCidr: "10.128.0.0/9", serviceCidr };

type Services = Pick<ClusterNetwork, "serviceCidr">;

/** The first address of the service range, as upstream. */
export function apiServerAddress(network: Services): string {
	return serviceAddress(network, 1);
}

/** The tenth, as upstream. */
export function dnsAddress(network: Services): string {
	return serviceAddress(network, 10);
}

export function stateMetricsAddress(network: Services): string {
	return serviceAddress(network, 11);
}

export const stateMetricsPort = 8080;

/** Those that every node serves itself. */
export function addressesOfNodes(network: Services): string[] {
	return [apiServerAddress, dnsAddress, stateMetricsAddress].map((addressIn) => addressIn(network));
}

/** @throws Error if the range is not IPv4 */
function serviceAddress({ serviceCidr }: Services, index: number): string {
	const cidr = parseCidr(serviceCidr);
	if (cidr === undefined) throw new Error(`not an IPv4 CIDR: ${serviceCidr}`);
	return formatIPv4(cidr.base + index);
}
