/** pods/proxy, services/proxy and nodes/proxy: HTTP through the API server to what runs in the cluster. */
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { Clock } from "../../core/clock.ts";
import { ApiError, messageOf, notFound } from "../../core/errors.ts";
import type { ApiRequest, ApiResponse } from "../../core/exchange.ts";
import type { Pod, Service } from "../../kinds/generated/types.ts";
import { endpointSlices } from "../../kinds/networking/endpointslice.ts";
import { pods } from "../../kinds/pod/pod.ts";
import { keyPrefix, objectKey } from "../cache/keys.ts";
import { named, type Target } from "../resources/target.ts";
import type { Context, Server } from "../server/server.ts";
import { dial, forward } from "./agent.ts";
import { ensureMayConnect } from "./connect.ts";
import { withProxiedLinks } from "./proxied-links.ts";

const handshakeTimeoutMs = 10_000;

/** What is proxied to. */
interface Backend {
	connect(): Promise<Duplex>;
	/** Its host and port, as it may call itself; undefined for an agent, which is not asked by a name. */
	host: string | undefined;
}

export async function proxy(context: Context, target: Target): Promise<ApiResponse> {
	const { request, server } = context;
	if (request.upgrade) return switched(context, target);
	const backend = backendOf(server, target);
	const prefix = target.rest === "" ? request.path : request.path.slice(0, -target.rest.length);
	// Relative links of a page lead to where they should only when its address ends with a slash.
	if (target.rest === "" && (request.method === "GET" || request.method === "HEAD"))
		return redirect(`${prefix}/${queryOf(request)}`);
	const host = request.headers["host"];
	const response = await forward(context, await backend.connect(), `${target.rest || "/"}${queryOf(request)}`, {
		"x-forwarded-uri": request.path,
		...(backend.host === undefined || host === undefined ? {} : { host }),
	});
	return withProxiedLinks(response, { prefix, hosts: [backend.host, host].filter((name) => name !== undefined) });
}

/** A connection that becomes something else. Who reaches an agent by it can run commands. */
async function switched(context: Context, target: Target): Promise<ApiResponse> {
	const { server, request } = context;
	if (target.kind.plural === "nodes") await ensureMayConnect(context);
	await server.cache.fresh();
	const connection = await backendOf(server, target).connect();
	const path = `${target.rest || "/"}${queryOf(request)}`;
	return { type: "connection", status: 101, headers: {}, connection, path, host: request.headers["host"] };
}

function redirect(location: string): ApiResponse {
	return { type: "object", status: 301, headers: { location }, object: undefined, bytes: () => new Uint8Array() };
}

function queryOf({ query }: ApiRequest): string {
	return query.size === 0 ? "" : `?${query}`;
}

function backendOf(server: Server, target: Target): Backend {
	const { scheme, name, port } = splitName(target);
	const { namespace = "" } = target;
	if (target.kind.plural === "nodes") {
		if (target.objects.get(objectKey(target.kind, undefined, name)) === undefined) throw notFound(target.kind, name);
		// An agent listens on one socket, whatever port is asked for.
		return { connect: () => dial(server, name), host: undefined };
	}
	const endpoint = target.kind.plural === "pods" ? podPort(server, namespace, name, port) : choice();
	return {
		async connect() {
			const connection = await connectTo(server, endpoint);
			return scheme === "https" ? secured(connection, server.clock) : connection;
		},
		host: `${"pod" in endpoint ? (endpoint.pod.status?.podIP ?? "") : endpoint.address}:${endpoint.port}`,
	};

	function choice(): Endpoint {
		const found = target.objects.get(objectKey(target.kind, namespace, name));
		if (found === undefined) throw notFound(target.kind, name);
		// The target is a service.
		const portName = namedPort(found.object as Service, port);
		const choices = backends(server, namespace, name, portName);
		const chosen = choices[Math.floor(server.clock.random() * choices.length)];
		if (chosen === undefined) throw new ApiError("ServiceUnavailable", `no endpoints available for service "${name}"`);
		return "pod" in chosen ? { pod: podNamed(server, namespace, chosen.pod), port: chosen.port } : chosen;
	}
}

/** A pod, or what stands in a service's endpoints without one. */
type Endpoint = { pod: Pod; port: number } | { address: string; port: number };

function podPort(server: Server, namespace: string, name: string, port: string): Endpoint {
	const pod = podNamed(server, namespace, name);
	const number = port === "" ? firstPort(pod) : Number(port);
	if (!Number.isInteger(number)) throw new ApiError("BadRequest", `invalid port "${port}" of pod ${name}`);
	return { pod, port: number };
}

/** `name`, `name:port` or `scheme:name:port`. */
function splitName(target: Target): { scheme: string; name: string; port: string } {
	const text = named(target).name;
	const parts = text.split(":");
	const [scheme = "", name = "", port = ""] = parts.length === 3 ? parts : ["", ...parts];
	if (parts.length > 3 || name === "" || !["", "http", "https"].includes(scheme))
		throw new ApiError("BadRequest", `invalid ${target.kind.singular} request "${text}"`);
	return { scheme, name, port };
}

/**
 * TLS without a check of the certificate: what a pod presents is its own affair.
 * @param connection belongs to the result
 */
async function secured(connection: Duplex, clock: Clock): Promise<Duplex> {
	const secure = connectTls({ socket: connection, rejectUnauthorized: false });
	const timeout = clock.after(handshakeTimeoutMs, () => secure.destroy(new Error("TLS handshake timeout")));
	try {
		await once(secure, "secureConnect");
		return secure;
	} catch (error) {
		connection.destroy();
		const why = messageOf(error);
		throw new ApiError("ServiceUnavailable", `error trying to reach service: ${why}`);
	} finally {
		timeout.cancel();
	}
}

function podNamed({ cache }: Server, namespace: string, name: string): Pod {
	const found = cache.find(pods, namespace, name);
	if (found === undefined) throw notFound(pods, name);
	return found;
}

function firstPort({ spec }: Pod): number {
	for (const { ports = [] } of spec.containers) if (ports[0] !== undefined) return ports[0].containerPort;
	return 80;
}

async function connectTo(server: Server, endpoint: Endpoint): Promise<Duplex> {
	if (!("pod" in endpoint)) return connectToAddress(server, endpoint.address, endpoint.port);
	const { pod, port } = endpoint;
	const node = pod.spec.nodeName ?? "";
	if (node === "") throw new ApiError("BadRequest", `pod ${pod.metadata.name} does not have a host assigned`);
	const { namespace = "", name } = pod.metadata;
	const connection = await dial(server, node);
	const { connectToPort } = await import("./pod-port.ts");
	return connectToPort(connection, namespace, name, port);
}

function connectToAddress({ options }: Server, address: string, port: number): Duplex {
	const connection = options.dialAddress?.(address, port);
	if (connection === undefined)
		throw new ApiError(
			"ServiceUnavailable",
			`error trying to reach service: dial tcp ${address}:${port}: only pods can be reached through the API server`,
		);
	return connection;
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
