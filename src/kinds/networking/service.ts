import { ageColumn, column, labelsText, nameColumn, wideColumn } from "../engine/columns.ts";
import type { Kind } from "../engine/kind.ts";
import type { Service, ServicePort, ServiceSpec } from "../generated/types.ts";
import { validateService, validateServiceUpdate } from "./service-validate.ts";

const threeHoursSeconds = 10_800;

export const services: Kind<Service> = {
	group: "",
	version: "v1",
	kind: "Service",
	plural: "services",
	singular: "service",
	shortNames: ["svc"],
	categories: ["all"],
	namespaced: true,
	schema: "Service",
	subresources: { status: true },
	hasGeneration: false,
	nameRule: "dnsLabel",
	returnsDeleted: true,
	selectableFields: [
		{ path: "spec.clusterIP", value: ({ spec }) => spec.clusterIP ?? "" },
		{ path: "spec.type", value: ({ spec }) => spec.type ?? "" },
	],
	columns: [
		nameColumn,
		column("Type", "How the service is reached.", ({ spec }) => spec.type ?? ""),
		column("Cluster-IP", "Address inside the cluster.", ({ spec }) => spec.clusterIP || "<none>"),
		column("External-IP", "Addresses outside the cluster.", externalText),
		column("Port(s)", "Ports of the service, with their node ports.", ({ spec }) => portsText(spec.ports)),
		ageColumn,
		wideColumn("Selector", "Labels of the pods behind the service.", ({ spec }) => labelsText(spec.selector)),
	],

	setDefaults(service) {
		service.spec ??= {};
		setSpecDefaults(service.spec);
	},
	prepareForCreate(service) {
		service.status = { loadBalancer: {} };
		syncAddresses(service.spec);
	},
	prepareForUpdate(service, old) {
		service.status = old.status ?? { loadBalancer: {} };
		keepAllocated(service.spec, old.spec);
		dropWhatTypeLacks(service.spec, old.spec);
		syncAddresses(service.spec);
	},
	validate: validateService,
	validateUpdate: validateServiceUpdate,
	warnings({ spec }) {
		const warnings: string[] = [];
		if ((spec.externalIPs ?? []).length > 0)
			warnings.push(
				"spec.externalIPs is deprecated in v1.36 and will be removed in a future release; use a LoadBalancer service instead",
			);
		if (spec.externalName && spec.type !== "ExternalName")
			warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
		if (spec.type !== "ExternalName" && spec.clusterIP === "None" && spec.loadBalancerIP)
			warnings.push("spec.loadBalancerIP is ignored for headless services");
		return warnings;
	},
};

function setSpecDefaults(spec: ServiceSpec): void {
	spec.sessionAffinity ||= "None";
	if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
	else if (spec.sessionAffinity === "ClientIP") {
		spec.sessionAffinityConfig ??= {};
		spec.sessionAffinityConfig.clientIP ??= {};
		spec.sessionAffinityConfig.clientIP.timeoutSeconds ??= threeHoursSeconds;
	}
	spec.type ||= "ClusterIP";
	for (const port of spec.ports ?? []) {
		port.protocol ||= "TCP";
		if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "") port.targetPort = port.port;
	}
	const outside = spec.type === "NodePort" || spec.type === "LoadBalancer";
	if (outside || (spec.type === "ClusterIP" && (spec.externalIPs ?? []).length > 0))
		spec.externalTrafficPolicy ||= "Cluster";
	if (outside || spec.type === "ClusterIP") spec.internalTrafficPolicy ||= "Cluster";
	if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
}

