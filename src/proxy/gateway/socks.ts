/** A SOCKS 5 proxy (RFC 1928) into the cluster: CONNECT by IPv4 address or name, without authentication. */
import { connect, type Server, type Socket } from "node:net";
import type { Clock } from "../../core/time/clock.ts";
import { joinSockets } from "../join.ts";

const version = 5;
const codes = { done: 0, failed: 1, unreachable: 4, refused: 5, noCommand: 7, noAddressType: 8 } as const;
/** For the client's two messages and the connection. */
const patienceMs = 20_000;
const mostConnections = 1000;
const mostEarlyBytes = 64 * 1024;

export interface SocksOptions {
	clock: Clock;
	/** The address of a name; undefined if it has none. Never rejects. */
	resolve(name: string): Promise<string | undefined>;
}

/** @returns a function that closes the server and its connections */
export function serveSocks(server: Server, options: SocksOptions): () => void {
	const open = new Set<Socket>();
	Object.assign(server, { allowHalfOpen: true, noDelay: true });
	server.maxConnections = mostConnections;
	server.on("error", () => {});
	server.on("connection", (client) => {
		open.add(client);
		client.on("error", () => {});
		client.on("close", () => open.delete(client));
		const timer = options.clock.after(patienceMs, () => client.destroy());
		serve(client, options, open)
			.catch(() => client.destroy())
			.finally(() => timer.cancel());
	});
	return () => {
		server.close();
		for (const socket of open) socket.destroy();
	};
}

/** Resolves when the client is connected or was told why not. */
async function serve(client: Socket, { resolve }: SocksOptions, open: Set<Socket>): Promise<void> {
	const input = new Input(client);
	const [greeted, methods = 0] = await input.take(2);
	if (greeted !== version) throw new Error("not SOCKS 5");
	const isOpen = (await input.take(methods)).includes(0);
	client.write(Buffer.from([version, isOpen ? 0 : 0xff]));
	if (!isOpen) return client.destroySoon();
	// Not only its own half of the connection, which would take what the client sends for ever.
	const refuse = (code: number) => {
		client.write(answer(code));
		client.destroySoon();
	};
	const [, command, , type] = await input.take(4);
	if (type !== 1 && type !== 3) return refuse(codes.noAddressType);
	const [length = 0] = type === 3 ? await input.take(1) : [4];
	const named = await input.take(length);
	const port = (await input.take(2)).readUInt16BE(0);
	if (command !== 1) return refuse(codes.noCommand);
	const address = type === 1 ? named.join(".") : await resolve(named.toString());
	if (address === undefined) return refuse(codes.unreachable);
	const target = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
	const failure = await new Promise<NodeJS.ErrnoException | undefined>((settle) => {
		target.once("connect", () => settle(undefined));
		target.once("error", settle);
		client.once("close", () => target.destroy());
	});
	if (failure !== undefined) return refuse(failure.code === "ECONNREFUSED" ? codes.refused : codes.failed);
	client.write(answer(codes.done));
	const early = input.release();
	if (early.length > 0) target.write(early);
	joinSockets(client, target, open);
}

/** With no address of its own: clients do not need it. */
function answer(code: number): Buffer {
	return Buffer.from([version, code, 0, 1, 0, 0, 0, 0, 0, 0]);
}

/** Reads a socket in portions. */
class Input {
	readonly #socket: Socket;
	#buffer: Buffer = Buffer.alloc(0);
	#wake = () => {};
	#ended = false;
	readonly #onData = (chunk: Buffer) => {
		this.#buffer = Buffer.concat([this.#buffer, chunk]);
		// Until it is released: no message is as long.
		if (this.#buffer.length > mostEarlyBytes) this.#socket.pause();
		this.#wake();
	};
	readonly #onEnd = () => {
		this.#ended = true;
		this.#wake();
	};

	constructor(socket: Socket) {
		this.#socket = socket;
		socket.on("data", this.#onData);
		socket.on("end", this.#onEnd);
		socket.on("close", this.#onEnd);
	}

	/** @throws Error at the end */
	async take(count: number): Promise<Buffer> {
		while (this.#buffer.length < count) {
			if (this.#ended) throw new Error("the client has ended");
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		}
		const taken = this.#buffer.subarray(0, count);
		this.#buffer = this.#buffer.subarray(count);
		return taken;
	}

	/** Leaves the rest to others. @returns what was read already */
	release(): Buffer {
		this.#socket.pause();
		this.#socket.off("data", this.#onData);
		this.#socket.off("end", this.#onEnd);
		this.#socket.off("close", this.#onEnd);
		return this.#buffer;
	}
}
