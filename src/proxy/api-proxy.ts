/**
 * The `kubernetes` service inside a node: accepts connections on its address and connects each to the API server's
 * socket.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
import { joinSockets } from "./join.ts";
import { listenAt } from "./listen-at.ts";

const mostConnections = 10_000;

export interface ApiProxyOptions {
	/** `10.96.0.1` and 443 in a cluster. */
	address: string;
	port: number;
	/** Unix socket on which the API server accepts TLS. */
	socketPath: string;
}

/** @throws Error if the address cannot be listened on */
export async function startApiProxy(options: ApiProxyOptions): Promise<{ port: number; close(): Promise<void> }> {
	const open = new Set<Socket>();
	const server: Server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
		const api = connect({ path: options.socketPath, allowHalfOpen: true });
		joinSockets(client, api, open);
	});
	server.maxConnections = mostConnections;
	const port = await listenAt(server, options);
	return {
		port,
		close: () =>
			new Promise((resolve) => {
				for (const socket of open) socket.destroy();
				server.close(() => resolve());
			}),
	};
}
