/** Reused TLS connections to backends. */
import { Agent, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { asError } from "../../core/errors.ts";

const idleMs = 30_000;

export interface TlsOptions {
	/** The authorities for the backend's certificate, in PEM. Default: the system's. */
	ca: Buffer | undefined;
	/** The backend's certificate is not checked. */
	isUnchecked?: boolean;
	/** The certificate that the backend is shown, in PEM, for each new connection. */
	client?: (() => { key: string; cert: string } | undefined) | undefined;
	/** The maximum number of connections. */
	most: number;
	/** Opens a connection, without TLS. */
	dial(): Promise<Duplex>;
}

/** Keeps idle connections for a while. */
export class TlsAgent extends Agent {
	readonly #tls: TlsOptions;

	constructor(tls: TlsOptions) {
		super({ keepAlive: true, maxSockets: tls.most, timeout: idleMs, scheduling: "lifo" });
		this.#tls = tls;
	}

	/** @param name of the host, which its certificate must have */
	async connect(name: string): Promise<TLSSocket> {
		const { ca, isUnchecked = false, client, dial } = this.#tls;
		const socket = await dial();
		const servername = isIP(name) === 0 ? name : "";
		const secure = connect({ socket, servername, ca, host: name, rejectUnauthorized: !isUnchecked, ...client?.() });
		// Also if no request waits for it any more.
		secure.setTimeout(idleMs, () => secure.destroy(new Error("TLS handshake timeout")));
		return new Promise((resolve, reject) => {
			// Failures before a request has the connection; the request reports later ones.
			secure.once("error", reject);
			secure.once("secureConnect", () => {
				secure.off("error", reject);
				resolve(secure);
			});
		});
	}

	override createConnection(
		{ hostname, host }: RequestOptions,
		callback?: (error: Error | null, stream: Duplex) => void,
	): Duplex | null | undefined {
		const none = undefined as never;
		this.connect(hostname ?? host ?? "").then(
			(secure) => callback?.(null, secure),
			(error: unknown) => callback?.(asError(error), none),
		);
		return undefined;
	}
}
