import { formatIPv4, parseCidr } from "../../core/addresses.ts";

/** The address number `index` of the service range: 1 is the API server's, 10 the DNS server's, as upstream has it. */
export function serviceAddress(serviceCidr: string, index: number): string {
	const cidr = parseCidr(serviceCidr);
	if (cidr === undefined) throw new Error(`not an IPv4 CIDR: ${serviceCidr}`);
	return formatIPv4(cidr.base + index);
}

/** Numbers, in the service range, of the API server's and the DNS server's addresses. */
export const apiServerIndex = 1;
export const dnsIndex = 10;

/** Where kube-state-metrics is, by the number of its address in the service range. */
export const stateMetricsAt = { index: 11, port: 8080 } as const;

/** Numbers of the addresses that every node answers itself. */
export const addressesOfNodes: readonly number[] = [apiServerIndex, dnsIndex, stateMetricsAt.index];
