/** Forwards queries to resolvers, with limits on concurrency and time. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { type Answer, decode, encode, type RecordType } from "dns-packet";
import type { Clock } from "../core/time/clock.ts";

const mostAtOnce = 256;
const tryMs = 2000;
const tries = 2;
const recursionDesired = 1 << 8;

export interface Forwarder {
	/** The resolver's response to a message, byte for byte; undefined if there is none. Never throws. */
	forward(message: Buffer, tcp: boolean): Promise<Buffer | undefined>;
	close(): void;
}

export interface Resolver {
	address: string;
	/** Default: 53. */
	port?: number;
}

/** @param options.resolvers called for each query: they may change */
export function createForwarder(options: { clock: Clock; resolvers(): readonly Resolver[] }): Forwarder {
	const { clock } = options;
	const closed = new AbortController();
	let underWay = 0;

	const attempt = async (message: Buffer, tcp: boolean, resolver: Resolver) => {
		const timeout = new AbortController();
		const timer = clock.after(tryMs, () => timeout.abort());
		const signal = AbortSignal.any([timeout.signal, closed.signal]);
		try {
			const ask = tcp ? askTcp : askUdp;
			return await ask(message, resolver.address, resolver.port ?? 53, signal);
		} finally {
			timer.cancel();
		}
	};
	const forward = async (message: Buffer, tcp: boolean): Promise<Buffer | undefined> => {
		if (underWay >= mostAtOnce) return undefined;
		underWay++;
		const resolvers = options.resolvers();
		try {
			for (let count = 0; count < Math.max(tries, resolvers.length) && !closed.signal.aborted; count++) {
				const resolver = resolvers[count % resolvers.length];
				const reply = resolver === undefined ? undefined : await attempt(message, tcp, resolver);
				if (reply !== undefined) return reply;
				if (resolver === undefined) break;
			}
			return undefined;
		} finally {
			underWay--;
		}
	};
	return { forward, close: () => closed.abort() };
}

/** Records of a name; empty if it cannot be resolved. Never throws. */
export async function resolveName(forwarder: Forwarder, name: string, type: string, id: number): Promise<Answer[]> {
	// The type comes from a decoded question.
	const question = { name, type: type as RecordType, class: "IN" as const };
	const query = encode({ id, type: "query", flags: recursionDesired, questions: [question] });
	const reply = await forwarder.forward(query, false);
	try {
		return reply === undefined ? [] : (decode(reply).answers ?? []);
	} catch {
		return [];
	}
}

/**
 * From a new port each time, so that responses cannot be forged easily. Undefined on an error, or if the signal aborts.
 */
function askUdp(message: Buffer, address: string, port: number, signal: AbortSignal): Promise<Buffer | undefined> {
	return new Promise((resolve) => {
		const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
		let settled = false;
		const finish = (reply: Buffer | undefined) => {
			if (settled) return;
			settled = true;
			signal.removeEventListener("abort", abort);
			socket.close();
			resolve(reply);
		};
		const abort = () => finish(undefined);
		signal.addEventListener("abort", abort, { once: true });
		socket.on("error", () => finish(undefined));
		socket.on("message", (reply) => {
			if (reply.length >= 2 && reply.readUInt16BE(0) === message.readUInt16BE(0)) finish(reply);
		});
		// Connected: only responses from this address are received, and a closed port is an error immediately. The callback
		// is also called for failures such as a missing route.
		socket.connect(port, address, (error?: Error) => {
			if (error !== undefined || settled) finish(undefined);
			else socket.send(message);
		});
	});
}

function askTcp(message: Buffer, address: string, port: number, signal: AbortSignal): Promise<Buffer | undefined> {
	return new Promise((resolve) => {
		const socket = connect({ host: address, port });
		let received: Buffer = Buffer.alloc(0);
		const finish = (reply: Buffer | undefined) => {
			signal.removeEventListener("abort", abort);
			socket.destroy();
			resolve(reply);
		};
		const abort = () => finish(undefined);
		signal.addEventListener("abort", abort, { once: true });
		socket.on("error", () => finish(undefined));
		socket.on("close", () => finish(undefined));
		socket.on("data", (chunk: Buffer) => {
			received = Buffer.concat([received, chunk]);
			if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
				finish(received.subarray(2, 2 + received.readUInt16BE(0)));
			}
		});
		const prefix = Buffer.alloc(2);
		prefix.writeUInt16BE(message.length);
		socket.write(Buffer.concat([prefix, message]));
	});
}
