import { apiServerAddress, type ClusterNetwork } from "../settings/cluster-network.ts";

/** Where clients on this machine reach the API server. */
export const host = "127.0.0.1";

/** `https://127.0.0.1:6443` */
export function apiAddress(port: number): string {
	return `https://${host}:${port}`;
}

/** Names and addresses that the API server's certificate is good for. */
export function serverNames(network: ClusterNetwork): { dnsNames: string[]; addresses: string[] } {
	return {
		dnsNames: [
			"localhost",
			"kubernetes",
			"kubernetes.default",
			"kubernetes.default.svc",
			"kubernetes.default.svc.cluster.local",
		],
		addresses: [host, apiServerAddress(network)],
	};
}
