/**
 * From Services and their EndpointSlices to the configuration of a node's network (API page "Virtual IPs and Service
 * Proxies"). Pure.
 */
import type { Endpoint, EndpointSlice, ServicePort as PortSpec, Service } from "../kinds/generated/types.ts";
import type { ServicePort } from "../network/network.ts";

const defaultAffinitySeconds = 10_800;
/** Services with this label belong to another proxy. */
const otherProxyLabel = "service.kubernetes.io/service-proxy-name";
/** Proxies ignore slices with this label. */
const headlessLabel = "service.kubernetes.io/headless";

interface Backend {
	address: string;
	port: number;
	local: boolean;
	/** Otherwise it is terminating but still serving. */
	ready: boolean;
	/** The zones or nodes that prefer it; empty: none in particular. */
	forNodes: readonly string[];
	forZones: readonly string[];
}

/** The source of traffic. */
export interface Place {
	nodeName: string;
	zone?: string | undefined;
}

/**
 * The ports of one service for a node's network; none for services without an address. A port that leads back to the
 * service's own address is left out: a server on the node listens there itself.
 */
export function servicePorts(service: Service, slices: Iterable<EndpointSlice>, place: Place): ServicePort[] {
	const { metadata, spec } = service;
	if (spec === undefined || spec.type === "ExternalName") return [];
	if (metadata.labels?.[otherProxyLabel] !== undefined) return [];
	const clusterIps = (spec.clusterIPs ?? [spec.clusterIP ?? ""]).filter(
		(ip) => ip !== "" && ip !== "None" && !ip.includes(":"),
	);
	if (clusterIps.length === 0) return [];
	const all = [...slices].filter(
		({ addressType, metadata: { labels } }) => addressType === "IPv4" && labels?.[headlessLabel] === undefined,
	);
	const external = [...(spec.externalIPs ?? []), ...loadBalancerAddresses(service)].filter((ip) => !ip.includes(":"));
	return (spec.ports ?? []).flatMap((port) => {
		const backends = backendsOf(all, port, place.nodeName);
		if (backends.some(({ address }) => clusterIps.includes(address))) return [];
		const name = `${metadata.namespace}/${metadata.name}${port.name === undefined || port.name === "" ? "" : `:${port.name}`}`;
		return portRules(service, port, name, clusterIps, external, backends, place);
	});
}

function portRules(
	{ spec }: Service,
	port: PortSpec,
	name: string,
	clusterIps: readonly string[],
	external: readonly string[],
	backends: readonly Backend[],
	place: Place,
): ServicePort[] {
	const everywhere = chosen(near(backends, place));
	const here = chosen(backends.filter(({ local }) => local));
	// Validation rejects any other protocol.
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

/**
 * Those for this node or otherwise its zone, if every ready endpoint has hints and one is for this place (KEP-3015).
 */
function near(backends: readonly Backend[], { nodeName, zone = "" }: Place): readonly Backend[] {
	const ready = backends.filter((backend) => backend.ready);
	for (const [field, name] of [
		["forNodes", nodeName],
		["forZones", zone],
	] as const) {
		if (!ready.every((backend) => backend[field].length > 0)) continue;
		const meant = ready.filter((backend) => backend[field].includes(name));
		if (meant.length > 0) return meant;
	}
	return backends;
}

/** Ready endpoints; if there are none, those that are terminating but still serving (KEP-1669). */
function chosen(backends: readonly Backend[]): { address: string; port: number }[] {
	const ready = backends.filter((backend) => backend.ready);
	return (ready.length > 0 ? ready : backends).map(({ address, port }) => ({ address, port }));
}

/** Endpoints that are ready or still serving, by address. */
function backendsOf(slices: readonly EndpointSlice[], port: PortSpec, nodeName: string): Backend[] {
	const backends = new Map<string, Backend>();
	for (const slice of slices) {
		const target = slice.ports?.find(
			({ name, protocol }) => (name ?? "") === (port.name ?? "") && (protocol ?? "TCP") === (port.protocol ?? "TCP"),
		);
		if (target?.port === undefined) continue;
		for (const endpoint of slice.endpoints ?? []) {
			const ready = isReady(endpoint);
			const [address] = endpoint.addresses;
			const key = `${address}:${target.port}`;
			if (address === undefined || !(ready || isServing(endpoint)) || backends.get(key)?.ready) continue;
			const { forNodes = [], forZones = [] } = endpoint.hints ?? {};
			backends.set(key, {
				address,
				port: target.port,
				local: endpoint.nodeName === nodeName,
				ready,
				forNodes: forNodes.map(({ name }) => name),
				forZones: forZones.map(({ name }) => name),
			});
		}
	}
	// In a fixed order: equal states give equal rules.
	return [...backends].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, backend]) => backend);
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
