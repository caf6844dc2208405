/**
 * Nodes have networks of their own, from which a resolver of the machine may be out of reach, for example one at a
 * loopback address. So the server process asks for them: queries come on a Unix socket.
 *
 * A query: its length (2 bytes), a number (4), 1 for TCP (1), the message. An answer: its length, which is 0 if there
 * is none, the number, the message.
 */
import { mkdirSync, rmSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { dirname } from "node:path";
import type { Clock, Timer } from "../core/time/clock.ts";
import type { Forwarder } from "./dns-forward.ts";

const queryHead = 7;
const answerHead = 6;
const mostWaiting = 1024;
/** Longer than the forwarder tries. */
const patienceMs = 15_000;

/** @throws Error if the socket cannot be listened on */
export async function serveDnsRelay(options: {
	socketPath: string;
	forwarder: Forwarder;
}): Promise<{ close(): Promise<void> }> {
	const { socketPath, forwarder } = options;
	mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
	rmSync(socketPath, { force: true });
	const open = new Set<Socket>();
	const server: Server = createServer((socket) => {
		open.add(socket);
		socket.on("error", () => {});
		socket.on("close", () => open.delete(socket));
		readMessages(socket, queryHead, (head, message) => {
			const number = head.readUInt32BE(2);
			void forwarder.forward(message, head[6] === 1).then((answer) => {
				const reply = Buffer.alloc(answerHead);
				reply.writeUInt16BE(answer?.length ?? 0);
				reply.writeUInt32BE(number, 2);
				if (!socket.destroyed) socket.write(answer === undefined ? reply : Buffer.concat([reply, answer]));
			});
		});
	});
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.listen(socketPath, resolve);
	});
	return {
		close: () =>
			new Promise((resolve) => {
				forwarder.close();
				for (const socket of open) socket.destroy();
				server.close(() => resolve());
			}),
	};
}

/** A forwarder that asks the relay; it connects when it is first needed, and again after a failure. */
export function relayForwarder({ socketPath, clock }: { socketPath: string; clock: Clock }): Forwarder {
	const waiting = new Map<number, { settle(answer: Buffer | undefined): void; timer: Timer }>();
	let socket: Socket | undefined;
	let last = 0;
	const settle = (number: number, answer: Buffer | undefined) => {
		const query = waiting.get(number);
		waiting.delete(number);
		query?.timer.cancel();
		query?.settle(answer);
	};
	const connected = (): Socket => {
		if (socket !== undefined) return socket;
		const made = connect({ path: socketPath });
		socket = made;
		made.on("error", () => {});
		made.on("close", () => {
			if (socket !== made) return;
			socket = undefined;
			for (const number of [...waiting.keys()]) settle(number, undefined);
		});
		readMessages(made, answerHead, (head, message) =>
			settle(head.readUInt32BE(2), message.length === 0 ? undefined : Buffer.from(message)),
		);
		return made;
	};
	return {
		forward(message, tcp) {
			if (waiting.size >= mostWaiting || message.length > 0xffff) return Promise.resolve(undefined);
			last = (last + 1) % 2 ** 32;
			const number = last;
			const head = Buffer.alloc(queryHead);
			head.writeUInt16BE(message.length);
			head.writeUInt32BE(number, 2);
			head[6] = tcp ? 1 : 0;
			return new Promise((resolve) => {
				waiting.set(number, { settle: resolve, timer: clock.after(patienceMs, () => settle(number, undefined)) });
				connected().write(Buffer.concat([head, message]));
			});
		},
		close() {
			socket?.destroy();
			for (const number of [...waiting.keys()]) settle(number, undefined);
		},
	};
}

/** Calls back for each message; its head begins with the length of the rest. */
function readMessages(socket: Socket, headBytes: number, each: (head: Buffer, message: Buffer) => void): void {
	let rest: Buffer = Buffer.alloc(0);
	socket.on("data", (chunk: Buffer) => {
		rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
		let at = 0;
		while (rest.length - at >= headBytes) {
			const end = at + headBytes + rest.readUInt16BE(at);
			if (rest.length < end) break;
			each(rest.subarray(at, at + headBytes), rest.subarray(at + headBytes, end));
			at = end;
		}
		rest = rest.subarray(at);
	});
}