/** `clusterIP` is the first of `clusterIPs`; clients may set either. */
function syncAddresses(spec: ServiceSpec): void {
	if (spec.clusterIP && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
	else if (!spec.clusterIP && spec.clusterIPs?.[0] !== undefined) spec.clusterIP = spec.clusterIPs[0];
}

const hasAddress = (spec: ServiceSpec) => spec.type !== "ExternalName";
const hasNodePorts = (spec: ServiceSpec) => spec.type === "NodePort" || spec.type === "LoadBalancer";

/** A client that omits allocated values does not release them. */
function keepAllocated(spec: ServiceSpec, old: ServiceSpec): void {
	if (hasAddress(spec) && hasAddress(old)) {
		if (!spec.clusterIP && old.clusterIP) {
			spec.clusterIP = old.clusterIP;
			if (old.clusterIPs !== undefined && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [...old.clusterIPs];
		}
		// A client that changes only the first one means both.
		if (spec.clusterIP !== old.clusterIP && spec.clusterIPs?.[0] === old.clusterIPs?.[0])
			spec.clusterIPs = spec.clusterIP ? [spec.clusterIP, ...(spec.clusterIPs ?? []).slice(1)] : [];
		if (old.ipFamilies !== undefined) spec.ipFamilies ??= [...old.ipFamilies];
		if (old.ipFamilyPolicy !== undefined) spec.ipFamilyPolicy ??= old.ipFamilyPolicy;
	}
	if (!hasNodePorts(spec) || !hasNodePorts(old)) return;
	const taken = new Set((spec.ports ?? []).map((port) => port.nodePort ?? 0));
	const before = new Map(old.ports?.map(({ port, protocol, nodePort }) => [`${port}/${protocol}`, nodePort]));
	for (const port of spec.ports ?? []) {
		if (port.nodePort) continue;
		const nodePort = before.get(`${port.port}/${port.protocol}`);
		if (nodePort && !taken.has(nodePort)) port.nodePort = nodePort;
	}
	if (!spec.healthCheckNodePort && old.healthCheckNodePort && needsHealthCheck(spec) && needsHealthCheck(old))
		spec.healthCheckNodePort = old.healthCheckNodePort;
}

const needsHealthCheck = (spec: ServiceSpec) => spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";

/** When the type changes, fields that only the old type has are removed, unless the client changed them, too. */
function dropWhatTypeLacks(spec: ServiceSpec, old: ServiceSpec): void {
	if (hasAddress(old) && !hasAddress(spec) && spec.clusterIP === old.clusterIP) {
		delete spec.clusterIP;
		delete spec.clusterIPs;
		delete spec.ipFamilies;
		delete spec.ipFamilyPolicy;
	}
	if (hasNodePorts(old) && !hasNodePorts(spec)) {
		const before = new Set(old.ports?.map(({ nodePort }) => nodePort));
		for (const port of spec.ports ?? []) if (before.has(port.nodePort)) delete port.nodePort;
		if ((spec.externalIPs ?? []).length === 0 && spec.externalTrafficPolicy === old.externalTrafficPolicy)
			delete spec.externalTrafficPolicy;
	}
	if (needsHealthCheck(old) && !needsHealthCheck(spec) && spec.healthCheckNodePort === old.healthCheckNodePort)
		delete spec.healthCheckNodePort;
	if (old.type === "LoadBalancer" && spec.type !== "LoadBalancer") {
		if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts)
			delete spec.allocateLoadBalancerNodePorts;
		if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass;
	}
}

function portsText(ports: readonly ServicePort[] | undefined): string {
	if (ports === undefined || ports.length === 0) return "<none>";
	return ports
		.map(({ port, nodePort, protocol }) => `${port}${nodePort ? `:${nodePort}` : ""}/${protocol ?? "TCP"}`)
		.join(",");
}

function externalText({ spec, status }: Service): string {
	const external = spec.externalIPs ?? [];
	if (spec.type === "ExternalName") return spec.externalName ?? "";
	if (spec.type !== "LoadBalancer") return external.length === 0 ? "<none>" : external.join(",");
	const ingress = (status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "");
	const all = [...new Set([...ingress.filter((address) => address !== "")].sort()), ...external];
	return all.length === 0 ? "<pending>" : all.join(",");
}
