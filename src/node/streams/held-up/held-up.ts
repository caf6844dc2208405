/** Limits for input of connections that is not read yet. */
import type { EventEmitter } from "node:events";
import { systemClock } from "../../../core/time/clock.ts";

/** The limit for all connections of this process together. */
const allBytes = 128 * 1024 * 1024;
const leastBytes = 256 * 1024;
let connectionCount = 0;

/**
 * The number of unread bytes that a connection may have: a share of the total.
 * @param most the limit while there are few connections
 */
export function shareOf(connection: EventEmitter, most: number): number {
	connectionCount++;
	connection.once("close", () => connectionCount--);
	return Math.max(leastBytes, Math.min(most, Math.floor(allBytes / connectionCount)));
}

const clock = systemClock({ unref: true });
export const defaultPingMs = 15_000;

/**
 * Sends pings while waiting. An end that does not read from a connection does not notice that it was closed, so a
 * disconnected client would keep its command and two connections forever; writing detects it.
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
