import { readFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import type { InformerCache } from "../../client/informer-cache.ts";
import type { Clock } from "../../core/clock.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import type { NodeNetwork } from "../../network/network.ts";
import { startApiProxy } from "../../proxy/api-proxy.ts";
import { startDnsServer } from "../../proxy/dns-server.ts";
import { cachedDnsView } from "../../proxy/dns-view.ts";
import { serveProxyHealth } from "../../proxy/proxy-health.ts";
import { startServiceProxy } from "../../proxy/service-proxy.ts";
import { startStateMetrics } from "../../proxy/state-metrics-server.ts";
import { apiServerAddress, dnsAddress, stateMetricsAddress, stateMetricsPort } from "../settings/cluster-network.ts";
import type { AgentConfig } from "./agent-protocol.ts";

interface NodeServicesOptions {
	/** What the service proxy may read; the DNS server shares its services and endpoints, which are the same. */
	proxy: InformerCache;
	/** What only the DNS server may read. */
	dns: InformerCache;
	network: NodeNetwork;
	clock: Clock;
	config: AgentConfig;
	/** Of kube-state-metrics' service account. */
	stateMetricsToken: string;
}

/**
 * DNS, service addresses, routes, the API's own address and kube-state-metrics', as every node answers them itself.
 * Resolves when they answer.
 */
export async function startNodeServices(options: NodeServicesOptions): Promise<{ close(): Promise<void> }> {
	const { proxy: informers, dns: dnsInformers, network, clock, config } = options;
	const clusterDns = dnsAddress(config);
	const [dns, api, stateMetrics, proxy, health] = await Promise.all([
		startDnsServer({
			view: cachedDnsView(informers, dnsInformers.of(namespaces)),
			clock,
			domain: "cluster.local",
			addresses: [clusterDns],
			port: 53,
			resolvers: machineResolvers()
				.filter((address) => address !== clusterDns)
				.map((address) => ({ address })),
		}),
		startApiProxy({
			address: apiServerAddress(config),
			port: 443,
			socketPath: config.apiTlsSocket,
		}),
		startStateMetrics({
			address: stateMetricsAddress(config),
			port: stateMetricsPort,
			socketPath: config.apiSocket,
			token: options.stateMetricsToken,
		}),
		startServiceProxy({ informers, network, clock, nodeName: config.node }),
		serveProxyHealth({ clock }),
	]);
	return {
		async close() {
			proxy.stop();
			await Promise.all([dns.close(), api.close(), stateMetrics.close(), health.close()]);
		},
	};
}

/** Name servers of the machine, for names outside the cluster. */
function machineResolvers(): string[] {
	try {
		const text = readFileSync("/etc/resolv.conf", "utf8");
		return [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? "").filter(isIPv4);
	} catch {
		return [];
	}
}
