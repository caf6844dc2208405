/** Connections whose input is not read for now, and what they may bring before that. */
import type { EventEmitter } from "node:events";
import { systemClock } from "../../../core/clock.ts";

/** What all connections of this process may have brought that has not been read. */
const allBytes = 128 * 1024 * 1024;
const leastBytes = 256 * 1024;
let connectionCount = 0;

/** How much a connection may bring that is not read yet: all have a share. @param most for one among few */
export function shareOf(connection: EventEmitter, most: number): number {
	connectionCount++;
	connection.once("close", () => connectionCount--);
	return Math.max(leastBytes, Math.min(most, Math.floor(allBytes / connectionCount)));
}

const clock = systemClock({ unref: true });
export const defaultPingMs = 15_000;

/**
 * Pings while something is waited for. Who does not read from a connection does not see its end, and a client that went
 * away would keep its command, and two connections, for ever; but who writes to it does.
 */
export async function pingUntil(waiting: Promise<void>, ping: () => void, pingMs = defaultPingMs): Promise<void> {
	const later = () =>
		clock.after(pingMs, () => {
			ping();
			timer = later();
		});
	let timer = later();
	try {
		await waiting;
	} finally {
		timer.cancel();
	}
}
