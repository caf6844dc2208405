/**
 * The records of the cluster's DNS, from Services, EndpointSlices and namespaces (Kubernetes DNS-Based Service
 * Discovery, schema version 1.1.0). Pure.
 */
import type { Endpoint, EndpointSlice, Service } from "../kinds/generated/types.ts";

export interface DnsView {
	service(namespace: string, name: string): Service | undefined;
	/** Slices of a service. */
	slices(namespace: string, service: string): Iterable<EndpointSlice>;
	namespaceExists(name: string): boolean;
	/** Services with this cluster IP, and slices with this endpoint address. */
	servicesAt(address: string): Iterable<Service>;
	slicesAt(address: string): Iterable<EndpointSlice>;
}

export type DnsRecord =
	| { type: "A" | "AAAA" | "CNAME" | "PTR" | "NS"; name: string; data: string }
	| { type: "SRV"; name: string; data: { priority: number; weight: number; port: number; target: string } }
	| { type: "TXT"; name: string; data: string }
	| { type: "SOA"; name: string; data: { mname: string; rname: string } };

export interface DnsAnswer {
	/**
	 * False: the name does not exist (NXDOMAIN). A name that exists without records of the type has no answers (NODATA).
	 */
	exists: boolean;
	answers: DnsRecord[];
	/** Addresses of the targets of SRV records. */
	additionals: DnsRecord[];
}

const nothing: DnsAnswer = { exists: false, answers: [], additionals: [] };
const noData: DnsAnswer = { exists: true, answers: [], additionals: [] };

/**
 * @param name in any case, without the final dot
 * @param domain of the cluster: `cluster.local`
 * @returns undefined for a name outside of the cluster
 */
export function clusterAnswer(name: string, type: string, domain: string, view: DnsView): DnsAnswer | undefined {
	const asked = name.toLowerCase().replace(/\.$/, "");
	if (asked.endsWith(".in-addr.arpa") || asked.endsWith(".ip6.arpa")) return reverse(name, asked, type, domain, view);
	if (asked === domain) return apex(name, type, domain);
	if (!asked.endsWith(`.${domain}`)) return undefined;
	const labels = asked.slice(0, -domain.length - 1).split(".");
	const area = labels.pop();
	if (area === "svc") return serviceArea(name, labels, type, domain, view);
	if (area === "pod") return podArea(name, labels, type, view);
	if (area === "dns-version" && labels.length === 0) {
		return type === "TXT" ? found({ type: "TXT", name, data: "1.1.0" }) : noData;
	}
	return nothing;
}

function apex(name: string, type: string, domain: string): DnsAnswer {
	if (type === "SOA") return found({ type, name, data: authority(domain) });
	if (type === "NS") return found({ type, name, data: `ns.dns.${domain}` });
	return noData;
}

/** The SOA record of the cluster's zone, for responses without records. */
export function authority(domain: string): { mname: string; rname: string } {
	return { mname: `ns.dns.${domain}`, rname: `hostmaster.${domain}` };
}

function serviceArea(name: string, labels: string[], type: string, domain: string, view: DnsView): DnsAnswer {
	const namespace = labels.pop();
	if (namespace === undefined) return noData;
	const serviceName = labels.pop();
	if (serviceName === undefined) return view.namespaceExists(namespace) ? noData : nothing;
	const service = view.service(namespace, serviceName);
	if (service === undefined) return nothing;
	const { externalName } = service.spec ?? {};
	if (service.spec?.type === "ExternalName") {
		if (labels.length > 0 || externalName === undefined) return nothing;
		return found({ type: "CNAME", name, data: externalName });
	}
	const base = `${serviceName}.${namespace}.svc.${domain}`;
	const targets = targetsOf(service, view, base);
	const [first, second] = labels;
	if (labels.length === 0) {
		if (type === "SRV") return services(name, targets);
		// A headless service without endpoints has no name (yet), as in CoreDNS.
		return targets.length === 0 ? nothing : addresses(name, type, targets);
	}
	if (labels.length === 2 && first?.startsWith("_") && second?.startsWith("_")) {
		const port = first.slice(1);
		const protocol = second.slice(1).toUpperCase();
		const named = targets.filter((target) => target.portName === port && target.protocol === protocol);
		if (named.length === 0) return nothing;
		return type === "SRV" ? services(name, named) : noData;
	}
	if (labels.length === 1 && first !== undefined) {
		// Endpoints of services with an address have names, too, as in CoreDNS.
		const named = endpointsOf(service, view, base).filter(({ host }) => host === `${first}.${base}`);
		return named.length === 0 ? nothing : addresses(name, type, named);
	}
	return nothing;
}

/** `10-244-1-7.NAMESPACE.pod.DOMAIN`, for any address (CoreDNS's `pods insecure`). */
function podArea(name: string, labels: string[], type: string, view: DnsView): DnsAnswer {
	const namespace = labels.pop();
	if (namespace === undefined) return noData;
	if (!view.namespaceExists(namespace)) return nothing;
	const [label, ...rest] = labels;
	if (label === undefined) return noData;
	if (rest.length > 0) return nothing;
	if (/^\d{1,3}(-\d{1,3}){3}$/.test(label)) {
		const octets = label.split("-");
		if (octets.some((octet) => Number(octet) > 255)) return nothing;
		return type === "A" ? found({ type, name, data: octets.join(".") }) : noData;
	}
	if (label.split("-").length > 2 && /^[0-9a-f-]+$/.test(label)) {
		return type === "AAAA" ? found({ type, name, data: label.replaceAll("-", ":") }) : noData;
	}
	return nothing;
}

