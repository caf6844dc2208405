/** From a backend of an Ingress to the addresses of its pods. Pure. */
import type { EndpointSlice, Service } from "../../kinds/generated/types.ts";
import type { Backend } from "./routes.ts";

export interface ServiceView {
	service(namespace: string, name: string): Service | undefined;
	slices(namespace: string, service: string): Iterable<EndpointSlice>;
}

export interface Endpoint {
	address: string;
	port: number;
}

/** Ready endpoints; or why there are none, for the response. */
export function endpointsOf(view: ServiceView, { namespace, service: name, port }: Backend): Endpoint[] | string {
	if (name === undefined) return "the backend is a resource, and only Services are supported";
	const service = view.service(namespace, name);
	if (service === undefined) return `Service ${namespace}/${name} does not exist`;
	const found = service.spec?.ports?.find((one) => (typeof port === "number" ? one.port === port : one.name === port));
	if (found === undefined) return `Service ${namespace}/${name} has no port ${port}`;
	const endpoints = new Map<string, Endpoint>();
	for (const slice of view.slices(namespace, name)) {
		if (slice.addressType !== "IPv4") continue;
		const target = slice.ports?.find((one) => (one.name ?? "") === (found.name ?? ""));
		if (target?.port === undefined) continue;
		for (const { addresses, conditions } of slice.endpoints ?? []) {
			const [address] = addresses;
			if (address === undefined || conditions?.ready === false) continue;
			endpoints.set(`${address}:${target.port}`, { address, port: target.port });
		}
	}
	if (endpoints.size === 0) return `Service ${namespace}/${name} has no ready endpoint for port ${port}`;
	// In a fixed order, of which each request takes the next.
	return [...endpoints].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, endpoint]) => endpoint);
}
