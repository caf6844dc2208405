/** Validates a service (API reference, "ServiceSpec"). */
import type { Cause } from "../../core/errors.ts";
import {
	ipAddress,
	isIPv4,
	isIPv6,
	labels,
	oneOf,
	portNumber,
	requiredOneOf,
} from "../../core/validation/field-checks.ts";
import {
	duplicate,
	forbidden,
	invalidEach,
	invalidValue,
	notSupported,
	required,
} from "../../core/validation/field-errors.ts";
import { dnsLabelProblems, dnsSubdomainProblems, portNameProblems } from "../../core/validation/names.ts";
import type { Service, ServicePort, ServiceSpec } from "../generated/types.ts";

const types = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const protocols = ["SCTP", "TCP", "UDP"];

export function validateService({ spec }: Service): Cause[] {
	const causes = [
		...ports(spec),
		...labels(spec.selector, "spec.selector"),
		...requiredOneOf(spec.sessionAffinity, ["ClientIP", "None"], "spec.sessionAffinity"),
		...affinityTimeout(spec),
		...requiredOneOf(spec.type, types, "spec.type"),
		...addresses(spec),
		...trafficPolicies(spec),
	];
	for (const [index, address] of (spec.externalIPs ?? []).entries()) {
		const at = `spec.externalIPs[${index}]`;
		causes.push(...ipAddress(address, at));
		if (/^(127\.|0\.0\.0\.0$|169\.254\.)/.test(address) || address === "::" || address === "::1")
			causes.push(invalidValue(at, address, "may not be an unspecified, loopback or link-local address"));
	}
	if (spec.type === "ExternalName") causes.push(...externalName(spec.externalName));
	if ((spec.loadBalancerSourceRanges ?? []).length > 0 && spec.type !== "LoadBalancer")
		causes.push(forbidden("spec.loadBalancerSourceRanges", "may only be used when `type` is 'LoadBalancer'"));
	if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== "LoadBalancer")
		causes.push(forbidden("spec.allocateLoadBalancerNodePorts", "may only be used when `type` is 'LoadBalancer'"));
	if (spec.loadBalancerClass !== undefined && spec.type !== "LoadBalancer")
		causes.push(forbidden("spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'"));
	return causes;
}

function isHeadless(spec: ServiceSpec): boolean {
	return spec.clusterIP === "None" || spec.clusterIPs?.[0] === "None";
}

function ports(spec: ServiceSpec): Cause[] {
	const list = spec.ports ?? [];
	const causes: Cause[] = [];
	if (list.length === 0 && !isHeadless(spec) && spec.type !== "ExternalName") causes.push(required("spec.ports"));
	const names = new Set<string>();
	const numbers = new Set<string>();
	const nodePorts = new Set<string>();
	for (const [index, port] of list.entries()) {
		const at = `spec.ports[${index}]`;
		causes.push(...onePort(port, list.length > 1, names, at));
		const key = `${port.protocol}/${port.port}`;
		if (numbers.has(key)) causes.push(duplicate(at, { protocol: port.protocol, port: port.port }));
		numbers.add(key);
		if (!port.nodePort) continue;
		if (spec.type === "ClusterIP" || spec.type === "ExternalName")
			causes.push(forbidden(`${at}.nodePort`, `may not be used when \`type\` is '${spec.type}'`));
		const nodeKey = `${port.protocol}/${port.nodePort}`;
		if (nodePorts.has(nodeKey)) causes.push(duplicate(`${at}.nodePort`, port.nodePort));
		nodePorts.add(nodeKey);
	}
	return causes;
}

function onePort(port: ServicePort, nameNeeded: boolean, names: Set<string>, path: string): Cause[] {
	const causes: Cause[] = [];
	if (nameNeeded && !port.name) causes.push(required(`${path}.name`));
	else if (port.name) {
		causes.push(...invalidEach(`${path}.name`, port.name, dnsLabelProblems(port.name)));
		if (names.has(port.name)) causes.push(duplicate(`${path}.name`, port.name));
		names.add(port.name);
	}
	causes.push(...portNumber(port.port, `${path}.port`));
	causes.push(...requiredOneOf(port.protocol, protocols, `${path}.protocol`));
	const target = port.targetPort;
	if (typeof target === "number") causes.push(...portNumber(target, `${path}.targetPort`));
	else if (typeof target === "string")
		causes.push(...invalidEach(`${path}.targetPort`, target, portNameProblems(target)));
	return causes;
}

