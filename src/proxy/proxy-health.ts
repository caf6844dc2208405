/** kube-proxy's health endpoint on port 10256 of a node, for load balancers that check which nodes take traffic. */
import { createServer } from "node:http";
import type { Clock } from "../core/time/clock.ts";

const proxyHealthPort = 10_256;

/** Serves `/healthz` and `/livez`. Does nothing if the port is in use: the node works without it. */
export async function serveProxyHealth(options: {
	clock: Clock;
	port?: number;
}): Promise<{ port: number | undefined; close(): Promise<void> }> {
	const { clock, port = proxyHealthPort } = options;
	const server = createServer((request, response) => {
		const path = (request.url ?? "/").split("?")[0];
		if (path !== "/healthz" && path !== "/livez") {
			response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" });
			response.end("404 page not found\n");
			return;
		}
		const now = new Date(clock.now()).toISOString();
		const eligible = path === "/healthz" ? { nodeEligible: true } : {};
		response.writeHead(200, { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff" });
		response.end(JSON.stringify({ lastUpdated: now, currentTime: now, ...eligible }));
	});
	server.maxConnections = 100;
	const bound = await new Promise<boolean>((resolve) => {
		server.once("error", () => resolve(false));
		server.listen(port, "0.0.0.0", () => resolve(true));
	});
	const address = bound ? server.address() : null;
	return {
		port: typeof address === "object" && address !== null ? address.port : undefined,
		close: async () => {
			server.closeAllConnections();
			if (bound) await new Promise((resolve) => server.close(resolve));
		},
	};
}
