import { createSocket, type Socket } from "node:dgram";
import type { Clock, Timer } from "../../core/time/clock.ts";
import type { Chooser, Endpoint } from "./target.ts";

/** As long as the kernel remembers a flow with answers. */
const idleMs = 120_000;
const lookMs = 30_000;
const mostSessions = 2048;

interface Session {
	/** The client's own, so that answers find their way back. */
	socket: Socket;
	endpoint: Endpoint;
	lastMs: number;
}

/**
 * Forwards datagrams of a bound socket to an endpoint per client, and the answers back.
 * @returns a function that closes everything
 */
export function forwardUdp(socket: Socket, chooser: Chooser, clock: Clock): () => void {
	/** The first ones were not used for longest. */
	const sessions = new Map<string, Session>();
	const end = (client: string) => {
		sessions.get(client)?.socket.close();
		sessions.delete(client);
	};
	const begin = (address: string, port: number): Session | undefined => {
		const endpoint = chooser.choose(address);
		if (endpoint === undefined) return undefined;
		const own = createSocket("udp4");
		own.on("error", () => {});
		own.on("message", (answer, from) => {
			if (from.address === endpoint.address && from.port === endpoint.port)
				socket.send(answer, port, address, () => {});
		});
		const [oldest] = sessions.keys();
		if (sessions.size >= mostSessions && oldest !== undefined) end(oldest);
		return { socket: own, endpoint, lastMs: 0 };
	};
	socket.on("error", () => {});
	socket.on("message", (message, { address, port }) => {
		// Nobody can be answered there.
		if (port === 0) return;
		const client = `${address}:${port}`;
		let session = sessions.get(client);
		if (session !== undefined && !chooser.has(session.endpoint)) {
			end(client);
			session = undefined;
		}
		session ??= begin(address, port);
		if (session === undefined) return;
		session.lastMs = clock.monotonicMs();
		sessions.delete(client);
		sessions.set(client, session);
		session.socket.send(message, session.endpoint.port, session.endpoint.address, () => {});
	});
	let timer: Timer;
	const look = () => {
		const untilMs = clock.monotonicMs() - idleMs;
		for (const [client, { lastMs }] of sessions) if (lastMs < untilMs) end(client);
		timer = clock.after(lookMs, look);
	};
	timer = clock.after(lookMs, look);
	return () => {
		timer.cancel();
		socket.close();
		for (const client of [...sessions.keys()]) end(client);
	};
}
