/** The cluster's DNS server on one address, UDP and TCP. Other names are forwarded. */

import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { createServer, type Server, type Socket } from "node:net";
import { type Answer, decode, encode, type Packet } from "dns-packet";
import type { Clock } from "../core/time/clock.ts";
import { type Forwarder, resolveName } from "./dns-forward.ts";
import { authority, clusterAnswer, type DnsAnswer, type DnsRecord, type DnsView } from "./dns-records.ts";
import { listenAt } from "./listen-at.ts";

/** Short, as in CoreDNS: repeated queries get current answers. */
const ttlSeconds = 5;
const plainUdpBytes = 512;
const largestUdpBytes = 1232;
const authoritative = 1 << 10;
const recursionDesired = 1 << 8;
const recursionAvailable = 1 << 7;
const truncated = 1 << 9;
const opcodeShift = 11;
const codes = { noError: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4 } as const;
const mostConnections = 200;
const idleMs = 10_000;
const mostAliases = 8;

export interface DnsServerOptions {
	view: DnsView;
	clock: Clock;
	/** `cluster.local` */
	domain: string;
	/** Where it listens; `10.96.0.10` and 53 in a cluster. Port 0: any free port, the same for UDP and TCP. */
	addresses: readonly string[];
	port: number;
	/** For names outside the cluster; closed with the server. */
	forwarder: Forwarder;
}

export interface DnsServer {
	readonly port: number;
	close(): Promise<void>;
}

/** @throws Error if an address cannot be listened on */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
	const { forwarder } = options;
	const closers: (() => Promise<void>)[] = [async () => forwarder.close()];
	let { port } = options;
	try {
		for (const address of options.addresses) {
			const tcp = await listenTcp(options, forwarder, address, port);
			closers.push(tcp.close);
			port = tcp.port;
			closers.push(await listenUdp(options, forwarder, address, port));
		}
	} catch (error) {
		await Promise.all(closers.map((close) => close()));
		throw error;
	}
	return {
		port,
		async close() {
			await Promise.all(closers.map((close) => close()));
		},
	};
}

async function listenUdp(
	options: DnsServerOptions,
	forwarder: Forwarder,
	address: string,
	port: number,
): Promise<() => Promise<void>> {
	const socket: UdpSocket = createSocket(address.includes(":") ? "udp6" : "udp4");
	await new Promise<void>((resolve, reject) => {
		socket.once("error", reject);
		socket.bind(port, address, () => {
			socket.off("error", reject);
			resolve();
		});
	});
	socket.on("error", () => {});
	socket.on("message", (message: Buffer, from: RemoteInfo) => {
		respond(options, forwarder, message, false)
			.then((reply) => {
				if (reply !== undefined) socket.send(reply, from.port, from.address, () => {});
			})
			// A message that is not a valid query is not answered.
			.catch(() => {});
	});
	return () => new Promise((resolve) => socket.close(() => resolve()));
}

async function listenTcp(
	options: DnsServerOptions,
	forwarder: Forwarder,
	address: string,
	port: number,
): Promise<{ port: number; close(): Promise<void> }> {
	const open = new Set<Socket>();
	const server: Server = createServer((socket) => {
		open.add(socket);
		socket.on("close", () => open.delete(socket));
		socket.on("error", () => socket.destroy());
		serveTcp(options, forwarder, socket);
	});
	server.maxConnections = mostConnections;
	const bound = await listenAt(server, { address, port });
	return {
		port: bound,
		close: () =>
			new Promise((resolve) => {
				for (const socket of open) socket.destroy();
				server.close(() => resolve());
			}),
	};
}

/** Messages with a length prefix, answered one after the other. */
function serveTcp(options: DnsServerOptions, forwarder: Forwarder, socket: Socket): void {
	let rest: Buffer = Buffer.alloc(0);
	let idle = options.clock.after(idleMs, () => socket.destroy());
	let tail: Promise<unknown> = Promise.resolve();
	socket.on("close", () => idle.cancel());
	socket.on("data", (chunk: Buffer) => {
		idle.cancel();
		idle = options.clock.after(idleMs, () => socket.destroy());
		rest = Buffer.concat([rest, chunk]);
		while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
			const length = rest.readUInt16BE(0);
			const message = rest.subarray(2, 2 + length);
			rest = rest.subarray(2 + length);
			tail = tail
				.then(() => respond(options, forwarder, message, true))
				.then((reply) => {
					if (reply === undefined || socket.destroyed) return;
					const prefix = Buffer.alloc(2);
					prefix.writeUInt16BE(reply.length);
					socket.write(Buffer.concat([prefix, reply]));
				})
				.catch(() => socket.destroy());
		}
	});
}

