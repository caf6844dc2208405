import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server } from "node:net";

/** @throws Error that says why the port cannot be opened */
export async function bind(protocol: "TCP" | "UDP", address: string, port: number): Promise<Server | UdpSocket> {
	try {
		return await (protocol === "TCP" ? bindTcp(address, port) : bindUdp(address, port));
	} catch (error) {
		throw new Error(reasonOf(error, address, port), { cause: error });
	}
}

/** Clients that connect before the server was passed on are turned away. */
function bindTcp(address: string, port: number): Promise<Server> {
	const server = createServer((socket) => socket.resetAndDestroy());
	return new Promise((resolve, reject) => {
		server.once("error", reject);
		server.listen({ host: address, port, exclusive: true }, () => resolve(server));
	});
}

function bindUdp(address: string, port: number): Promise<UdpSocket> {
	const socket = createSocket("udp4");
	return new Promise((resolve, reject) => {
		socket.once("error", reject);
		socket.bind({ address, port, exclusive: true }, () => resolve(socket));
	});
}

function reasonOf(error: unknown, address: string, port: number): string {
	const { code } = error as NodeJS.ErrnoException;
	if (code === "EADDRINUSE") return `port ${port} of ${address} is in use by another program or cluster`;
	if (code === "EADDRNOTAVAIL") return `${address} is no address of this machine`;
	if (code === "EACCES")
		return `port ${port} of ${address} is only for root (sysctl net.ipv4.ip_unprivileged_port_start)`;
	return `port ${port} of ${address}: ${(error as Error).message}`;
}
