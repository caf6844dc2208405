/** Users from client certificates: the common name is the user, the organizations are the groups. */
import { type DetailedPeerCertificate, type PeerCertificate, TLSSocket } from "node:tls";
import type { User } from "../../core/exchange.ts";
import type { Authorities } from "./authorities.ts";

interface Peer {
	/** Undefined: its certificate is of an authority that does not say who clients are. */
	user: User | undefined;
	/** A connection may outlast the certificate that it was opened with. */
	untilMs: number;
}

const known = new WeakMap<TLSSocket, Peer>();

/**
 * Undefined without a certificate that our authority signed, that is for clients, and that is valid now.
 * @param nowMs of the clock that certificates are dated by
 * @param clientCa that authority, where the socket trusts others, too
 */
export function peerOf(socket: unknown, nowMs: number, clientCa?: Authorities): User | undefined {
	// A resumed session has its certificate in the session; `authorized` holds for both.
	if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
	let peer = known.get(socket);
	if (peer === undefined) {
		const certificate = socket.getPeerCertificate(clientCa !== undefined);
		const isClient = clientCa === undefined || clientCa.haveIssued(certificate as DetailedPeerCertificate);
		const user = isClient ? userOf(certificate) : undefined;
		if (isClient && user === undefined) return undefined;
		peer = { user, untilMs: Date.parse(certificate.valid_to) };
		known.set(socket, peer);
	}
	return nowMs < peer.untilMs ? peer.user : undefined;
}

/** Until when the certificate holds by which `peerOf` knows the client; undefined where it knows none. */
export function certificateUntilMs(socket: unknown): number | undefined {
	return socket instanceof TLSSocket ? known.get(socket)?.untilMs : undefined;
}

/**
 * Whether the client shows a certificate that says nothing: of another authority, out of date, for something else. Who
 * does that and shows nothing better is refused on every path, as by upstream, and not taken for one who says nothing.
 */
export function showsInvalidCertificate(socket: unknown, nowMs: number): boolean {
	if (!(socket instanceof TLSSocket)) return false;
	const certificate = socket.getPeerCertificate() as PeerCertificate | undefined;
	// Without a certificate it is an empty object.
	if (certificate?.raw === undefined) return false;
	const peer = known.get(socket);
	const isForeign = peer !== undefined && peer.user === undefined;
	return !socket.authorized || isForeign || Date.parse(certificate.valid_to) <= nowMs;
}

function userOf({ subject, fingerprint256 }: PeerCertificate): User | undefined {
	// A name that occurs several times in a subject is a list.
	const { CN: name, O: organisations = [] } = (subject ?? {}) as Partial<Record<string, string | string[]>>;
	if (typeof name !== "string" || name === "") return undefined;
	const groups = typeof organisations === "string" ? [organisations] : organisations;
	const digest = fingerprint256.replaceAll(":", "").toLowerCase();
	return {
		name,
		groups: [...groups, "system:authenticated"],
		extra: { "authentication.kubernetes.io/credential-id": [`X509SHA256=${digest}`] },
	};
}
