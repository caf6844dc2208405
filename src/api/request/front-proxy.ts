/**
 * A proxy in front of the API server names the user in headers (Kubernetes documentation, "Authenticating Proxy"). It
 * is trusted if it has a certificate of an authority that signs nothing else.
 */
import { type DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { User } from "../../core/exchange.ts";
import { Authorities } from "./authorities.ts";

/** Which proxies are trusted, and their headers, whose names may have any case. */
export interface FrontProxyTrust {
	/** PEM of the authorities that sign certificates of proxies. */
	ca: string;
	/** Common names that these certificates may have; none: any. */
	names: readonly string[];
	headers: IdentityHeaders;
}

/** Headers with the user. The first non-empty name and UID count; groups and extra fields are combined. */
export interface IdentityHeaders {
	username: readonly string[];
	uid: readonly string[];
	group: readonly string[];
	/** The rest of a header's name is the key, percent-encoded. */
	extraPrefix: readonly string[];
}

export const defaultIdentityHeaders: IdentityHeaders = {
	username: ["X-Remote-User"],
	uid: ["X-Remote-Uid"],
	group: ["X-Remote-Group"],
	extraPrefix: ["X-Remote-Extra-"],
};

export class FrontProxies {
	readonly #authorities: Authorities;
	readonly #names: ReadonlySet<string>;
	readonly #headers: IdentityHeaders;
	/** Connections of proxies, and until when their certificates hold. */
	readonly #untilMs = new WeakMap<TLSSocket, number>();

	constructor({ ca, names, headers }: FrontProxyTrust) {
		this.#authorities = new Authorities(ca);
		this.#names = new Set(names);
		const lower = (list: readonly string[]) => list.map((name) => name.toLowerCase());
		const { username, uid, group, extraPrefix } = headers;
		this.#headers = {
			username: lower(username),
			uid: lower(uid),
			group: lower(group),
			extraPrefix: lower(extraPrefix),
		};
	}

	/**
	 * Undefined when it is no proxy that asks, or it names nobody.
	 * @param rawHeaders name, value, name, value, … as they came
	 */
	userOf(socket: unknown, rawHeaders: readonly string[], nowMs: number): User | undefined {
		if (!(socket instanceof TLSSocket) || !socket.authorized || nowMs >= this.#validUntil(socket)) return undefined;
		return userIn(rawHeaders, this.#headers);
	}

	/** 0 for clients that are no proxies. */
	#validUntil(socket: TLSSocket): number {
		let untilMs = this.#untilMs.get(socket);
		if (untilMs === undefined) {
			const certificate = socket.getPeerCertificate(true);
			untilMs = this.#isProxy(certificate) ? Date.parse(certificate.valid_to) : 0;
			this.#untilMs.set(socket, untilMs);
		}
		return untilMs;
	}

	#isProxy(certificate: DetailedPeerCertificate): boolean {
		if (!this.#authorities.haveIssued(certificate)) return false;
		return this.#names.size === 0 || this.#names.has(String(certificate.subject?.CN));
	}
}

function userIn(rawHeaders: readonly string[], headers: IdentityHeaders): User | undefined {
	const values = new Map<string, string[]>();
	for (let index = 0; index < rawHeaders.length; index += 2) {
		const name = rawHeaders[index]?.toLowerCase() ?? "";
		// UTF-8, which Node reads as Latin-1.
		const value = Buffer.from(rawHeaders[index + 1] ?? "", "latin1").toString();
		values.set(name, [...(values.get(name) ?? []), value]);
	}
	const first = (names: readonly string[]) =>
		names.map((name) => values.get(name)?.[0]?.trim() ?? "").find((value) => value !== "");
	const name = first(headers.username);
	if (name === undefined) return undefined;
	const uid = first(headers.uid);
	const groups = headers.group.flatMap((group) => values.get(group) ?? []).filter((group) => group !== "");
	const extra = extraIn(values, headers.extraPrefix);
	return {
		name,
		...(uid !== undefined && { uid }),
		groups: [...groups.filter((group) => group !== authenticated), authenticated],
		...(extra.size > 0 && { extra: Object.fromEntries(extra) }),
	};
}

const authenticated = "system:authenticated";

function extraIn(values: ReadonlyMap<string, string[]>, prefixes: readonly string[]): Map<string, string[]> {
	const extra = new Map<string, string[]>();
	for (const prefix of prefixes)
		for (const [header, list] of values) {
			if (!header.startsWith(prefix)) continue;
			const key = unescaped(header.slice(prefix.length));
			extra.set(key, [...(extra.get(key) ?? []), ...list]);
		}
	return extra;
}

/** As it is, where it is no percent-encoding, as upstream. */
function unescaped(key: string): string {
	try {
		return decodeURIComponent(key);
	} catch {
		return key;
	}
}
