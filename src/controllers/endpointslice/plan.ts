/**
 * The EndpointSlices of a service (Kubernetes documentation, "EndpointSlices"): with as few writes as possible, and up
 * to 100 endpoints per slice. Pure.
 */

import { sameJson } from "../../core/equal.ts";
import { controllerReference } from "../../core/object.ts";
import type { DiscoveryEndpointPort, Endpoint, EndpointSlice, Service } from "../../kinds/generated/types.ts";
import { endpointSlices } from "../../kinds/networking/endpointslice.ts";
import { type Backend, headlessLabel, isHeadless, triggerTime, triggerTimeAnnotation } from "../endpoints/backends.ts";
import { create, remove, update } from "../runtime/actions.ts";
import type { Action, Plan } from "../runtime/controller.ts";

export const serviceNameLabel = "kubernetes.io/service-name";
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
export const managedBy = "endpointslice-controller.k8s.io";
const largestSlice = 100;

export interface EndpointSliceState {
	service: Service;
	backends: readonly Backend[];
	/** The service's slices that this controller manages. */
	slices: readonly EndpointSlice[];
}

export function plan(state: EndpointSliceState): Plan {
	const { service, backends } = state;
	if (service.metadata.deletionTimestamp !== undefined) return { actions: [] };
	const slices = [...state.slices].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
	const groups = new Map<string, { ports: DiscoveryEndpointPort[]; backends: Backend[] }>();
	for (const backend of backends) {
		if (backend.ports.length === 0 && (service.spec.ports ?? []).length > 0) continue;
		const ports = backend.ports.map((port) => ({ ...port }));
		const key = portsKey(ports);
		const group = groups.get(key);
		if (group === undefined) groups.set(key, { ports, backends: [backend] });
		else group.backends.push(backend);
	}
	// Without endpoints, there is one empty slice.
	if (groups.size === 0) groups.set(portsKey([]), { ports: [], backends: [] });
	const actions: Action[] = [];
	for (const [key, group] of groups) {
		const existing = slices.filter((slice) => portsKey(slice.ports ?? []) === key);
		actions.push(...planGroup(service, group.ports, group.backends, existing));
	}
	const surplus = slices.filter((slice) => !groups.has(portsKey(slice.ports ?? [])));
	return { actions: [...actions, ...surplus.map((slice) => remove(endpointSlices, slice))] };
}

/** Slices with the same ports: changed ones are written, new endpoints are added where there is room. */
function planGroup(
	service: Service,
	ports: DiscoveryEndpointPort[],
	backends: readonly Backend[],
	slices: readonly EndpointSlice[],
): Action[] {
	const wanted = new Map(backends.map((backend) => [backend.pod.metadata.uid, backend]));
	const filled = slices.map((slice) => {
		const endpoints: Endpoint[] = [];
		const members: Backend[] = [];
		for (const endpoint of slice.endpoints ?? []) {
			const backend = wanted.get(endpoint.targetRef?.uid ?? "");
			if (backend === undefined) continue;
			wanted.delete(backend.pod.metadata.uid);
			endpoints.push(endpointOf(service, backend));
			members.push(backend);
		}
		return { slice, endpoints, members };
	});
	const missing = [...wanted.values()];
	// Those that are written anyway come first, then the fullest.
	const byUse = [...filled].sort(
		(a, b) => Number(isChanged(b)) - Number(isChanged(a)) || b.endpoints.length - a.endpoints.length,
	);
	for (const { endpoints, members } of byUse) {
		for (const backend of missing.splice(0, Math.max(largestSlice - endpoints.length, 0))) {
			endpoints.push(endpointOf(service, backend));
			members.push(backend);
		}
	}
	const actions: Action[] = [];
	let left = filled.filter(({ endpoints }) => endpoints.length > 0).length + Math.ceil(missing.length / largestSlice);
	for (const { slice, endpoints, members } of filled) {
		// The last one is kept empty if there is no other.
		if (endpoints.length === 0 && left > 0) actions.push(remove(endpointSlices, slice));
		else {
			if (endpoints.length === 0) left++;
			actions.push(...rewritten(service, slice, endpoints, members));
		}
	}
	while (missing.length > 0 || left === 0) {
		left++;
		actions.push(newSlice(service, ports, missing.splice(0, largestSlice)));
	}
	return actions;
}

function isChanged({ slice, endpoints }: { slice: EndpointSlice; endpoints: readonly Endpoint[] }): boolean {
	return !sameJson(slice.endpoints ?? [], endpoints);
}

function rewritten(
	service: Service,
	slice: EndpointSlice,
	endpoints: Endpoint[],
	members: readonly Backend[],
): Action[] {
	const labels = labelsOf(service);
	if (!isChanged({ slice, endpoints }) && sameJson(slice.metadata.labels, labels)) return [];
	const annotations = { ...slice.metadata.annotations, [triggerTimeAnnotation]: triggerTime(service, members) };
	return [update(endpointSlices, { ...slice, metadata: { ...slice.metadata, labels, annotations }, endpoints })];
}

function newSlice(service: Service, ports: DiscoveryEndpointPort[], members: readonly Backend[]): Action {
	return create(endpointSlices, {
		metadata: {
			generateName: `${service.metadata.name}-`,
			namespace: service.metadata.namespace,
			labels: labelsOf(service),
			annotations: { [triggerTimeAnnotation]: triggerTime(service, members) },
			ownerReferences: [controllerReference(service)],
		},
		addressType: "IPv4",
		endpoints: members.map((backend) => endpointOf(service, backend)),
		ports,
	});
}

function labelsOf(service: Service): Record<string, string> {
	return {
		...service.metadata.labels,
		[managedByLabel]: managedBy,
		[serviceNameLabel]: service.metadata.name,
		...(isHeadless(service) ? { [headlessLabel]: "" } : {}),
	};
}

function endpointOf(service: Service, backend: Backend): Endpoint {
	const { pod, address, ready, terminating, nodeName, zone, hostname } = backend;
	const { namespace, name, uid } = pod.metadata;
	const published = service.spec.publishNotReadyAddresses === true;
	const serves = published || (ready && !terminating);
	const hints = serves ? hintsOf(service, backend) : undefined;
	return {
		addresses: [address],
		conditions: { ready: serves, serving: ready, terminating },
		...(hostname === undefined ? {} : { hostname }),
		targetRef: { kind: "Pod", ...(namespace === undefined ? {} : { namespace }), name, uid },
		...(nodeName === undefined ? {} : { nodeName }),
		...(zone === undefined ? {} : { zone }),
		...(hints === undefined ? {} : { hints }),
	};
}

/** Topology hints of an endpoint, if the service prefers close traffic (KEP-4444, KEP-3015). */
function hintsOf({ spec }: Service, { nodeName, zone }: Backend): Endpoint["hints"] {
	const { trafficDistribution } = spec;
	const forZones = trafficDistribution !== undefined && zone !== undefined ? { forZones: [{ name: zone }] } : {};
	const sameNode = trafficDistribution === "PreferSameNode" && nodeName !== undefined;
	const hints = { ...forZones, ...(sameNode ? { forNodes: [{ name: nodeName }] } : {}) };
	return Object.keys(hints).length === 0 ? undefined : hints;
}

/** Equal for equal ports, regardless of the order of their fields. */
function portsKey(ports: readonly DiscoveryEndpointPort[]): string {
	return ports
		.map(({ name = "", protocol = "TCP", port, appProtocol = "" }) => [name, protocol, port, appProtocol].join(":"))
		.sort()
		.join(",");
}