function reverse(name: string, asked: string, type: string, domain: string, view: DnsView): DnsAnswer | undefined {
	const address = addressOf(asked);
	if (address === undefined) return undefined;
	const names: string[] = [];
	for (const { metadata } of view.servicesAt(address))
		names.push(`${metadata.name}.${metadata.namespace}.svc.${domain}`);
	if (names.length === 0) {
		for (const slice of view.slicesAt(address)) {
			const service = slice.metadata.labels?.["kubernetes.io/service-name"];
			const endpoint = slice.endpoints?.find(({ addresses }) => addresses.includes(address));
			if (service === undefined || endpoint === undefined) continue;
			names.push(`${hostOf(endpoint, address)}.${service}.${slice.metadata.namespace}.svc.${domain}`);
		}
	}
	// Other servers name addresses outside of the cluster.
	if (names.length === 0) return undefined;
	if (type !== "PTR") return noData;
	return {
		exists: true,
		answers: [...new Set(names)].sort().map((data) => ({ type: "PTR", name, data })),
		additionals: [],
	};
}

/** The address of a name under in-addr.arpa or ip6.arpa; IPv6 in full, in lower case. */
function addressOf(asked: string): string | undefined {
	const four = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\.in-addr\.arpa$/.exec(asked);
	if (four !== null) return four.slice(1).reverse().join(".");
	const six = /^((?:[0-9a-f]\.){32})ip6\.arpa$/.exec(asked);
	if (six?.[1] === undefined) return undefined;
	const digits = six[1].split(".").reverse().join("");
	return digits
		.match(/.{4}/g)
		?.map((group) => group.replace(/^0{1,3}/, ""))
		.join(":");
}

/** One address and port of a service. */
interface Target {
	/** Full name that resolves to the address. */
	host: string;
	address: string;
	portName: string;
	protocol: string;
	port: number | undefined;
}

function targetsOf(service: Service, view: DnsView, base: string): Target[] {
	const { spec } = service;
	if (spec?.clusterIP === "None") return endpointsOf(service, view, base);
	const ips = spec?.clusterIPs ?? (spec?.clusterIP === undefined ? [] : [spec.clusterIP]);
	const ports = spec?.ports ?? [];
	return ips
		.filter((address) => address !== "")
		.flatMap((address) =>
			(ports.length === 0 ? [undefined] : ports).map((port) => ({
				host: base,
				address,
				portName: port?.name ?? "",
				protocol: port?.protocol ?? "TCP",
				port: port?.port,
			})),
		);
}

function endpointsOf(service: Service, view: DnsView, base: string): Target[] {
	const targets: Target[] = [];
	for (const slice of view.slices(service.metadata.namespace ?? "", service.metadata.name)) {
		if (slice.addressType === "FQDN") continue;
		const ports = slice.ports ?? [];
		for (const endpoint of slice.endpoints ?? []) {
			if (endpoint.conditions?.ready === false) continue;
			for (const address of endpoint.addresses) {
				for (const port of ports.length === 0 ? [undefined] : ports) {
					targets.push({
						host: `${hostOf(endpoint, address)}.${base}`,
						address,
						portName: port?.name ?? "",
						protocol: port?.protocol ?? "TCP",
						port: port?.port,
					});
				}
			}
		}
	}
	return targets;
}

function hostOf({ hostname }: Endpoint, address: string): string {
	return hostname !== undefined && hostname !== "" ? hostname : address.replaceAll(/[.:]/g, "-");
}

function addresses(name: string, type: string, targets: readonly Target[]): DnsAnswer {
	if (type !== "A" && type !== "AAAA") return noData;
	const all = new Set(
		targets.map(({ address }) => address).filter((address) => address.includes(":") === (type === "AAAA")),
	);
	return { exists: true, answers: [...all].map((data) => ({ type, name, data })), additionals: [] };
}

function services(name: string, targets: readonly Target[]): DnsAnswer {
	const byHost = new Map<string, DnsRecord>();
	const additionals = new Map<string, DnsRecord>();
	const withPort = targets.filter(({ port }) => port !== undefined);
	const weight = Math.max(Math.floor(100 / Math.max(withPort.length, 1)), 1);
	for (const { host, port = 0, address } of withPort) {
		byHost.set(`${host}:${port}`, { type: "SRV", name, data: { priority: 0, weight, port, target: host } });
		additionals.set(`${host}/${address}`, { type: address.includes(":") ? "AAAA" : "A", name: host, data: address });
	}
	return { exists: targets.length > 0, answers: [...byHost.values()], additionals: [...additionals.values()] };
}

function found(record: DnsRecord): DnsAnswer {
	return { exists: true, answers: [record], additionals: [] };
}
