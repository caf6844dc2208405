/**
 * Services without pods: the API server's, the DNS server's, and that of kube-state-metrics. Each node serves their
 * addresses itself.
 */
import type { Draft } from "../../core/object.ts";
import type { EndpointSlice, Endpoints, Service, ServicePort } from "../../kinds/generated/types.ts";
import { endpoints } from "../../kinds/networking/endpoints.ts";
import { endpointSlices } from "../../kinds/networking/endpointslice.ts";
import { services } from "../../kinds/networking/service.ts";
import {
	apiServerAddress,
	type ClusterNetwork,
	dnsAddress,
	stateMetricsAddress,
	stateMetricsPort,
} from "../settings/cluster-network.ts";
import { type BuiltIn, builtIn } from "./built-in.ts";

type Network = Pick<ClusterNetwork, "serviceCidr">;

interface Ref {
	namespace: string;
	name: string;
}

export function apiServerService(network: Network): BuiltIn[] {
	const ref = { namespace: "default", name: "kubernetes" };
	const labels = { component: "apiserver", provider: "kubernetes" };
	const ports = [{ name: "https", port: 443, protocol: "TCP", targetPort: 443 }];
	return answeredByNodes(ref, labels, apiServerAddress(network), ports);
}

/** Manifests and programs use this name, whichever server provides DNS. */
export function dnsService(network: Network): BuiltIn[] {
	const ref = { namespace: "kube-system", name: "kube-dns" };
	const labels = {
		"k8s-app": "kube-dns",
		"kubernetes.io/cluster-service": "true",
		"kubernetes.io/name": "CoreDNS",
	};
	const ports = [
		{ name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
		{ name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
	];
	return answeredByNodes(ref, labels, dnsAddress(network), ports);
}

/** Published scrape configurations find it by these labels, and by the port's name. */
export function stateMetricsService(network: Network): BuiltIn[] {
	const ref = { namespace: "kube-system", name: "kube-state-metrics" };
	const labels = { "app.kubernetes.io/name": "kube-state-metrics", "app.kubernetes.io/component": "exporter" };
	const port = stateMetricsPort;
	const ports = [{ name: "http-metrics", port, protocol: "TCP", targetPort: port }];
	return answeredByNodes(ref, labels, stateMetricsAddress(network), ports);
}

/** The address is also its endpoint: a node's service rules leave out what leads back to the service itself. */
function answeredByNodes(
	ref: Ref,
	labels: Record<string, string>,
	address: string,
	ports: readonly Required<Pick<ServicePort, "name" | "port" | "protocol" | "targetPort">>[],
): BuiltIn[] {
	const reached = ports.map(({ name, port, protocol }) => ({ name, port, protocol }));
	return [
		builtIn(
			services,
			{
				metadata: { ...ref, labels },
				spec: { type: "ClusterIP", clusterIP: address, clusterIPs: [address], ports: [...ports] },
			},
			mendedService,
		),
		builtIn(
			endpoints,
			{
				metadata: { ...ref, labels: { "endpointslice.kubernetes.io/skip-mirror": "true" } },
				subsets: [{ addresses: [{ ip: address }], ports: reached }],
			},
			mendedEndpoints,
		),
		builtIn(
			endpointSlices,
			{
				metadata: { ...ref, labels: { "kubernetes.io/service-name": ref.name } },
				addressType: "IPv4",
				endpoints: [{ addresses: [address], conditions: { ready: true } }],
				ports: reached,
			},
			mendedSlice,
		),
	];
}

/** With a selector, its endpoints would be pods. */
function mendedService(found: Service, { spec: wanted }: Draft<Service>): Service | undefined {
	const { selector = {}, ...spec } = found.spec;
	const isRight = Object.keys(selector).length === 0 && spec.type === wanted.type && contains(spec.ports, wanted.ports);
	if (isRight) return undefined;
	return { ...found, spec: { ...spec, type: wanted.type, ports: wanted.ports } } as Service;
}

function mendedEndpoints(found: Endpoints, { subsets = [] }: Draft<Endpoints>): Endpoints | undefined {
	return contains(found.subsets, subsets) ? undefined : { ...found, subsets };
}

function mendedSlice(found: EndpointSlice, wanted: Draft<EndpointSlice>): EndpointSlice | undefined {
	const { endpoints: reached, ports = [] } = wanted;
	const hasName = contains(found.metadata.labels, wanted.metadata.labels);
	if (hasName && contains(found.endpoints, reached) && contains(found.ports, ports)) return undefined;
	const labels = { ...found.metadata.labels, ...wanted.metadata.labels };
	return { ...found, metadata: { ...found.metadata, labels }, endpoints: reached, ports };
}

/** Whether a value includes the desired one; objects may have additional fields, such as defaults. */
function contains(found: unknown, wanted: unknown): boolean {
	if (typeof wanted !== "object" || wanted === null) return found === wanted;
	if (typeof found !== "object" || found === null) return false;
	if (Array.isArray(wanted) && (!Array.isArray(found) || found.length !== wanted.length)) return false;
	const has = new Map(Object.entries(found));
	return Object.entries(wanted).every(([key, value]) => contains(has.get(key), value));
}
