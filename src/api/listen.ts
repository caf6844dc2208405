/**
 * Gives an API server a socket: one port, or one Unix socket, for HTTP/2, HTTP/1.1 and upgrades, with or without TLS.
 * Without TLS there is no HTTP/2.
 */
import { unlinkSync } from "node:fs";
import { createServer, type IncomingMessage, type Server as PlainServer, type ServerResponse } from "node:http";
import {
	createSecureServer,
	type Http2SecureServer,
	type IncomingHttpHeaders,
	type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { User } from "../core/exchange.ts";
import { type Clock, systemClock, type Timer } from "../core/time/clock.ts";
import type { Api } from "./handle.ts";
import { Authorities } from "./request/authorities.ts";
import { FrontProxies, type FrontProxyTrust } from "./request/front-proxy.ts";
import { peerOf } from "./request/peer.ts";
import { Answers } from "./sockets/answers.ts";
import { Connections } from "./sockets/connections.ts";
import { http1Exchange } from "./sockets/http1.ts";
import { http2Exchange } from "./sockets/http2.ts";
import {
	BodyBudget,
	defaultTimeouts,
	largestHeadBytes,
	maxConnections,
	mostHeaderFields,
	type Timeouts,
} from "./sockets/limits.ts";
import { refusals } from "./sockets/refuse.ts";
import { serve } from "./sockets/serve.ts";

export interface ListenOptions {
	/** PEM. Clients that show no certificate may show a token. */
	tls?: Certificate & ClientTrust;
	/** Default 127.0.0.1. */
	host?: string;
	/** Default: one that is free. */
	port?: number;
	/** Instead of a port. A stale socket file is replaced. */
	socketPath?: string;
	/** Who clients are that show neither certificate nor token: for sockets that only one user can reach. */
	user?: User;
	clock?: Clock;
	/** Default: those of sockets/limits.ts. */
	timeouts?: Partial<Timeouts>;
}

/** Whose client certificates say something. */
export interface ClientTrust {
	/** PEM. Who shows a certificate of these authorities is who it says. */
	clientCa?: string | Buffer;
	/** Who shows a certificate of these says who asks. */
	frontProxy?: FrontProxyTrust;
}

/** PEM. */
interface Certificate {
	key: string | Buffer;
	cert: string | Buffer;
}

export interface Listener {
	/** Undefined for a Unix socket. */
	port?: number;
	/** New connections are shown this certificate; open ones stay as they are. Does nothing without TLS. */
	useCertificate(certificate: Certificate): void;
	/** Ends watches, lets running requests finish for a moment, then cuts all connections. */
	close(): Promise<void>;
}

const minVersion = "TLSv1.2";

export async function listen(api: Pick<Api, "handle" | "upgrade">, options: ListenOptions = {}): Promise<Listener> {
	const clock = options.clock ?? systemClock({ unref: true });
	const timeouts = { ...defaultTimeouts, ...options.timeouts };
	const refuse = refusals(clock);
	const connections = new Connections(clock, timeouts, refuse.slow);
	const answers = new Answers(clock, timeouts);
	const limits = { clock, timeouts, bodies: new BodyBudget(), answers, connections };
	const userOf = identification(options, clock);

	const http1 = (request: IncomingMessage, response: ServerResponse) => {
		connections.addRequest(request, response);
		const { incoming, reply } = http1Exchange(request, response, userOf(request.socket, request.rawHeaders));
		void serve(api.handle, incoming, reply, limits);
	};
	const server = options.tls === undefined ? plainServer(http1) : secureServer(options.tls, timeouts, http1);
	const certificate = options.tls && new LaterCertificate(server as Http2SecureServer, options.tls, clock);
	unlimited(server);
	server.maxConnections = maxConnections;
	server.on("connection", connections.addSocket);
	server.on(
		options.tls === undefined ? "connection" : "secureConnection",
		(socket: Socket & { alpnProtocol?: unknown }) => {
			if (socket.alpnProtocol !== "h2") connections.wait(socket);
		},
	);
	// Whatever a client expects, it gets the answer to its request; and nothing is reached through here by CONNECT.
	server.on("checkExpectation", http1);
	server.on("connect", (_request: IncomingMessage, socket: Duplex) => refuse.connect(socket));
	server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
		socket.on("error", () => socket.destroy());
		connections.stopWaiting(socket);
		// Its answer would come between those to requests that were sent before.
		if (connections.isAnswering(socket)) socket.destroy();
		else
			void api
				.upgrade(request, socket, head, userOf(socket, request.rawHeaders), connections)
				.catch(() => socket.destroy());
	});
	server.on("clientError", refuse.malformed);
	if (isHttp2(server)) {
		server.on("session", connections.addSession);
		server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
			// It may have been reset already.
			const { session } = stream;
			if (session === undefined || stream.destroyed) return;
			const { incoming, reply } = http2Exchange(stream, headers, raw, session.socket, userOf(session.socket, raw));
			void serve(api.handle, incoming, reply, limits);
		});
		server.on("tlsClientError", (_error, socket) => socket.destroy());
		server.on("sessionError", () => {});
	}
	await listening(server, options);
	const address = server.address();
	return {
		...(isAddress(address) ? { port: address.port } : {}),
		useCertificate: (renewed) => certificate?.use(renewed),
		async close() {
			certificate?.close();
			await connections.end();
			await new Promise<void>((resolve) => server.close(() => resolve()));
		},
	};
}

