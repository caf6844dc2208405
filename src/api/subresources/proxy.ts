/** pods/proxy, services/proxy and nodes/proxy: HTTP through the API server to what runs in the cluster. */
import type { Duplex } from "node:stream";
import { ApiError, notFound } from "../../core/errors.ts";
import type { ApiResponse } from "../../core/exchange.ts";
import { endpointSlices } from "../../kinds/endpointslice.ts";
import type { EndpointSlice, Pod, Service } from "../../kinds/generated/types.ts";
import { pods } from "../../kinds/pod.ts";
import { keyPrefix, objectKey } from "../cache/keys.ts";
import type { Context, Server } from "../server.ts";
import { named, type Target } from "../target.ts";
import { dial, forward } from "./agent.ts";
import { connectToPort } from "./pod-port.ts";

export async function proxyNode(context: Context, target: Target): Promise<ApiResponse> {
	const { name } = splitName(named(target).name);
	const connection = await dial(context.server, name);
	return forward(context, connection, pathOf(context, target));
}

export async function proxyPod(context: Context, target: Target): Promise<ApiResponse> {
	const { name, port } = splitName(named(target).name);
	const pod = podNamed(context.server, target.namespace ?? "", name);
	const number = port === "" ? firstPort(pod) : Number(port);
	if (!Number.isInteger(number)) throw new ApiError("BadRequest", `invalid port "${port}" of pod ${name}`);
	return forward(context, await connectTo(context.server, pod, number), pathOf(context, target));
}

export async function proxyService(context: Context, target: Target): Promise<ApiResponse> {
	const { server } = context;
	const { name, port } = splitName(named(target).name);
	const { namespace = "" } = target;
	const found = target.objects.get(objectKey(target.kind, namespace, name));
	if (found === undefined) throw notFound(target.kind, name);
	// The target is a service.
	const portName = namedPort(found.object as Service, port);
	const choices = backends(server, namespace, name, portName);
	const choice = choices[Math.floor(server.clock.random() * choices.length)];
	if (choice === undefined) throw new ApiError("ServiceUnavailable", `no endpoints available for service "${name}"`);
	const pod = podNamed(server, namespace, choice.pod);
	return forward(context, await connectTo(server, pod, choice.port), pathOf(context, target));
}

/** `name`, `name:port` or `scheme:name:port`. */
function splitName(text: string): { name: string; port: string } {
	const parts = text.split(":");
	if (parts.length > 3) throw new ApiError("BadRequest", `invalid request "${text}"`);
	if (parts[0] === "https" && parts.length === 3)
		throw new ApiError("BadRequest", "proxying to https is not supported: the agent forwards plain connections");
	const [name = "", port = ""] = parts.length === 3 ? parts.slice(1) : parts;
	return { name, port };
}

function pathOf({ request }: Context, { rest }: Target): string {
	const query = request.query.size === 0 ? "" : `?${request.query}`;
	return `${rest === "" ? "/" : rest}${query}`;
}

function podNamed({ cache }: Server, namespace: string, name: string): Pod {
	const found = cache.resource(pods).get(objectKey(pods, namespace, name));
	if (found === undefined) throw notFound(pods, name);
	// Nothing else is in this cache.
	return found.object as Pod;
}

function firstPort({ spec }: Pod): number {
	for (const { ports = [] } of spec.containers) if (ports[0] !== undefined) return ports[0].containerPort;
	return 80;
}

async function connectTo(server: Server, pod: Pod, port: number): Promise<Duplex> {
	const node = pod.spec.nodeName ?? "";
	if (node === "") throw new ApiError("BadRequest", `pod ${pod.metadata.name} does not have a host assigned`);
	const { namespace = "", name } = pod.metadata;
	return connectToPort(await dial(server, node), namespace, name, port);
}

/** Endpoints know the ports of a service by name. */
function namedPort({ spec, metadata }: Service, port: string): string {
	const { ports = [] } = spec;
	if (port === "" && ports.length === 1) return ports[0]?.name ?? "";
	const found = ports.find((candidate) => candidate.name === port || String(candidate.port) === port);
	if (port !== "" && found === undefined)
		throw new ApiError("ServiceUnavailable", `no service port "${port}" found for service "${metadata.name}"`);
	return found?.name ?? "";
}

function backends(server: Server, namespace: string, service: string, portName: string) {
	const found: { pod: string; port: number }[] = [];
	for (const { object } of server.cache.resource(endpointSlices).range(keyPrefix(endpointSlices, namespace))) {
		if (object.metadata.labels?.["kubernetes.io/service-name"] !== service) continue;
		// Nothing else is in this cache.
		const { endpoints = [], ports = [] } = object as EndpointSlice;
		const port = ports.find(({ name = "" }) => name === portName)?.port;
		if (port === undefined) continue;
		for (const { targetRef, conditions } of endpoints) {
			if (conditions?.ready === false || targetRef?.kind !== "Pod" || targetRef.name === undefined) continue;
			found.push({ pod: targetRef.name, port });
		}
	}
	return found;
}
