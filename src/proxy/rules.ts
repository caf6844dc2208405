/**
 * From Services and their EndpointSlices to what a node's network has to do (API page "Virtual IPs and Service
 * Proxies"). Pure.
 */
import type { Endpoint, EndpointSlice, ServicePort as PortSpec, Service } from "../kinds/generated/types.ts";
import type { ServicePort } from "../network/network.ts";

const defaultAffinitySeconds = 10_800;
/** What carries it is seen to by another proxy. */
const otherProxyLabel = "service.kubernetes.io/service-proxy-name";
/** Slices that carry it are no concern of a proxy. */
const headlessLabel = "service.kubernetes.io/headless";

interface Backend {
	address: string;
	port: number;
	local: boolean;
	/** Otherwise it still serves while it ends. */
	ready: boolean;
	/** The zones or nodes that prefer it; empty: none in particular. */
	forNodes: readonly string[];
	forZones: readonly string[];
}

/** Where traffic comes from. */
export interface Place {
	nodeName: string;
	zone?: string | undefined;
}

/**
 * The ports of one service as a node has to treat them; none for services without an address. A port that leads
 * back to the service's own address is left out: something on the node answers there itself.
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

/** Those for this node or else its zone, where every ready one is for someone and one is for here (KEP-3015). */
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

/** Ready ones; where there are none, those that still serve while they end (KEP-1669). */
function chosen(backends: readonly Backend[]): { address: string; port: number }[] {
	const ready = backends.filter((backend) => backend.ready);
	return (ready.length > 0 ? ready : backends).map(({ address, port }) => ({ address, port }));
}

/** Endpoints that are ready or still serve, by address. */
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
	// Always in one order: equal states give equal rules.
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
