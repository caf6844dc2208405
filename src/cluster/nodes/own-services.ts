/** Services without pods, for the API server's proxy: every node serves their addresses itself. */
import { createServer } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { duplexPair } from "../../api/sockets/duplex-pair.ts";
import { stateMetricsListener } from "../../proxy/state-metrics-server.ts";
import {
	apiServerAddress,
	type ClusterNetwork,
	stateMetricsAddress,
	stateMetricsPort,
} from "../settings/cluster-network.ts";

export interface OwnServicesOptions {
	network: ClusterNetwork;
	/** Unix sockets on which the API server speaks HTTP and TLS. */
	apiSocket: string;
	apiTlsSocket: string;
	/** Of kube-state-metrics' service account. */
	token: string;
}

/** @returns a function that connects to an endpoint; its result is undefined for other addresses */
export function ownServices(options: OwnServicesOptions): (address: string, port: number) => Duplex | undefined {
	const { network, apiSocket, apiTlsSocket, token } = options;
	const stateMetrics = createServer(stateMetricsListener({ socketPath: apiSocket, token }));
	const ways = new Map<string, () => Duplex>([
		[`${apiServerAddress(network)}:443`, () => connect({ path: apiTlsSocket })],
		[
			`${stateMetricsAddress(network)}:${stateMetricsPort}`,
			() => {
				const [client, served] = duplexPair();
				stateMetrics.emit("connection", served);
				return client;
			},
		],
	]);
	return (address, port) => ways.get(`${address}:${port}`)?.();
}
