/**
 * The `kube-state-metrics` service inside a node: serves its address like kube-state-metrics, with the metrics of
 * objects from the API server.
 */
import {
	type ClientRequest,
	createServer,
	type IncomingMessage,
	type RequestListener,
	request,
	type ServerResponse,
} from "node:http";
import { pipeline } from "node:stream";
import { listenAt } from "./listen-at.ts";

export interface StateMetricsSource {
	/** Unix socket on which the API server accepts HTTP. */
	socketPath: string;
	/** Token of kube-state-metrics' service account, for clients without a token of their own. */
	token: string;
}

export interface StateMetricsOptions extends StateMetricsSource {
	address: string;
	port: number;
}

const mostConnections = 100;
/** Prometheus has given up a scrape long before this time. */
const timeoutMs = 120_000;
const page =
	'<html><head><title>kube-state-metrics</title></head><body><h1>kube-state-metrics</h1><p><a href="/metrics">metrics</a></p></body></html>\n';

/** @throws Error if the address cannot be listened on */
export async function startStateMetrics(
	options: StateMetricsOptions,
): Promise<{ port: number; close(): Promise<void> }> {
	const server = createServer(stateMetricsListener(options));
	server.maxConnections = mostConnections;
	const port = await listenAt(server, options);
	return {
		port,
		close: () =>
			new Promise((resolve) => {
				server.close(() => resolve());
				server.closeAllConnections();
			}),
	};
}

/** A request listener for any server. */
export function stateMetricsListener(source: StateMetricsSource): RequestListener {
	return (incoming, response) => {
		incoming.resume();
		answer(source, incoming, response);
	};
}

function answer(options: StateMetricsSource, incoming: IncomingMessage, response: ServerResponse): void {
	const { method = "GET", url = "/" } = incoming;
	const [path] = url.split("?");
	if (method !== "GET" && method !== "HEAD") say(response, 405, "method not allowed\n");
	else if (path === "/metrics") passOn(options, incoming, response);
	else if (path === "/healthz" || path === "/livez" || path === "/readyz") say(response, 200, "OK");
	else if (path === "/") say(response, 200, page, "text/html");
	else say(response, 404, "404 page not found\n");
}

function say(response: ServerResponse, status: number, text: string, type = "text/plain"): void {
	response.writeHead(status, { "content-type": `${type}; charset=utf-8` });
	response.end(text);
}

function passOn({ socketPath, token }: StateMetricsSource, incoming: IncomingMessage, response: ServerResponse): void {
	const { authorization = `Bearer ${token}` } = incoming.headers;
	const asked: ClientRequest = request({
		socketPath,
		method: incoming.method,
		path: "/metrics/workloads",
		headers: { authorization, accept: "text/plain", host: "localhost" },
		timeout: timeoutMs,
	});
	asked.once("timeout", () => asked.destroy(new Error("the API server does not answer")));
	asked.once("error", () => {
		if (response.headersSent) response.destroy();
		else say(response, 503, "the API server cannot be reached\n");
	});
	asked.once("response", (found) => {
		const type = found.headers["content-type"] ?? "text/plain";
		response.writeHead(found.statusCode ?? 500, { "content-type": type });
		pipeline(found, response, () => undefined);
	});
	response.once("close", () => asked.destroy());
	asked.end();
}
