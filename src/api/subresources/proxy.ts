/** pods/proxy, services/proxy and nodes/proxy: HTTP through the API server into the cluster. */
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { ApiError, messageOf, notFound } from "../../core/errors.ts";
import type { ApiRequest, ApiResponse } from "../../core/exchange.ts";
import type { Clock } from "../../core/time/clock.ts";
import { dial, forward } from "../backends/agent.ts";
import { connectTo, hostOf, podPort, serviceEndpoint } from "../backends/endpoints.ts";
import { objectKey } from "../cache/keys.ts";
import { admitConnection } from "../mutate/connection.ts";
import { named, type Target } from "../resources/target.ts";
import type { Context, Server } from "../server/server.ts";
import { ensureMayConnect } from "./connect.ts";
import { withProxiedLinks } from "./proxied-links.ts";

const handshakeTimeoutMs = 10_000;

/** The target of a proxied request. */
interface Backend {
	connect(): Promise<Duplex>;
	/** Its host and port; undefined for an agent. */
	host: string | undefined;
}

export async function proxy(context: Context, target: Target): Promise<ApiResponse> {
	const { request, server } = context;
	await admitConnection(context, target);
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

/** An upgraded connection. Clients that reach an agent with it can run commands. */
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
		// An agent listens on one socket, which stands for every port.
		return { connect: () => dial(server, name), host: undefined };
	}
	const isPod = target.kind.plural === "pods";
	const endpoint = isPod ? podPort(server, namespace, name, port) : serviceEndpoint(server, namespace, name, port);
	return {
		async connect() {
			const connection = await connectTo(server, endpoint);
			return scheme === "https" ? secured(connection, server.clock) : connection;
		},
		host: hostOf(endpoint),
	};
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
 * TLS without a check of the certificate, which a pod chooses itself.
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