function affinityTimeout({ sessionAffinity, sessionAffinityConfig }: ServiceSpec): Cause[] {
	const at = "spec.sessionAffinityConfig";
	if (sessionAffinity === "None" && sessionAffinityConfig !== undefined)
		return [forbidden(at, "must not be set when session affinity is None")];
	if (sessionAffinity !== "ClientIP") return [];
	const seconds = sessionAffinityConfig?.clientIP?.timeoutSeconds;
	if (seconds === undefined) return [required(at, "when session affinity type is ClientIP")];
	if (seconds > 0 && seconds <= 86_400) return [];
	return [invalidValue(`${at}.clientIP.timeoutSeconds`, seconds, "must be greater than 0 and less than 86400")];
}

function addresses(spec: ServiceSpec): Cause[] {
	const list = spec.clusterIPs ?? [];
	const causes: Cause[] = [];
	if (spec.type === "ExternalName") {
		if (spec.clusterIP) causes.push(forbidden("spec.clusterIP", "may not be set when `type` is 'ExternalName'"));
		if (list.length > 0) causes.push(forbidden("spec.clusterIPs", "may not be set when `type` is 'ExternalName'"));
		return causes;
	}
	if (isHeadless(spec) && spec.type !== "ClusterIP")
		causes.push(invalidValue("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type} services`));
	if (list.length > 0 && list[0] !== spec.clusterIP)
		causes.push(invalidValue("spec.clusterIPs", list, "first value must match `clusterIP`"));
	if (list.length > 2) causes.push(invalidValue("spec.clusterIPs", list, "may only hold up to 2 values"));
	for (const [index, address] of list.entries()) {
		const at = `spec.clusterIPs[${index}]`;
		if (address === "None") {
			if (index > 0) causes.push(invalidValue(at, address, "'None' may only be set as the first value"));
		} else if (!isIPv4(address) && !isIPv6(address)) causes.push(...ipAddress(address, at));
	}
	for (const [index, family] of (spec.ipFamilies ?? []).entries())
		if (family !== "IPv4" && family !== "IPv6")
			causes.push(notSupported(`spec.ipFamilies[${index}]`, family, ["IPv4", "IPv6"]));
	const policies = ["PreferDualStack", "RequireDualStack", "SingleStack"];
	return [...causes, ...oneOf(spec.ipFamilyPolicy, policies, "spec.ipFamilyPolicy")];
}

function trafficPolicies(spec: ServiceSpec): Cause[] {
	const causes: Cause[] = [];
	const { externalTrafficPolicy, internalTrafficPolicy, healthCheckNodePort, trafficDistribution } = spec;
	const external =
		spec.type === "NodePort" ||
		spec.type === "LoadBalancer" ||
		(spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0);
	if (external)
		causes.push(...requiredOneOf(externalTrafficPolicy, ["Cluster", "Local"], "spec.externalTrafficPolicy"));
	else if (externalTrafficPolicy)
		causes.push(
			invalidValue(
				"spec.externalTrafficPolicy",
				externalTrafficPolicy,
				"may only be set for externally-accessible services",
			),
		);
	causes.push(...oneOf(internalTrafficPolicy, ["Cluster", "Local"], "spec.internalTrafficPolicy"));
	if (healthCheckNodePort && !(spec.type === "LoadBalancer" && externalTrafficPolicy === "Local"))
		causes.push(
			invalidValue(
				"spec.healthCheckNodePort",
				healthCheckNodePort,
				"may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
			),
		);
	const distributions = ["PreferClose", "PreferSameNode", "PreferSameZone"];
	return [...causes, ...oneOf(trafficDistribution, distributions, "spec.trafficDistribution")];
}

function externalName(name: string | undefined): Cause[] {
	if (!name) return [required("spec.externalName")];
	return invalidEach("spec.externalName", name, dnsSubdomainProblems(name.replace(/\.$/, "")));
}

/** Allocated addresses are immutable; a service may only be converted from and to ExternalName. */
export function validateServiceUpdate({ spec }: Service, { spec: old }: Service): Cause[] {
	const causes: Cause[] = [];
	if (spec.type !== "ExternalName" && old.type !== "ExternalName" && old.clusterIP) {
		const [next, before] = [spec.clusterIPs ?? [], old.clusterIPs ?? []];
		if (next.length === 0) causes.push(invalidValue("spec.clusterIPs[0]", next, "primary clusterIP can not be unset"));
		else if (next[0] !== before[0]) causes.push(invalidValue("spec.clusterIPs[0]", next, "may not change once set"));
	}
	if (old.type === "LoadBalancer" && spec.type === "LoadBalancer" && spec.loadBalancerClass !== old.loadBalancerClass)
		causes.push(invalidValue("spec.loadBalancerClass", spec.loadBalancerClass, "may not change once set"));
	return causes;
}