/** The response to a message; undefined if there is none. */
async function respond(
	options: DnsServerOptions,
	forwarder: Forwarder,
	message: Buffer,
	tcp: boolean,
): Promise<Buffer | undefined> {
	const query = decode(message);
	if (query.type !== "query") return undefined;
	const [question, ...more] = query.questions ?? [];
	if (question === undefined || more.length > 0) return plainReply(query, codes.formatError);
	if (((query.flags ?? 0) >> opcodeShift) % 16 !== 0) return plainReply(query, codes.notImplemented);
	const answer = clusterAnswer(question.name, question.type, options.domain, options.view);
	if (answer === undefined) {
		const reply = await forwarder.forward(message, tcp);
		return reply ?? plainReply(query, codes.serverFailure);
	}
	const followed = await followAlias(options, forwarder, question.type, answer);
	return clusterReply(options, query, followed, tcp);
}

/** The answer for an ExternalName, with the addresses of its target. */
async function followAlias(
	options: DnsServerOptions,
	forwarder: Forwarder,
	type: string,
	answer: DnsAnswer,
): Promise<{ answer: DnsAnswer; more: Answer[] }> {
	const answers = [...answer.answers];
	for (let count = 0; count < mostAliases; count++) {
		const last = answers.at(-1);
		if (last?.type !== "CNAME" || type === "CNAME") break;
		const next = clusterAnswer(last.data, type, options.domain, options.view);
		if (next === undefined) {
			const more = await resolveName(forwarder, last.data, type, Math.floor(options.clock.random() * 65_536));
			return { answer: { ...answer, answers }, more };
		}
		if (next.answers.length === 0) break;
		answers.push(...next.answers);
	}
	return { answer: { ...answer, answers }, more: [] };
}

function clusterReply(
	{ domain, clock }: DnsServerOptions,
	query: Packet,
	{ answer, more }: { answer: DnsAnswer; more: Answer[] },
	tcp: boolean,
): Buffer {
	const records = [...shuffled(answer.answers, clock.random).map(packetRecord), ...more];
	const empty = records.length === 0;
	const soa: Answer = {
		type: "SOA",
		name: domain,
		ttl: ttlSeconds,
		data: {
			...authority(domain),
			serial: Math.floor(clock.now() / 1000),
			refresh: 7200,
			retry: 1800,
			expire: 86_400,
			minimum: ttlSeconds,
		},
	};
	const extension = query.additionals?.find((record) => record.type === "OPT");
	const limit = tcp
		? Number.POSITIVE_INFINITY
		: Math.min(Math.max(extension?.type === "OPT" ? extension.udpPayloadSize : 0, plainUdpBytes), largestUdpBytes);
	const opt: Answer[] = extension === undefined ? [] : [{ ...optRecord, udpPayloadSize: largestUdpBytes }];
	const reply: Packet = {
		id: query.id ?? 0,
		type: "response",
		flags: flagsOf(query, answer.exists ? codes.noError : codes.nameError) | authoritative,
		questions: query.questions ?? [],
		answers: records,
		authorities: empty ? [soa] : [],
		additionals: [...answer.additionals.map(packetRecord), ...opt],
	};
	const bytes = encode(reply);
	if (bytes.length <= limit) return bytes;
	const shorter = encode({ ...reply, additionals: opt });
	if (shorter.length <= limit) return shorter;
	// The client repeats the query over TCP.
	return encode({ ...reply, flags: (reply.flags ?? 0) | truncated, answers: [], authorities: [], additionals: opt });
}

const optRecord = {
	type: "OPT",
	name: ".",
	extendedRcode: 0,
	ednsVersion: 0,
	flags: 0,
	flag_do: false,
	options: [],
} as const satisfies Omit<Extract<Answer, { type: "OPT" }>, "udpPayloadSize" | "options"> & { options: [] };

function plainReply(query: Packet, code: number): Buffer {
	return encode({ id: query.id ?? 0, type: "response", flags: flagsOf(query, code), questions: query.questions ?? [] });
}

function flagsOf(query: Packet, code: number): number {
	return ((query.flags ?? 0) & recursionDesired) | recursionAvailable | code;
}

function packetRecord(record: DnsRecord): Answer {
	if (record.type === "SOA") {
		const data = { ...record.data, serial: 1, refresh: 7200, retry: 1800, expire: 86_400, minimum: ttlSeconds };
		return { type: "SOA", name: record.name, ttl: ttlSeconds, data };
	}
	// The data of each record has the form of its type.
	return { ...record, ttl: ttlSeconds } as Answer;
}

/** Clients use the first address, so the order is random. Aliases stay first. */
function shuffled(records: readonly DnsRecord[], random: () => number): DnsRecord[] {
	const aliases = records.filter(({ type }) => type === "CNAME");
	const rest = records.filter(({ type }) => type !== "CNAME");
	for (let index = rest.length - 1; index > 0; index--) {
		const other = Math.floor(random() * (index + 1));
		const [a, b] = [rest[index], rest[other]];
		if (a !== undefined && b !== undefined) [rest[index], rest[other]] = [b, a];
	}
	return [...aliases, ...rest];
}
