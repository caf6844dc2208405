/** The DNS server's view of the cluster, from an informer cache, with an index for each kind of query. */
import type { Informer, InformerCache } from "../client/informer-cache.ts";
import type { EndpointSlice, Namespace, Service } from "../kinds/generated/types.ts";
import { endpointSlices } from "../kinds/networking/endpointslice.ts";
import { services } from "../kinds/networking/service.ts";
import type { DnsView } from "./dns-records.ts";

export const serviceNameLabel = "kubernetes.io/service-name";
const bySlicesService = "service";
const byAddress = "address";

/** Indexes the slices by service, for `slicesOf`. Does nothing if the index exists. */
export function indexSlices(informer: Informer<EndpointSlice>): void {
	informer.addIndex(bySlicesService, ({ metadata }) => {
		const service = metadata.labels?.[serviceNameLabel];
		return service === undefined ? [] : [`${metadata.namespace}/${service}`];
	});
}

export function slicesOf(
	informer: Informer<EndpointSlice>,
	namespace: string,
	service: string,
): Iterable<EndpointSlice> {
	return informer.byIndex(bySlicesService, `${namespace}/${service}`);
}

/** @param informers for services and endpoint slices */
export function cachedDnsView(informers: InformerCache, namespaces: Informer<Namespace>): DnsView {
	const allServices: Informer<Service> = informers.of(services);
	const allSlices: Informer<EndpointSlice> = informers.of(endpointSlices);
	indexSlices(allSlices);
	allSlices.addIndex(byAddress, ({ endpoints = [] }) => endpoints.flatMap(({ addresses }) => addresses));
	allServices.addIndex(
		"clusterIP",
		({ spec }) => spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP]),
	);
	return {
		service: (namespace, name) => allServices.get(namespace, name),
		slices: (namespace, service) => slicesOf(allSlices, namespace, service),
		namespaceExists: (name) => namespaces.get(undefined, name) !== undefined,
		servicesAt: (address) => allServices.byIndex("clusterIP", address),
		slicesAt: (address) => allSlices.byIndex(byAddress, address),
	};
}
