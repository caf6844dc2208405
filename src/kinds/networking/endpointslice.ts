import type { Cause } from "../../core/errors.ts";
import type { KubeObject } from "../../core/object.ts";
import { immutable, ipAddress, oneOf, requiredOneOf } from "../../core/validation/field-checks.ts";
import { duplicate, invalidEach, required, tooMany } from "../../core/validation/field-errors.ts";
import { dnsLabelProblems } from "../../core/validation/names.ts";
import { oldVersion } from "../conversion/deprecation.ts";
import { ageColumn, column, nameColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { Endpoint, EndpointSlice } from "../generated/types.ts";

const zoneLabel = "topology.kubernetes.io/zone";
const hostLabel = "kubernetes.io/hostname";
const mostEndpoints = 1000;
const mostPorts = 20_000;

export const endpointSlices: Kind<EndpointSlice> = {
	group: "discovery.k8s.io",
	version: "v1",
	kind: "EndpointSlice",
	plural: "endpointslices",
	singular: "endpointslice",
	shortNames: [],
	categories: [],
	namespaced: true,
	schema: "EndpointSlice",
	subresources: {},
	hasGeneration: true,
	nameRule: "dnsSubdomain",
	selectableFields: [],
	columns: [
		nameColumn,
		column("AddressType", "Kind of the addresses.", ({ addressType }) => addressType ?? ""),
		column("Ports", "Ports behind the service.", ({ ports }) => {
			if (ports === undefined || ports.length === 0) return "<unset>";
			return limited(ports.map(({ name, port }) => (port === undefined ? name || "*" : String(port))));
		}),
		column("Endpoints", "Addresses behind the service.", ({ endpoints }) => {
			const addresses = (endpoints ?? []).flatMap((endpoint) => endpoint.addresses ?? []);
			return addresses.length === 0 ? "<unset>" : limited(addresses);
		}),
		ageColumn,
	],

	setDefaults({ ports }) {
		for (const port of ports ?? []) {
			port.name ??= "";
			port.protocol ??= "TCP";
		}
	},
	validate({ addressType, endpoints = [], ports = [] }) {
		const causes = requiredOneOf(addressType, ["FQDN", "IPv4", "IPv6"], "addressType");
		if (endpoints.length > mostEndpoints) causes.push(tooMany("endpoints", endpoints.length, mostEndpoints));
		if (ports.length > mostPorts) causes.push(tooMany("ports", ports.length, mostPorts));
		for (const [index, endpoint] of endpoints.entries())
			causes.push(...oneEndpoint(endpoint, addressType, `endpoints[${index}]`));
		const names = new Set<string>();
		for (const [index, { name = "", protocol }] of ports.entries()) {
			if (names.has(name)) causes.push(duplicate(`ports[${index}].name`, name));
			else if (name !== "") causes.push(...invalidEach(`ports[${index}].name`, name, dnsLabelProblems(name)));
			names.add(name);
			causes.push(...oneOf(protocol, ["SCTP", "TCP", "UDP"], `ports[${index}].protocol`));
		}
		return causes;
	},
	validateUpdate: (slice, old) => immutable(slice.addressType, old.addressType, "addressType"),
	servedAs: [
		oldVersion({
			apiVersion: "discovery.k8s.io/v1beta1",
			kind: "EndpointSlice",
			deprecatedIn: "v1.21",
			removedIn: "v1.25",
			current: "discovery.k8s.io/v1",
			schema: "OldEndpointSlice",
			toStorage: (object) => convertTopology(object, "zone"),
			fromStorage: (object) => convertTopology(object, "topology"),
		}),
	],
};

function oneEndpoint({ addresses = [], hostname }: Endpoint, addressType: string, path: string): Cause[] {
	const causes: Cause[] = [];
	if (addresses.length === 0) causes.push(required(`${path}.addresses`, "must contain at least 1 address"));
	if (addresses.length > 100) causes.push(tooMany(`${path}.addresses`, addresses.length, 100));
	if (addressType !== "FQDN")
		for (const [index, address] of addresses.entries())
			causes.push(...ipAddress(address, `${path}.addresses[${index}]`));
	if (hostname !== undefined) causes.push(...invalidEach(`${path}.hostname`, hostname, dnsLabelProblems(hostname)));
	return causes;
}

function limited(list: readonly string[]): string {
	const text = list.slice(0, 3).join(",");
	return list.length > 3 ? `${text} + ${list.length - 3} more...` : text;
}

/** The older version has zone and host in a map of topology labels. */
function convertTopology(object: KubeObject, to: "zone" | "topology"): void {
	// The lookup has determined the kind EndpointSlice; `topology` is the older version's field.
	const slice = object as EndpointSlice & { endpoints?: (Endpoint & { topology?: Record<string, string> })[] };
	for (const endpoint of slice.endpoints ?? []) {
		if (to === "zone" && endpoint.topology !== undefined) {
			const { [zoneLabel]: zone, [hostLabel]: host, ...rest } = endpoint.topology;
			if (zone !== undefined) endpoint.zone ??= zone;
			if (host !== undefined) endpoint.nodeName ??= host;
			if (Object.keys(rest).length > 0) endpoint.deprecatedTopology = rest;
			delete endpoint.topology;
		} else if (to === "topology") {
			const topology: Record<string, string> = { ...endpoint.deprecatedTopology };
			if (endpoint.zone !== undefined) topology[zoneLabel] = endpoint.zone;
			if (Object.keys(topology).length > 0) endpoint.topology = topology;
			delete endpoint.deprecatedTopology;
			delete endpoint.zone;
		}
	}
}
