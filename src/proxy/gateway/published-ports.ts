/** From Services, EndpointSlices and pods to the ports that the machine itself answers on. Pure. */
import { objectKey } from "../../core/object.ts";
import type { EndpointSlice, Pod, Service } from "../../kinds/generated/types.ts";
import { servicePorts } from "../rules.ts";
import type { Target } from "./target.ts";

export interface PublishedPort {
	/** `TCP 127.0.0.1:30080`, unique. */
	key: string;
	protocol: "TCP" | "UDP";
	address: string;
	port: number;
	/** For messages: `node port of Service default/web`. */
	purpose: string;
	target: Target;
}

export interface PublishInput {
	/** Those of type NodePort and LoadBalancer. */
	services: Iterable<Service>;
	slicesOf(service: Service): Iterable<EndpointSlice>;
	/** Those with host ports. */
	pods: Iterable<Pod>;
	/** Of node ports and host ports. */
	address: string;
	/** Of a load balancer; undefined: the Service has none. */
	balancerAddress(service: Service): string | undefined;
}

export interface Published {
	/** By their keys. */
	ports: ReadonlyMap<string, PublishedPort>;
	/** The ports of each load balancer, by the Service's key, or why it cannot have them. */
	balancers: ReadonlyMap<string, { address: string; ports: string[] } | { problem: string }>;
}

export function publishedPorts(input: PublishInput): Published {
	const ports = new Map<string, PublishedPort>();
	const balancers = new Map<string, { address: string; ports: string[] } | { problem: string }>();
	// Where two want one port, the older Service has it.
	const services = [...input.services].sort(byAge);
	for (const service of services) {
		for (const { nodePort, protocol, target } of targetsOf(service, input)) {
			if (nodePort === undefined || protocol === "SCTP") continue;
			add(ports, protocol, input.address, nodePort, `node port of Service ${objectKey(service)}`, target);
		}
	}
	for (const service of services) {
		const address = input.balancerAddress(service);
		if (address === undefined) continue;
		balancers.set(objectKey(service), balancerPorts(service, address, input, ports));
	}
	for (const pod of input.pods) addHostPorts(ports, pod, input.address);
	return { ports, balancers };
}

function balancerPorts(
	service: Service,
	address: string,
	input: PublishInput,
	ports: Map<string, PublishedPort>,
): { address: string; ports: string[] } | { problem: string } {
	const { loadBalancerSourceRanges: sourceRanges = [] } = service.spec ?? {};
	const purpose = `load balancer of Service ${objectKey(service)}`;
	const keys: string[] = [];
	const wanted = targetsOf(service, input);
	for (const { protocol, port } of wanted) {
		if (protocol === "SCTP") return { problem: `port ${port}: SCTP is not published, only TCP and UDP are` };
		const other = ports.get(keyOf(protocol, address, port));
		if (other !== undefined) return { problem: `port ${port} of ${address} is the ${other.purpose}` };
	}
	for (const { protocol, port, target } of wanted) {
		if (protocol === "SCTP") continue;
		const restricted = sourceRanges.length === 0 ? target : { ...target, sourceRanges };
		keys.push(add(ports, protocol, address, port, purpose, restricted));
	}
	return { address, ports: keys };
}

/** Clients outside reach endpoints on all nodes, whatever the traffic policies: the machine is no node. */
function targetsOf(service: Service, { slicesOf }: PublishInput) {
	const spec = { ...service.spec };
	delete spec.externalTrafficPolicy;
	delete spec.internalTrafficPolicy;
	return servicePorts({ ...service, spec }, slicesOf(service), { nodeName: "" }).map(
		({ protocol, port, nodePort, endpoints, affinitySeconds }) => ({
			protocol,
			port,
			nodePort,
			target: { endpoints, ...(affinitySeconds === undefined ? {} : { affinitySeconds }) } as Target,
		}),
	);
}

/** Pods of several nodes may have the same host port: they share the machine's. */
function addHostPorts(ports: Map<string, PublishedPort>, pod: Pod, address: string): void {
	const { podIP = "", phase } = pod.status ?? {};
	if (phase !== "Running" || podIP === "" || podIP.includes(":")) return;
	for (const { ports: declared = [] } of pod.spec.containers) {
		for (const { hostPort = 0, hostIP = "", protocol = "TCP", containerPort } of declared) {
			if (hostPort === 0 || protocol === "SCTP") continue;
			// A node's loopback address is that of the machine, as far as that is published.
			if (hostIP.startsWith("127.") && !address.startsWith("127.") && address !== "0.0.0.0") continue;
			const at = hostIP.startsWith("127.") ? "127.0.0.1" : address;
			const endpoint = { address: podIP, port: containerPort };
			const before = ports.get(keyOf(protocol, at, hostPort));
			if (before !== undefined && !before.purpose.startsWith("host port")) continue;
			const endpoints = [...(before?.target.endpoints ?? []), endpoint];
			const purpose = before?.purpose ?? `host port of pod ${objectKey(pod)}`;
			// Validation rejects any other protocol.
			add(ports, protocol as "TCP" | "UDP", at, hostPort, purpose, { endpoints });
		}
	}
}

function add(
	ports: Map<string, PublishedPort>,
	protocol: "TCP" | "UDP",
	address: string,
	port: number,
	purpose: string,
	target: Target,
): string {
	const key = keyOf(protocol, address, port);
	ports.set(key, { key, protocol, address, port, purpose, target });
	return key;
}

function keyOf(protocol: string, address: string, port: number): string {
	return `${protocol} ${address}:${port}`;
}

function byAge({ metadata: a }: Service, { metadata: b }: Service): number {
	if (a.creationTimestamp !== b.creationTimestamp) return a.creationTimestamp < b.creationTimestamp ? -1 : 1;
	return a.uid < b.uid ? -1 : 1;
}
