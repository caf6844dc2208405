/**
 * Addresses and node ports of services. Each allocation is a key in the store, written in the same commit as the
 * service, so that no two services can have the same, with any number of servers.
 */

import { type Cidr, cidrContains, cidrSize, formatIPv4, parseCidr, parseIPv4 } from "../../core/addresses.ts";
import { ApiError, type Cause, invalid } from "../../core/errors.ts";
import { invalidValue } from "../../core/validation/field-errors.ts";
import type { Service, ServiceSpec } from "../../kinds/generated/types.ts";
import { ipAddresses } from "../../kinds/networking/ipaddress.ts";
import { services } from "../../kinds/networking/service.ts";
import { serviceCIDRs } from "../../kinds/networking/servicecidr.ts";
import { claimRoot, keyPrefix } from "../cache/keys.ts";
import type { AdmissionStep } from "../server/admission-step.ts";
import type { AdmissionAttributes, Server } from "../server/server.ts";

const addressRoot = `${claimRoot}addresses/`;
const portRoot = `${claimRoot}nodeports/`;
const managedBy = "ipaddress.kubernetes.io/managed-by";
const defaultPorts = [30_000, 32_767] as const;
/** The number of random attempts before the whole range is searched. */
const randomTries = 16;

export const serviceAddresses: AdmissionStep = {
	name: "ServiceAddresses",
	on: { operations: ["create", "update", "delete"], kinds: [services] },
	admit(request) {
		// Nothing else is a service.
		const now = request.operation === "delete" ? undefined : (request.object as Service);
		const before = (request.operation === "create" ? undefined : request.old) as Service | undefined;
		if (now !== undefined) {
			allocateAddress(request, now, before);
			allocatePorts(request, now, before);
		}
		const held = new Set(now === undefined ? [] : keysOf(now.spec));
		for (const key of before === undefined ? [] : keysOf(before.spec))
			if (!held.has(key)) request.companions.releases.push(key);
	},
};

/** The keys of all that a service has taken. */
function keysOf(spec: ServiceSpec): string[] {
	const addresses = (spec.clusterIPs ?? (spec.clusterIP ? [spec.clusterIP] : [])).filter(isAddress);
	const ports = portsOf(spec).map((port) => `${portRoot}${port}`);
	return [...addresses.map((address) => `${addressRoot}${address}`), ...ports];
}

function portsOf(spec: ServiceSpec): number[] {
	const ports = new Set((spec.ports ?? []).map(({ nodePort = 0 }) => nodePort));
	ports.add(spec.healthCheckNodePort ?? 0);
	ports.delete(0);
	return [...ports];
}

const isAddress = (text: string) => text !== "" && text !== "None";

function allocateAddress(request: AdmissionAttributes, { spec, metadata }: Service, before: Service | undefined): void {
	if (spec.type === "ExternalName") return;
	const hasAddress = before !== undefined && before.spec.type !== "ExternalName" && Boolean(before.spec.clusterIP);
	const ranges = rangesOf(request.server);
	if ((spec.clusterIP ?? "") === "") {
		const address = freeAddress(request.server, ranges);
		if (address === undefined) throw new ApiError("InternalError", "failed to allocate a serviceIP: range is full");
		spec.clusterIP = address;
		spec.clusterIPs = [address];
	}
	const clusterIP = spec.clusterIP ?? "";
	spec.clusterIPs ??= [clusterIP];
	spec.ipFamilies ??= ["IPv4"];
	spec.ipFamilyPolicy ??= "SingleStack";
	// Validation rejects a changed address.
	if (!isAddress(clusterIP) || hasAddress) return;
	const value = parseIPv4(clusterIP);
	// Validation rejects invalid addresses.
	if (value === undefined) return;
	const causes: Cause[] = [];
	const range = `failed to allocate IP ${clusterIP}: the provided network does not match the current range`;
	if (!ranges.some((range) => cidrContains(range, value)))
		causes.push(invalidValue("spec.clusterIPs", spec.clusterIPs, range));
	else if (isTaken(request.server, clusterIP))
		causes.push(
			invalidValue(
				"spec.clusterIPs",
				spec.clusterIPs,
				`failed to allocate IP ${clusterIP}: provided IP is already allocated`,
			),
		);
	if (causes.length > 0) throw invalid(services, metadata.name, causes);
	request.companions.claims.push({
		key: `${addressRoot}${clusterIP}`,
		value: `${metadata.namespace}/${metadata.name}`,
	});
}

