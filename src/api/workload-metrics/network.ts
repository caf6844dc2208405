import { endpoints } from "../../kinds/networking/endpoints.ts";
import { endpointSlices } from "../../kinds/networking/endpointslice.ts";
import { ingresses } from "../../kinds/networking/ingress.ts";
import { networkPolicies } from "../../kinds/networking/networkpolicy.ts";
import { services } from "../../kinds/networking/service.ts";
import { created, deletion, info, ofKind, resourceVersion, value } from "./family.ts";

export const serviceFamilies = ofKind(
	services,
	({ metadata: { namespace, name, uid } }) => ({ namespace, service: name, uid }),
	[
		info("kube_service_info", "Information about the Service", ({ spec }) => ({
			cluster_ip: spec.clusterIP,
			external_name: spec.externalName,
			load_balancer_ip: spec.loadBalancerIP,
			external_traffic_policy: spec.externalTrafficPolicy,
		})),
		created("service"),
		deletion("service"),
		info("kube_service_spec_type", "Type", ({ spec }) => ({ type: spec.type })),
		{
			name: "kube_service_spec_external_ip",
			help: "External addresses",
			each({ spec }, add) {
				for (const address of spec.externalIPs ?? []) add(1, { external_ip: address });
			},
		},
		{
			name: "kube_service_status_load_balancer_ingress",
			help: "Addresses of the load balancer",
			each({ status }, add) {
				for (const { ip, hostname } of status?.loadBalancer?.ingress ?? []) add(1, { ip, hostname });
			},
		},
	],
);

export const endpointFamilies = ofKind(
	endpoints,
	({ metadata: { namespace, name } }) => ({ namespace, endpoint: name }),
	[
		info("kube_endpoint_info", "Information about the Endpoints"),
		created("endpoint"),
		{
			name: "kube_endpoint_ports",
			help: "Ports",
			each({ subsets = [] }, add) {
				for (const { ports = [] } of subsets)
					for (const { name, protocol, port } of ports)
						add(1, { port_name: name, port_protocol: protocol, port_number: String(port) });
			},
		},
		{
			name: "kube_endpoint_address",
			help: "Addresses by port",
			each({ subsets = [] }, add) {
				for (const { ports = [], addresses = [], notReadyAddresses = [] } of subsets)
					for (const { name, protocol, port } of ports) {
						const labels = { port_protocol: protocol, port_number: String(port), port_name: name };
						for (const { ip } of addresses) add(1, { ...labels, ip, ready: "true" });
						for (const { ip } of notReadyAddresses) add(1, { ...labels, ip, ready: "false" });
					}
			},
		},
	],
);

export const endpointSliceFamilies = ofKind(
	endpointSlices,
	({ metadata: { namespace, name } }) => ({ endpointslice: name, namespace }),
	[
		info("kube_endpointslice_info", "Information about the EndpointSlice", ({ addressType }) => ({
			addresstype: addressType,
		})),
		created("endpointslice"),
		{
			name: "kube_endpointslice_ports",
			help: "Ports",
			each({ ports }, add) {
				for (const { name, protocol, port } of ports ?? [])
					add(1, { port_name: name, port_protocol: protocol, port_number: port === undefined ? "" : String(port) });
			},
		},
		{
			name: "kube_endpointslice_endpoints",
			help: "Endpoints",
			each({ endpoints: all }, add) {
				for (const { addresses, conditions = {}, hostname, targetRef, nodeName, zone } of all ?? []) {
					const is = (condition: boolean | undefined) => (condition === undefined ? "" : String(condition));
					for (const address of addresses ?? [])
						add(1, {
							address,
							ready: is(conditions.ready),
							serving: is(conditions.serving),
							terminating: is(conditions.terminating),
							hostname,
							targetref_kind: targetRef?.kind,
							targetref_name: targetRef?.name,
							targetref_namespace: targetRef?.namespace,
							nodename: nodeName,
							endpoint_zone: zone,
						});
				}
			},
		},
		{
			name: "kube_endpointslice_endpoints_hints",
			help: "Zones in which its endpoints are used",
			each({ endpoints: all }, add) {
				for (const { addresses, hints } of all ?? [])
					for (const { name } of hints?.forZones ?? []) add(1, { address: addresses?.[0], for_zone: name });
			},
		},
	],
);

export const networkPolicyFamilies = ofKind(
	networkPolicies,
	({ metadata: { namespace, name } }) => ({ namespace, networkpolicy: name }),
	[
		created("networkpolicy"),
		value("kube_networkpolicy_spec_ingress_rules", "Number of ingress rules", ({ spec }) => spec?.ingress?.length ?? 0),
		value("kube_networkpolicy_spec_egress_rules", "Number of egress rules", ({ spec }) => spec?.egress?.length ?? 0),
	],
);

export const ingressFamilies = ofKind(
	ingresses,
	({ metadata: { namespace, name } }) => ({ namespace, ingress: name }),
	[
		info("kube_ingress_info", "Information about the Ingress", ({ metadata, spec }) => ({
			ingressclass: metadata.annotations?.["kubernetes.io/ingress.class"] ?? spec?.ingressClassName ?? "_default",
		})),
		created("ingress"),
		resourceVersion("ingress"),
		{
			name: "kube_ingress_path",
			help: "Paths of the rules",
			each({ spec }, add) {
				for (const { host, http } of spec?.rules ?? [])
					for (const { path, pathType, backend } of http?.paths ?? []) {
						const { service, resource } = backend;
						const to =
							service === undefined
								? {
										resource_api_group: resource?.apiGroup,
										resource_kind: resource?.kind,
										resource_name: resource?.name,
									}
								: { service_name: service.name, service_port: String(service.port?.number ?? 0) };
						add(1, { host, path, path_type: pathType, ...to });
					}
			},
		},
		{
			name: "kube_ingress_tls",
			help: "Hosts with TLS",
			each({ spec }, add) {
				for (const { hosts = [], secretName } of spec?.tls ?? [])
					for (const host of hosts) add(1, { tls_host: host, secret: secretName });
			},
		},
	],
);
