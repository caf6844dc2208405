/**
 * The load generator: a separate process that does as little as possible, so that the server is measured. Its clients
 * share one HTTP/2 connection, like client-go's; each watch has its own connection, as if it came from another machine.
 */
import { type ClientHttp2Session, connect } from "node:http2";
import type { Access } from "../kubeconfig.ts";

/** Requests; in `path` and `body`, `%d` is the number of the request. */
export interface Requests {
	method: "GET" | "POST" | "DELETE";
	path: string;
	body?: string;
	headers?: Record<string, string>;
	/** Number of concurrent requests. */
	clients: number;
	count: number;
	/** The first number. */
	first?: number;
}

/** Watches that each see the `count` objects that `requests` create under names that end in `-%d`. */
export interface Watches {
	watchCount: number;
	path: string;
	requests: Requests;
}

/** In milliseconds. */
export interface Latency {
	p50: number;
	p99: number;
	largest: number;
}

export interface Outcome {
	seconds: number;
	latency: Latency;
	/** Total size of all responses or events. */
	bytes: number;
}

export type Order = { access: Access } & ({ requests: Requests } | { watches: Watches });

process.on("message", (order: Order) => {
	const working = "watches" in order ? watch(order.access, order.watches) : request(order.access, order.requests);
	working.then(
		(outcome) => process.send?.(outcome),
		(error: unknown) => {
			console.error(error);
			process.exit(1);
		},
	);
});

/** Sessions are reused, so that handshakes are not measured again. */
const sessions: ClientHttp2Session[] = [];

function session(access: Access, index: number): ClientHttp2Session {
	const open = sessions[index];
	if (open !== undefined && !open.closed && !open.destroyed) return open;
	const { server, ...tls } = access;
	const created = connect(server, { ...tls, settings: { initialWindowSize: 4 * 1024 * 1024 } });
	created.once("connect", () => created.setLocalWindowSize(32 * 1024 * 1024));
	created.on("error", () => {});
	sessions[index] = created;
	return created;
}

async function request(access: Access, requests: Requests): Promise<Outcome> {
	const { clients, count, first = 0 } = requests;
	const times = new Float64Array(count);
	const connection = session(access, 0);
	let [next, bytes] = [0, 0];
	const startMs = performance.now();
	const client = async () => {
		while (next < count) {
			const index = next++;
			const sentMs = performance.now();
			const answerBytes = await send(connection, requests, first + index);
			bytes += answerBytes;
			times[index] = performance.now() - sentMs;
		}
	};
	await Promise.all(Array.from({ length: clients }, client));
	return { seconds: (performance.now() - startMs) / 1000, latency: latencyOf(times), bytes };
}

/** @returns the size of the response in bytes */
function send(connection: ClientHttp2Session, { method, path, body, headers }: Requests, number: number) {
	const content = body?.replaceAll("%d", String(number));
	return new Promise<number>((resolve, reject) => {
		const stream = connection.request(
			{
				":method": method,
				":path": path.replaceAll("%d", String(number)),
				"user-agent": "bench",
				accept: "application/json",
				...(content === undefined ? {} : { "content-type": "application/json" }),
				...headers,
			},
			{ endStream: content === undefined },
		);
		let [bytes, status] = [0, 0];
		stream.on("response", (head) => (status = head[":status"] ?? 0));
		stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
		stream.on("error", reject);
		stream.on("end", () => (status < 300 ? resolve(bytes) : reject(new Error(`${method} ${path}: ${status}`))));
		if (content !== undefined) stream.end(content);
	});
}

async function watch(access: Access, { watchCount, path, requests }: Watches): Promise<Outcome> {
	const { count, first = 0 } = requests;
	const sentMs = new Float64Array(count);
	const times = new Float64Array(count * watchCount);
	let [received, bytes] = [0, 0];
	let done: () => void = () => {};
	const all = new Promise<void>((resolve) => (done = resolve));
	const name = Buffer.from(`"name":"${nameOf(requests.body ?? "")}`);
	const opened = Array.from({ length: watchCount }, (_, index) => {
		const stream = session(access, index + 1).request({
			":path": path,
			"user-agent": "bench",
			accept: "application/json",
		});
		let rest: Buffer | undefined;
		stream.on("data", (chunk: Buffer) => {
			bytes += chunk.length;
			const text = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
			let start = 0;
			const nowMs = performance.now();
			for (let end = text.indexOf(10); end >= 0; end = text.indexOf(10, start)) {
				const at = text.indexOf(name, start);
				if (at >= 0 && at < end) times[received++] = nowMs - (sentMs[number(text, at + name.length) - first] ?? 0);
				start = end + 1;
			}
			rest = start === text.length ? undefined : text.subarray(start);
			if (received === times.length) done();
		});
		stream.on("error", () => {});
		return { stream, begun: new Promise((resolve) => stream.once("response", resolve)) };
	});
	await Promise.all(opened.map(({ begun }) => begun));
	const connection = session(access, 0);
	let next = 0;
	const startMs = performance.now();
	const client = async () => {
		while (next < count) {
			const index = next++;
			sentMs[index] = performance.now();
			await send(connection, requests, first + index);
		}
	};
	await Promise.all(Array.from({ length: requests.clients }, client));
	await all;
	const seconds = (performance.now() - startMs) / 1000;
	for (const { stream } of opened) stream.close();
	return { seconds, latency: latencyOf(times), bytes };
}

/** The name of the object in a body, without its number. */
function nameOf(body: string): string {
	return /"name":"([^"]*)%d"/.exec(body)?.[1] ?? "";
}

function number(text: Buffer, from: number): number {
	let value = 0;
	for (let at = from; ; at++) {
		const digit = (text[at] ?? 0) - 48;
		if (digit < 0 || digit > 9) return value;
		value = value * 10 + digit;
	}
}

function latencyOf(times: Float64Array): Latency {
	const sorted = times.toSorted();
	const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
	return { p50: at(0.5), p99: at(0.99), largest: at(1) };
}
