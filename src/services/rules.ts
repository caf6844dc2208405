/** From Services and their EndpointSlices to what a node's network has to do (API page "Virtual IPs and Service Proxies"). Pure. */
import type { Endpoint, EndpointSlice, ServicePort as PortSpec, Service } from "../kinds/generated/types.ts";
import type { ServicePort } from "../network/network.ts";

const defaultAffinitySeconds = 10_800;

interface Backend {
	address: string;
	port: number;
	local: boolean;
}

/**
 * The ports of one service as `nodeName` has to treat them; none for services without an address. A port that leads
 * back to the service's own address is left out: something on the node answers there itself.
 */
export function servicePorts(service: Service, slices: Iterable<EndpointSlice>, nodeName: string): ServicePort[] {
	const { metadata, spec } = service;
	if (spec === undefined || spec.type === "ExternalName") return [];
	const clusterIps = (spec.clusterIPs ?? [spec.clusterIP ?? ""]).filter(
		(ip) => ip !== "" && ip !== "None" && !ip.includes(":"),
	);
	if (clusterIps.length === 0) return [];
	const all = [...slices].filter(({ addressType }) => addressType === "IPv4");
	const external = [...(spec.externalIPs ?? []), ...loadBalancerAddresses(service)].filter((ip) => !ip.includes(":"));
	return (spec.ports ?? []).flatMap((port) => {
		const backends = backendsOf(all, port, nodeName);
		if (backends.some(({ address }) => clusterIps.includes(address))) return [];
		const name = `${metadata.namespace}/${metadata.name}${port.name === undefined || port.name === "" ? "" : `:${port.name}`}`;
		return portRules(service, port, name, clusterIps, external, backends);
	});
}

function portRules(
	{ spec }: Service,
	port: PortSpec,
	name: string,
	clusterIps: readonly string[],
	external: readonly string[],
	backends: readonly Backend[],
): ServicePort[] {
	const everywhere = backends.map(plain);
	const here = backends.filter(({ local }) => local).map(plain);
	// Anything but the three that there are was refused by validation.
	const protocol = (port.protocol ?? "TCP") as ServicePort["protocol"];
	const affinity =
		spec?.sessionAffinity === "ClientIP"
			? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? defaultAffinitySeconds)
			: undefined;
	const base = { protocol, port: port.port, ...(affinity === undefined ? {} : { affinitySeconds: affinity }) };
	const nodePort = port.nodePort === undefined || port.nodePort === 0 ? {} : { nodePort: port.nodePort };
	const outside = spec?.externalTrafficPolicy === "Local" ? { localEndpoints: here } : {};
	if (spec?.internalTrafficPolicy !== "Local") {
		return [{ ...base, ...nodePort, ...outside, name, addresses: [...clusterIps, ...external], endpoints: everywhere }];
	}
	const inside: ServicePort = { ...base, name, addresses: clusterIps, endpoints: here };
	if (external.length === 0 && port.nodePort === undefined) return [inside];
	return [
		inside,
		{ ...base, ...nodePort, ...outside, name: `${name}/external`, addresses: external, endpoints: everywhere },
	];
}

function plain({ address, port }: Backend): { address: string; port: number } {
	return { address, port };
}

/** Ready endpoints; where there are none, those that still serve while they end (KEP-1669). */
function backendsOf(slices: readonly EndpointSlice[], port: PortSpec, nodeName: string): Backend[] {
	const ready = new Map<string, Backend>();
	const ending = new Map<string, Backend>();
	for (const slice of slices) {
		const target = slice.ports?.find(
			({ name, protocol }) => (name ?? "") === (port.name ?? "") && (protocol ?? "TCP") === (port.protocol ?? "TCP"),
		);
		if (target?.port === undefined) continue;
		for (const endpoint of slice.endpoints ?? []) {
			const into = isReady(endpoint) ? ready : isServing(endpoint) ? ending : undefined;
			const [address] = endpoint.addresses;
			if (into === undefined || address === undefined) continue;
			into.set(`${address}:${target.port}`, { address, port: target.port, local: endpoint.nodeName === nodeName });
		}
	}
	const chosen = ready.size > 0 ? ready : ending;
	// Always in one order: equal states give equal rules.
	return [...chosen].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, backend]) => backend);
}

function isReady({ conditions }: Endpoint): boolean {
	return conditions?.ready !== false;
}

function isServing({ conditions }: Endpoint): boolean {
	return conditions?.serving === true && conditions.terminating === true;
}

function loadBalancerAddresses({ status }: Service): string[] {
	return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
		ip === undefined || ipMode === "Proxy" ? [] : [ip],
	);
}