/** Who asks, as far as the connection says. */
function identification({ tls, user }: ListenOptions, clock: Clock) {
	const proxies = tls?.frontProxy && new FrontProxies(tls.frontProxy);
	const clientCa = proxies && new Authorities(tls?.clientCa ?? "");
	return (socket: unknown, rawHeaders: readonly string[]): User | undefined => {
		const nowMs = clock.now();
		return proxies?.userOf(socket, rawHeaders, nowMs) ?? peerOf(socket, nowMs, clientCa) ?? user;
	};
}

function plainServer(http1: (request: IncomingMessage, response: ServerResponse) => void): PlainServer {
	return createServer({ maxHeaderSize: largestHeadBytes, requireHostHeader: false }, http1);
}

/** Time is kept by `Connections` and serve.ts, alike for all protocols: with TLS Node does not keep it. */
function unlimited(server: PlainServer | Http2SecureServer): void {
	const http1Settings = { maxHeaderSize: largestHeadBytes, headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 };
	// One more than are taken, so that it is seen when there are more: Node leaves them out.
	Object.assign(server, { ...http1Settings, maxHeadersCount: mostHeaderFields + 1 });
}

function secureServer(
	tls: NonNullable<ListenOptions["tls"]>,
	timeouts: Timeouts,
	http1: (request: IncomingMessage, response: ServerResponse) => void,
): Http2SecureServer {
	const server = createSecureServer({
		// See LaterCertificate. Without `ca`, Node.js reads its root certificates at once.
		ca: [],
		...(authoritiesOf(tls).length === 0 ? {} : { requestCert: true, rejectUnauthorized: false }),
		allowHTTP1: true,
		minVersion,
		handshakeTimeout: timeouts.handshakeMs,
		settings: { maxConcurrentStreams: 1000, maxHeaderListSize: largestHeadBytes },
		maxHeaderListPairs: mostHeaderFields,
	});
	// With a listener for requests the server would also answer HTTP/2 streams through its compatible interface, by a
	// listener for streams that it adds itself; our own takes its place.
	server.on("request", (request, response) => {
		// What is not HTTP/2 comes as the classes of node:http.
		http1(request as unknown as IncomingMessage, response as unknown as ServerResponse);
	});
	server.removeAllListeners("stream");
	return server;
}

function authoritiesOf({ clientCa, frontProxy }: ClientTrust): (string | Buffer)[] {
	return [clientCa, frontProxy?.ca].filter((ca): ca is string | Buffer => ca !== undefined);
}

/** Long enough for `cox up` to return first. */
const certificateMs = 500;

/**
 * The certificate of a server that has none when it begins to listen: the first one of a process takes 40 ms, which a
 * start would wait for, because Node.js reads its root certificates when a `ca` is set.
 */
class LaterCertificate {
	readonly #server: Http2SecureServer;
	readonly #ca: readonly (string | Buffer)[];
	#waiting: Certificate | undefined;
	readonly #timer: Timer;

	constructor(server: Http2SecureServer, tls: NonNullable<ListenOptions["tls"]>, clock: Clock) {
		this.#server = server;
		this.#ca = authoritiesOf(tls);
		this.#waiting = { key: tls.key, cert: tls.cert };
		this.#timer = clock.after(certificateMs, () => this.#useWaiting());
		// Before the listener that begins its handshake.
		server.prependOnceListener("connection", () => this.#useWaiting());
	}

	use(certificate: Certificate): void {
		this.#waiting = certificate;
		this.#useWaiting();
	}

	close(): void {
		this.#timer.cancel();
	}

	#useWaiting(): void {
		const certificate = this.#waiting;
		if (certificate === undefined) return;
		this.#waiting = undefined;
		this.#timer.cancel();
		const ca = this.#ca.length === 0 ? {} : { ca: [...this.#ca] };
		this.#server.setSecureContext({ key: certificate.key, cert: certificate.cert, minVersion, ...ca });
	}
}

function isHttp2(server: PlainServer | Http2SecureServer): server is Http2SecureServer {
	return "updateSettings" in server;
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
	return typeof address === "object" && address !== null;
}

async function listening(server: PlainServer | Http2SecureServer, options: ListenOptions): Promise<void> {
	const { socketPath, port = 0, host = "127.0.0.1" } = options;
	await new Promise<void>((resolve, reject) => {
		server.once("error", reject);
		server.once("listening", () => {
			server.removeListener("error", reject);
			resolve();
		});
		if (socketPath === undefined) server.listen({ port, host, backlog: 1024 });
		else {
			removeStale(socketPath);
			server.listen({ path: socketPath, backlog: 1024 });
		}
	});
	server.on("error", () => {});
}

/** A socket file outlives the process that made it. */
function removeStale(socketPath: string): void {
	try {
		unlinkSync(socketPath);
	} catch {
		// There is none.
	}
}
