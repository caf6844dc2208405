/** The HTTP and HTTPS servers of Ingresses. */
import { Agent, createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { Socket } from "node:net";
import type { SecureContext } from "node:tls";
import type { Endpoint } from "./backends.ts";
import { type Forwarding, forwardRequest, forwardUpgrade, refuse, refuseUpgrade } from "./forward.ts";
import { plainPath } from "./routes.ts";

export interface IngressView {
	/** Endpoints, the next one first; or the status and the reason why there are none. */
	endpoints(host: string, path: string): readonly Endpoint[] | { status: number; why: string };
	/** For a client that wants this host; undefined: there is no certificate. */
	secureContext(host: string): SecureContext | undefined;
}

export interface IngressServers {
	/** They listen when the caller makes them. */
	http: Server;
	https: TlsServer;
	close(): Promise<void>;
}

const mostHeaderBytes = 32 * 1024;
const mostConnections = 10_000;
/** Idle connections to each backend's endpoint. */
const mostKept = 32;
const headersMs = 60_000;

export function createIngressServers(view: IngressView): IngressServers {
	const agent = new Agent({ keepAlive: true, maxFreeSockets: mostKept });
	const options = {
		maxHeaderSize: mostHeaderBytes,
		headersTimeout: headersMs,
		// Uploads take as long as they take.
		requestTimeout: 0,
		insecureHTTPParser: false,
	};
	const servers = {
		http: createServer(options),
		https: createTlsServer({
			...options,
			SNICallback: (host, done) => done(null, view.secureContext(host)),
			ALPNProtocols: ["http/1.1"],
		}),
	};
	new IngressServer(servers.http, view, agent, "http");
	new IngressServer(servers.https, view, agent, "https");
	return {
		...servers,
		async close() {
			const closed = [servers.http, servers.https].map(
				(server) => new Promise<void>((resolve) => server.close(() => resolve())),
			);
			servers.http.closeAllConnections();
			servers.https.closeAllConnections();
			agent.destroy();
			await Promise.all(closed);
		},
	};
}

interface Wanted {
	host: string;
	hostHeader: string;
	/** For comparison. */
	path: string;
	/** To send. */
	target: string;
}

interface Problem {
	status: number;
	why: string;
}

class IngressServer {
	readonly #view: IngressView;
	readonly #agent: Agent;
	readonly #protocol: "http" | "https";

	constructor(server: Server, view: IngressView, agent: Agent, protocol: "http" | "https") {
		this.#view = view;
		this.#agent = agent;
		this.#protocol = protocol;
		server.maxConnections = mostConnections;
		server.on("request", (incoming, response) => this.#serve(incoming, response));
		server.on("upgrade", (incoming: IncomingMessage, socket: Socket, head: Buffer) =>
			this.#upgrade(incoming, socket, head),
		);
	}

	#serve(incoming: IncomingMessage, response: ServerResponse): void {
		const way = this.#wayOf(incoming);
		if ("why" in way) refuse(response, way.status, way.why);
		else forwardRequest(incoming, response, way);
	}

	#upgrade(incoming: IncomingMessage, socket: Socket, head: Buffer): void {
		const { headers } = incoming;
		socket.on("error", () => socket.destroy());
		const hasBody = headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
		if (hasBody) refuseUpgrade(socket, 501, "a request with a body cannot change the protocol");
		else if (headers.upgrade?.toLowerCase().startsWith("h2c") === true) this.#serveOnce(incoming, socket);
		else {
			const way = this.#wayOf(incoming);
			if ("why" in way) refuseUpgrade(socket, way.status, way.why);
			else forwardUpgrade(incoming, socket, head, way);
		}
	}

	/**
	 * A client offers HTTP/2, and gets HTTP/1.1: a backend that accepted it would be asked for more than this server sees.
	 */
	#serveOnce(incoming: IncomingMessage, socket: Socket): void {
		const response = new ServerResponse(incoming);
		response.shouldKeepAlive = false;
		response.assignSocket(socket);
		response.once("finish", () => socket.end());
		this.#serve(incoming, response);
	}

	#wayOf(incoming: IncomingMessage): Forwarding | Problem {
		const wanted = wantedOf(incoming);
		if (typeof wanted === "string") return { status: 400, why: wanted };
		const { host, path, target, hostHeader } = wanted;
		const endpoints = this.#view.endpoints(host, path);
		if ("why" in endpoints) return endpoints;
		return { endpoints, target, host: hostHeader, protocol: this.#protocol, agent: this.#agent };
	}
}

/** What a request is for; text: what is wrong with it. */
function wantedOf({ url = "", rawHeaders, headers }: IncomingMessage): Wanted | string {
	const count = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === "host").length;
	if (count > 1) return "more than one Host header";
	// RFC 9112, 3.2.2: then the header does not count.
	const absolute = /^https?:\/\/([^/?#]*)([^#]*)$/i.exec(url);
	const hostHeader = absolute?.[1] ?? headers.host ?? "";
	const target = absolute === null ? url : absolute[2]?.startsWith("/") ? absolute[2] : `/${absolute[2]}`;
	if (!target.startsWith("/")) return "the target is not a path";
	const host = /^([\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.exec(hostHeader)?.[1];
	if (hostHeader !== "" && host === undefined) return "the host is not valid";
	const [rawPath = "/"] = target.split("?");
	const path = plainPath(rawPath);
	if (path === undefined) return "the path has segments '.' or '..'";
	return { host: (host ?? "").toLowerCase().replace(/\.$/, ""), hostHeader, path, target };
}
