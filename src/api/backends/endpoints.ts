/** Endpoints of pods and services, and connections to them. */
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import { ApiError, notFound } from "../../core/errors.ts";
import type { Pod, Service } from "../../kinds/generated/types.ts";
import { endpointSlices } from "../../kinds/networking/endpointslice.ts";
import { services } from "../../kinds/networking/service.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { keyPrefix } from "../cache/keys.ts";
import { dial, type Reach } from "./agent.ts";

/** A pod, or an endpoint of a service that is no pod. */
export type Endpoint = { pod: Pod; port: number } | { address: string; port: number };

/** As the endpoint may call itself: `10.0.0.1:8080`. */
export function hostOf(endpoint: Endpoint): string {
	return `${"pod" in endpoint ? (endpoint.pod.status?.podIP ?? "") : endpoint.address}:${endpoint.port}`;
}

/** @param port a number; empty for the first port of the pod's containers @throws ApiError NotFound, BadRequest */
export function podPort(server: Reach, namespace: string, name: string, port: string): Endpoint {
	const pod = podNamed(server, namespace, name);
	const number = port === "" ? firstPort(pod) : Number(port);
	if (!Number.isInteger(number)) throw new ApiError("BadRequest", `invalid port "${port}" of pod ${name}`);
	return { pod, port: number };
}

/**
 * A ready endpoint of a service, chosen at random.
 * @param port name or number of a port of the service; empty where it has only one
 * @throws ApiError NotFound, ServiceUnavailable
 */
export function serviceEndpoint(server: Reach, namespace: string, name: string, port: string): Endpoint {
	const service = server.cache.find(services, namespace, name);
	if (service === undefined) throw notFound(services, name);
	const choices = backends(server, namespace, name, namedPort(service, port));
	const chosen = choices[Math.floor(server.clock.random() * choices.length)];
	if (chosen === undefined) throw new ApiError("ServiceUnavailable", `no endpoints available for service "${name}"`);
	return "pod" in chosen ? { pod: podNamed(server, namespace, chosen.pod), port: chosen.port } : chosen;
}

function podNamed({ cache }: Reach, namespace: string, name: string): Pod {
	const found = cache.find(pods, namespace, name);
	if (found === undefined) throw notFound(pods, name);
	return found;
}

function firstPort({ spec }: Pod): number {
	for (const { ports = [] } of spec.containers) if (ports[0] !== undefined) return ports[0].containerPort;
	return 80;
}

/** @throws ApiError BadRequest, ServiceUnavailable */
export async function connectTo(server: Reach, endpoint: Endpoint): Promise<Duplex> {
	if (!("pod" in endpoint)) return connectToAddress(server, endpoint.address, endpoint.port);
	const { pod, port } = endpoint;
	const node = pod.spec.nodeName ?? "";
	if (node === "") throw new ApiError("BadRequest", `pod ${pod.metadata.name} does not have a host assigned`);
	const { namespace = "", name } = pod.metadata;
	const connection = await dial(server, node);
	const { connectToPort } = await import("./pod-port.ts");
	return connectToPort(connection, namespace, name, port);
}

/** A reference to a service. */
export interface ServiceReference {
	namespace?: string;
	name?: string;
	/** Default 443. */
	port?: number;
}

/**
 * A connection to a ready endpoint of a service. Endpoints that are no pods, and the host of an ExternalName, are
 * connected to from the machine.
 * @throws ApiError NotFound, ServiceUnavailable
 */
export async function connectToService(server: Reach, { namespace = "", name = "", port = 443 }: ServiceReference) {
	const service = server.cache.find(services, namespace, name);
	if (service?.spec.type === "ExternalName") return dialMachine(service.spec.externalName ?? "", port);
	const endpoint = serviceEndpoint(server, namespace, name, String(port));
	if ("pod" in endpoint) return connectTo(server, endpoint);
	const { address, port: number } = endpoint;
	return server.options.dialAddress?.(address, number) ?? dialMachine(address, number);
}

/** A connection from the machine itself. */
export function dialMachine(host: string, port: number): Promise<Duplex> {
	return new Promise((resolve, reject) => {
		const socket = connect({ host, port });
		socket.once("error", reject);
		socket.once("connect", () => {
			socket.off("error", reject);
			resolve(socket);
		});
	});
}

function connectToAddress({ options }: Reach, address: string, port: number): Duplex {
	const connection = options.dialAddress?.(address, port);
	if (connection === undefined)
		throw new ApiError(
			"ServiceUnavailable",
			`error trying to reach service: dial tcp ${address}:${port}: only pods can be reached through the API server`,
		);
	return connection;
}

/** Endpoints have the ports of a service by name. */
function namedPort({ spec, metadata }: Service, port: string): string {
	const { ports = [] } = spec;
	if (port === "" && ports.length === 1) return ports[0]?.name ?? "";
	const found = ports.find((candidate) => candidate.name === port || String(candidate.port) === port);
	if (port !== "" && found === undefined)
		throw new ApiError("ServiceUnavailable", `no service port "${port}" found for service "${metadata.name}"`);
	return found?.name ?? "";
}

function backends(server: Reach, namespace: string, service: string, portName: string) {
	const found: ({ pod: string; port: number } | { address: string; port: number })[] = [];
	for (const { object } of server.cache.resource(endpointSlices).range(keyPrefix(endpointSlices, namespace))) {
		if (object.metadata.labels?.["kubernetes.io/service-name"] !== service) continue;
		const { endpoints = [], ports = [] } = object;
		const port = ports.find(({ name = "" }) => name === portName)?.port;
		if (port === undefined) continue;
		for (const { targetRef, conditions, addresses = [] } of endpoints) {
			const [address] = addresses;
			if (conditions?.ready === false) continue;
			if (targetRef?.kind === "Pod" && targetRef.name !== undefined) found.push({ pod: targetRef.name, port });
			else if (address !== undefined) found.push({ address, port });
		}
	}
	return found;
}
