/** The EndpointSlices that mirror an Endpoints object. Pure. */

import { sameJson } from "../../core/equal.ts";
import { controllerReference } from "../../core/object.ts";
import type {
	DiscoveryEndpointPort,
	Endpoint,
	EndpointAddress,
	EndpointSlice,
	EndpointSubset,
	Endpoints,
	Service,
} from "../../kinds/generated/types.ts";
import { endpointSlices } from "../../kinds/networking/endpointslice.ts";
import { managedByLabel, serviceNameLabel } from "../endpointslice/plan.ts";
import { create, event, remove, update } from "../runtime/actions.ts";
import type { Action, Plan } from "../runtime/controller.ts";

export const managedBy = "endpointslicemirroring-controller.k8s.io";
const skipLabel = "endpointslice.kubernetes.io/skip-mirror";
const leaderAnnotation = "control-plane.alpha.kubernetes.io/leader";
/** Annotations that refer to the Endpoints object itself. */
const notCopied = new Set([
	"endpoints.kubernetes.io/last-change-trigger-time",
	"kubectl.kubernetes.io/last-applied-configuration",
]);
/** The maximum number of addresses of one subset that are mirrored, and of addresses in a slice. */
const largestSubset = 1000;

export interface MirroringState {
	original: Endpoints | undefined;
	service: Service | undefined;
	/** The existing slices. */
	slices: readonly EndpointSlice[];
}

interface Wanted {
	addressType: string;
	ports: DiscoveryEndpointPort[];
	endpoints: Endpoint[];
}

export function plan({ original, service, slices }: MirroringState): Plan {
	if (original === undefined || service === undefined || !isMirrored(original, service))
		return { actions: slices.map((slice) => remove(endpointSlices, slice)) };
	const groups = new Map<string, Wanted>();
	let skipped = 0;
	for (const subset of original.subsets ?? []) skipped += collect(subset, groups);
	const actions: Action[] = [];
	const unused = new Set(slices);
	for (const wanted of groups.values()) {
		for (let start = 0; start < wanted.endpoints.length; start += largestSubset) {
			const endpoints = wanted.endpoints.slice(start, start + largestSubset);
			const slice = [...unused].find((one) => groupOf(one) === groupOf(wanted));
			if (slice === undefined) actions.push(newSlice(original, { ...wanted, endpoints }));
			else {
				unused.delete(slice);
				actions.push(...rewritten(original, slice, endpoints));
			}
		}
	}
	actions.push(...[...unused].map((slice) => remove(endpointSlices, slice)));
	if (skipped > 0 && actions.length > 0) {
		const message = `A max of ${largestSubset} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`;
		actions.push(event(original, "Warning", "TooManyAddressesToMirror", message));
	}
	return { actions };
}

/**
 * Services with a selector have slices of their own; Endpoints for leader election or with the skip label are ignored.
 */
function isMirrored({ metadata }: Endpoints, { spec }: Service): boolean {
	if (metadata.deletionTimestamp !== undefined || spec?.selector !== undefined) return false;
	return metadata.labels?.[skipLabel] !== "true" && metadata.annotations?.[leaderAnnotation] === undefined;
}

/**
 * Adds a subset to the groups of equal ports and address types.
 * @returns the number of addresses that exceed the limit
 */
function collect({ addresses = [], notReadyAddresses = [], ports = [] }: EndpointSubset, groups: Map<string, Wanted>) {
	const all = [
		...addresses.map((address) => ({ address, ready: true })),
		...notReadyAddresses.map((address) => ({ address, ready: false })),
	];
	for (const { address, ready } of all.slice(0, largestSubset)) {
		const addressType = address.ip.includes(":") ? "IPv6" : "IPv4";
		const wanted = { addressType, ports: ports.map((port) => ({ ...port })), endpoints: [] };
		const key = groupOf(wanted);
		const group = groups.get(key) ?? wanted;
		groups.set(key, group);
		group.endpoints.push(endpointOf(address, ready));
	}
	return Math.max(all.length - largestSubset, 0);
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
	return {
		addresses: [ip],
		conditions: { ready },
		...(hostname === undefined ? {} : { hostname }),
		...(targetRef === undefined ? {} : { targetRef }),
		...(nodeName === undefined ? {} : { nodeName }),
	};
}

/** Equal for slices that may contain the same endpoints. */
function groupOf({ addressType, ports = [] }: Pick<EndpointSlice, "addressType" | "ports">): string {
	const texts = ports.map(({ name = "", protocol = "TCP", port, appProtocol = "" }) =>
		[name, protocol, port, appProtocol].join(":"),
	);
	return [addressType, ...texts.sort()].join(",");
}

function labelsOf({ metadata }: Endpoints): Record<string, string> {
	return { ...metadata.labels, [serviceNameLabel]: metadata.name, [managedByLabel]: managedBy };
}

function annotationsOf({ metadata }: Endpoints): Record<string, string> {
	return Object.fromEntries(Object.entries(metadata.annotations ?? {}).filter(([name]) => !notCopied.has(name)));
}

function newSlice(original: Endpoints, { addressType, ports, endpoints }: Wanted): Action {
	const { name, namespace } = original.metadata;
	const annotations = annotationsOf(original);
	return create(endpointSlices, {
		metadata: {
			generateName: `${name}-`,
			namespace,
			labels: labelsOf(original),
			...(Object.keys(annotations).length === 0 ? {} : { annotations }),
			ownerReferences: [controllerReference(original)],
		},
		addressType,
		endpoints,
		ports,
	});
}

function rewritten(original: Endpoints, slice: EndpointSlice, endpoints: Endpoint[]): Action[] {
	const [labels, annotations] = [labelsOf(original), annotationsOf(original)];
	const { metadata } = slice;
	if (
		sameJson(slice.endpoints ?? [], endpoints) &&
		sameJson(metadata.labels ?? {}, labels) &&
		sameJson(metadata.annotations ?? {}, annotations)
	)
		return [];
	return [update(endpointSlices, { ...slice, metadata: { ...metadata, labels, annotations }, endpoints })];
}
