import { connect, type Server, type Socket } from "node:net";
import { joinSockets } from "../join.ts";
import type { Chooser } from "./target.ts";

const mostConnections = 10_000;

/**
 * Connects each client of a listening server to an endpoint. A client that has none is reset, as if nothing listened.
 * @returns a function that closes the server and its connections
 */
export function forwardTcp(server: Server, chooser: Chooser): () => void {
	const open = new Set<Socket>();
	// A server that another process has bound has the defaults: then a client could not end its half of a connection.
	Object.assign(server, { allowHalfOpen: true, noDelay: true });
	server.maxConnections = mostConnections;
	server.on("error", () => {});
	server.on("connection", (client) => {
		const endpoint = chooser.choose(client.remoteAddress ?? "");
		if (endpoint === undefined) {
			client.on("error", () => {});
			client.resetAndDestroy();
			return;
		}
		const { address: host, port } = endpoint;
		const pod = connect({ host, port, allowHalfOpen: true, noDelay: true });
		pod.once("error", () => {
			if (pod.bytesRead === 0 && !client.destroyed) client.resetAndDestroy();
		});
		joinSockets(client, pod, open);
	});
	return () => {
		server.close();
		for (const socket of open) socket.destroy();
	};
}
