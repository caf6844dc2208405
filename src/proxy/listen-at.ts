import type { Server } from "node:net";

/**
 * Listens at an address; port 0 selects a free port.
 * @returns the port
 * @throws Error if the address cannot be listened on
 */
export async function listenAt(server: Server, { address, port }: { address: string; port: number }): Promise<number> {
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(port, address, () => {
			server.off("error", reject);
			resolve();
		});
	});
	const bound = server.address();
	return typeof bound === "object" && bound !== null ? bound.port : port;
}
