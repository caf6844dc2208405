/**
 * Endpoints: the addresses of the pods of every service with a selector. They predate EndpointSlices and are still
 * widely used.
 */

import { sameJson } from "../../core/equal.ts";
import { parseKey } from "../../core/object.ts";
import { nodes } from "../../kinds/core/node.ts";
import type { EndpointAddress, EndpointSubset, Endpoints, Service } from "../../kinds/generated/types.ts";
import { endpoints } from "../../kinds/networking/endpoints.ts";
import { services } from "../../kinds/networking/service.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { coalesceMsFor } from "../podcontrol/coalesce.ts";
import { create, remove, update } from "../runtime/actions.ts";
import { type Controller, type Plan, watchRule } from "../runtime/controller.ts";
import {
	type Backend,
	backendsOf,
	headlessLabel,
	isHeadless,
	selectsPods,
	servicesOf,
	triggerTime,
	triggerTimeAnnotation,
} from "./backends.ts";

const managedByLabel = "endpoints.kubernetes.io/managed-by";
const managedBy = "endpoint-controller";
const overCapacityAnnotation = "endpoints.kubernetes.io/over-capacity";
/** Addresses beyond this number are left out, which an annotation indicates. */
const largestAddressCount = 1000;

export interface EndpointsState {
	service: Service | undefined;
	backends: readonly Backend[];
	current: Endpoints | undefined;
	key: string;
}

export const endpointsController: Controller<EndpointsState> = {
	name: "endpoints",
	component: "endpoint-controller",
	watches: [
		watchRule(services, (current, old) => keyOf(current ?? old)),
		watchRule(pods, servicesOf, { expectations: false }),
		watchRule(endpoints, (current, old) => keyOf(current ?? old)),
		watchRule(nodes, () => [], { expectations: false }),
	],
	coalesceMs(key, informers) {
		const { namespace, name } = parseKey(key);
		return coalesceMsFor(addressCount(informers.of(endpoints).get(namespace, name)));
	},
	gather(key, informers) {
		const { namespace, name } = parseKey(key);
		const service = informers.of(services).get(namespace, name);
		const current = informers.of(endpoints).get(namespace, name);
		if (service === undefined && current === undefined) return undefined;
		const backends = service !== undefined && selectsPods(service) ? backendsOf(service, informers) : [];
		return { service, backends, current, key };
	},
	plan,
};

function keyOf(object: { metadata: { namespace?: string; name: string } } | undefined): string[] {
	return object === undefined ? [] : [`${object.metadata.namespace}/${object.metadata.name}`];
}

function plan({ service, backends, current }: EndpointsState): Plan {
	if (service === undefined) {
		// Endpoints of other owners without a service, such as those of old leader elections, are kept.
		const ours = current?.metadata.labels?.[managedByLabel] === managedBy;
		return { actions: current !== undefined && ours ? [remove(endpoints, current)] : [] };
	}
	if (!selectsPods(service) || service.metadata.deletionTimestamp !== undefined) return { actions: [] };
	const { subsets, truncated } = subsetsOf(service, backends);
	const labels = {
		...service.metadata.labels,
		[managedByLabel]: managedBy,
		...(isHeadless(service) ? { [headlessLabel]: "" } : {}),
	};
	const { [overCapacityAnnotation]: wasTruncated, ...kept } = current?.metadata.annotations ?? {};
	if (
		current !== undefined &&
		sameJson(current.subsets ?? [], subsets) &&
		sameJson(current.metadata.labels, labels) &&
		(wasTruncated !== undefined) === truncated
	) {
		return { actions: [] };
	}
	const { namespace, name } = service.metadata;
	const annotations = {
		...kept,
		[triggerTimeAnnotation]: triggerTime(service, backends),
		...(truncated ? { [overCapacityAnnotation]: "truncated" } : {}),
	};
	const content = subsets.length === 0 ? {} : { subsets };
	if (current === undefined) {
		return { actions: [create(endpoints, { metadata: { namespace, name, labels, annotations }, ...content })] };
	}
	const { apiVersion, kind, metadata } = current;
	return {
		actions: [update(endpoints, { apiVersion, kind, metadata: { ...metadata, labels, annotations }, ...content })],
	};
}

function subsetsOf(service: Service, all: readonly Backend[]): { subsets: EndpointSubset[]; truncated: boolean } {
	const publishAll = service.spec.publishNotReadyAddresses === true;
	const backends = all.filter((backend) => publishAll || !backend.terminating);
	const truncated = backends.length > largestAddressCount;
	// Ready ones first if the number is limited.
	const chosen = truncated
		? [...backends].sort((a, b) => Number(b.ready) - Number(a.ready)).slice(0, largestAddressCount)
		: backends;
	const groups = new Map<string, Backend[]>();
	for (const backend of chosen) {
		// A pod without any of the named ports is not an endpoint; a service without ports has endpoints without ports.
		if (backend.ports.length === 0 && (service.spec.ports ?? []).length > 0) continue;
		const group = groups.get(backend.portsKey);
		if (group === undefined) groups.set(backend.portsKey, [backend]);
		else group.push(backend);
	}
	const subsets = [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => subsetOf(group, publishAll));
	return { subsets, truncated };
}

function subsetOf(group: readonly Backend[], publishAll: boolean): EndpointSubset {
	const sorted = [...group].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
	const ready = sorted.filter((backend) => backend.ready || publishAll).map(addressOf);
	const notReady = sorted.filter((backend) => !backend.ready && !publishAll).map(addressOf);
	const ports = (group[0]?.ports ?? []).map(({ name, ...port }) => ({ ...(name === "" ? {} : { name }), ...port }));
	return {
		...(ready.length === 0 ? {} : { addresses: ready }),
		...(notReady.length === 0 ? {} : { notReadyAddresses: notReady }),
		...(ports.length === 0 ? {} : { ports }),
	};
}

function addressOf({ pod, address, nodeName, hostname }: Backend): EndpointAddress {
	const { namespace, name, uid } = pod.metadata;
	return {
		ip: address,
		...(hostname === undefined ? {} : { hostname }),
		...(nodeName === undefined ? {} : { nodeName }),
		targetRef: { kind: "Pod", ...(namespace === undefined ? {} : { namespace }), name, uid },
	};
}

function addressCount(object: Endpoints | undefined): number {
	let count = 0;
	for (const { addresses = [], notReadyAddresses = [] } of object?.subsets ?? []) {
		count += addresses.length + notReadyAddresses.length;
	}
	return count;
}
