/** Requests to an extension API server: the service of an APIService, by TLS and with the certificate of a proxy. */
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { Duplex } from "node:stream";
import type { ApiRequest } from "../../core/exchange.ts";
import type { APIService } from "../../kinds/generated/types.ts";
import { services } from "../../kinds/networking/service.ts";
import type { Reach } from "../backends/agent.ts";
import { connectToService, type ServiceReference } from "../backends/endpoints.ts";
import { TlsAgent } from "../backends/tls-agent.ts";
import { tooManyRequests } from "../request/flow.ts";

/** Connections to one backend, watches among them. */
const mostConnections = 1000;
/** The number of pending requests to one backend, so that one that hangs does not block others. */
const mostUnanswered = 100;

export interface Sent {
	method: ApiRequest["method"];
	/** With the query. */
	path: string;
	headers: Readonly<Record<string, string | string[]>>;
	body?: Uint8Array | undefined;
	/** Aborts the request, also during the response. */
	signal: AbortSignal;
}

export class Backend {
	readonly service: Required<ServiceReference>;
	readonly #server: Reach;
	readonly #agent: TlsAgent;
	#unanswered = 0;

	/** @param apiService that names a service */
	constructor(server: Reach, { spec }: APIService) {
		const { namespace = "", name = "", port = 443 } = spec.service ?? {};
		this.service = { namespace, name, port };
		this.#server = server;
		this.#agent = new TlsAgent({
			ca: spec.caBundle === undefined ? undefined : Buffer.from(spec.caBundle, "base64"),
			isUnchecked: spec.insecureSkipTLSVerify === true,
			client: server.options.proxyClient,
			most: mostConnections,
			dial: () => connectToService(server, this.service),
		});
	}

	/** As the backend is called by those who do not look into the service: `https://10.96.0.7:443`. */
	get origin(): string {
		const { namespace, name, port } = this.service;
		const { clusterIP = "", externalName = "" } = this.#server.cache.find(services, namespace, name)?.spec ?? {};
		const host = externalName !== "" ? externalName : clusterIP === "" || clusterIP === "None" ? this.host : clusterIP;
		return `https://${host}:${port}`;
	}

	/** The name that the backend's certificate must have. */
	get host(): string {
		return `${this.service.name}.${this.service.namespace}.svc`;
	}

	/**
	 * For a client.
	 * @returns the response's head; its body follows, until the signal aborts
	 * @throws Error if there is none; ApiError TooManyRequests if too many requests are pending
	 */
	async pass(sent: Sent): Promise<IncomingMessage> {
		if (this.#unanswered >= mostUnanswered) throw tooManyRequests();
		this.#unanswered++;
		try {
			return await this.ask(sent);
		} finally {
			this.#unanswered--;
		}
	}

	/** A separate connection, for requests that are upgraded. */
	connect(): Promise<Duplex> {
		return this.#agent.connect(this.host).then((connection) => connection.setTimeout(0));
	}

	close(): void {
		this.#agent.destroy();
	}

	/** As `pass`, for the server's own requests, which the limits of clients do not affect. */
	async ask({ method, path, headers, body, signal }: Sent): Promise<IncomingMessage> {
		for (let attempt = 0; ; attempt++) {
			let reused = false;
			try {
				return await new Promise<IncomingMessage>((resolve, reject) => {
					const { host, service } = this;
					const length = body === undefined ? {} : { "content-length": String(body.length) };
					const sent = request(
						{ host, port: service.port, method, path, headers: { ...headers, ...length }, agent: this.#agent, signal },
						resolve,
					);
					// An unexpected upgrade. Without a listener, the request would never end.
					sent.once("upgrade", (_response, socket) => {
						socket.destroy();
						reject(new Error("unexpected switch to another protocol"));
					});
					sent.once("error", (error) => {
						reused = sent.reusedSocket;
						reject(error);
					});
					sent.end(body);
				});
			} catch (error) {
				// The other end may close an idle connection at the moment when it is reused.
				const isSafe = method === "GET" || method === "HEAD";
				if (attempt > 0 || !reused || !isSafe || signal.aborted) throw error;
			}
		}
	}
}
