/**
 * The `kubernetes` service inside a node: accepts connections on its address and connects each to the API server's
 * socket.
 */
import { connect, createServer, type Server, type Socket } from "node:net";
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
		join(client, api, open);
		join(api, client, open);
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

/** Forwards all data; an error on one side closes the other. */
function join(from: Socket, to: Socket, open: Set<Socket>): void {
	open.add(from);
	from.pipe(to);
	from.on("error", () => to.destroy());
	from.on("close", () => {
		open.delete(from);
		// After an orderly end, data in transit may still arrive.
		if (from.errored !== null || !from.readableEnded) to.destroy();
	});
}
