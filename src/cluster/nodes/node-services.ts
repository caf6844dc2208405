import type { InformerCache } from "../../client/informer-cache.ts";
import type { Clock } from "../../core/time/clock.ts";
import { namespaces } from "../../kinds/core/namespace.ts";
import type { NodeNetwork } from "../../network/network.ts";
import { startApiProxy } from "../../proxy/api-proxy.ts";
import { relayForwarder } from "../../proxy/dns-relay.ts";
import { startDnsServer } from "../../proxy/dns-server.ts";
import { cachedDnsView } from "../../proxy/dns-view.ts";
import { serveProxyHealth } from "../../proxy/proxy-health.ts";
import { startServiceProxy } from "../../proxy/service-proxy.ts";
import { startStateMetrics } from "../../proxy/state-metrics-server.ts";
import { apiServerAddress, dnsAddress, stateMetricsAddress, stateMetricsPort } from "../settings/cluster-network.ts";
import type { AgentConfig } from "./agent-protocol.ts";

interface NodeServicesOptions {
	/** For the service proxy; the DNS server shares its services and endpoints. */
	proxy: InformerCache;
	/** For the DNS server only. */
	dns: InformerCache;
	network: NodeNetwork;
	clock: Clock;
	config: AgentConfig;
	/** Of kube-state-metrics' service account. */
	stateMetricsToken: string;
}

/**
 * DNS, service addresses, routes, the API's own address and that of kube-state-metrics, which every node serves itself.
 * Resolves when they are served.
 */
export async function startNodeServices(options: NodeServicesOptions): Promise<{ close(): Promise<void> }> {
	const { proxy: informers, dns: dnsInformers, network, clock, config } = options;
	const [dns, api, stateMetrics, proxy, health] = await Promise.all([
		startDnsServer({
			view: cachedDnsView(informers, dnsInformers.of(namespaces)),
			clock,
			domain: "cluster.local",
			addresses: [dnsAddress(config)],
			port: 53,
			forwarder: relayForwarder({ socketPath: config.dnsSocket, clock }),
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