function allocatePorts(request: AdmissionAttributes, { spec, metadata }: Service, before: Service | undefined): void {
	if (spec.type !== "NodePort" && spec.type !== "LoadBalancer") return;
	if (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts === false) return;
	const had = new Set(before === undefined ? [] : portsOf(before.spec));
	const mine = new Set(portsOf(spec));
	const [first, last] = request.server.options.nodePorts ?? defaultPorts;
	for (const [index, port] of (spec.ports ?? []).entries()) {
		if (port.nodePort) {
			if (had.has(port.nodePort)) continue;
			const field = `spec.ports[${index}].nodePort`;
			if (port.nodePort < first || port.nodePort > last)
				throw invalid(services, metadata.name, [
					invalidValue(
						field,
						port.nodePort,
						`provided port is not in the valid range. The range of valid ports is ${first}-${last}`,
					),
				]);
			if (request.server.cache.isClaimed(`${portRoot}${port.nodePort}`))
				throw invalid(services, metadata.name, [
					invalidValue(field, port.nodePort, "provided port is already allocated"),
				]);
		} else port.nodePort = freePort(request.server, mine);
		mine.add(port.nodePort);
	}
	if (spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local" && !spec.healthCheckNodePort) {
		spec.healthCheckNodePort = freePort(request.server, mine);
	}
	for (const port of portsOf(spec)) {
		if (had.has(port)) continue;
		request.companions.claims.push({ key: `${portRoot}${port}`, value: `${metadata.namespace}/${metadata.name}` });
	}
}

/** The range that the cluster was made with, then those that ServiceCIDR objects add. */
function rangesOf({ options, cache }: Server): Cidr[] {
	const text = options.serviceCidr;
	const first = parseCidr(text);
	if (first === undefined) throw new Error(`the service range ${text} is not an IPv4 range`);
	const ranges = [first];
	const prefix = keyPrefix(serviceCIDRs, undefined);
	for (const { object } of cache.resource(serviceCIDRs).range(prefix, prefix)) {
		const { metadata, spec } = object;
		if (metadata.deletionTimestamp !== undefined) continue;
		for (const cidr of spec?.cidrs ?? []) {
			const range = cidr === text ? undefined : parseCidr(cidr);
			if (range !== undefined) ranges.push(range);
		}
	}
	return ranges;
}

/** By a service, or by an IPAddress that a user made; those of services are made and deleted after them. */
function isTaken({ cache }: Server, address: string): boolean {
	if (cache.isClaimed(`${addressRoot}${address}`)) return true;
	const found = cache.find(ipAddresses, undefined, address);
	return found !== undefined && found.metadata.labels?.[managedBy] !== "ipallocator";
}

function freeAddress(server: Server, ranges: readonly Cidr[]): string | undefined {
	for (const range of ranges) {
		const address = freeAddressIn(server, range);
		if (address !== undefined) return address;
	}
	return undefined;
}

/** A random one from the upper part of the range, which upstream reserves for this; then any free one. */
function freeAddressIn(server: Server, cidr: Cidr): string | undefined {
	const size = cidrSize(cidr);
	// Upstream's share for addresses that people choose: a sixteenth, 16 at least and 256 at most.
	const chosen = Math.min(Math.max(16, Math.floor(size / 16)), 256);
	const freeAt = (offset: number) => {
		const address = formatIPv4(cidr.base + offset);
		return isTaken(server, address) ? undefined : address;
	};
	for (let attempt = 0; attempt < randomTries && size > chosen + 1; attempt++) {
		const address = freeAt(chosen + Math.floor(server.clock.random() * (size - chosen - 1)));
		if (address !== undefined) return address;
	}
	for (let offset = size - 2; offset >= 1; offset--) {
		const address = freeAt(offset);
		if (address !== undefined) return address;
	}
	return undefined;
}

function freePort({ cache, clock, options }: Server, mine: ReadonlySet<number>): number {
	const [first, last] = options.nodePorts ?? defaultPorts;
	const isFree = (port: number) => !mine.has(port) && !cache.isClaimed(`${portRoot}${port}`);
	for (let attempt = 0; attempt < randomTries; attempt++) {
		const port = first + Math.floor(clock.random() * (last - first + 1));
		if (isFree(port)) return port;
	}
	for (let port = first; port <= last; port++) if (isFree(port)) return port;
	throw new ApiError("InternalError", "failed to allocate a nodePort: range is full");
}
