/**
 * What passes between a client and an API server. In one process the client's transport calls the server's handler with
 * these; over the network HTTP carries them. Both ways lead through the same `handle`, so both obey the same rules.
 */
import type { Duplex } from "node:stream";
import type { Status } from "./errors.ts";
import type { KubeObject } from "./object.ts";

export interface User {
	name: string;
	uid?: string;
	groups: readonly string[];
	extra?: Readonly<Record<string, readonly string[]>>;
}

export interface ApiRequest {
	method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" | "OPTIONS";
	/** Path without query: `/apis/apps/v1/namespaces/default/deployments/web`. */
	path: string;
	query: URLSearchParams;
	/**
	 * Names in lower case. Values of a header that came several times are joined by commas, those of impersonation by
	 * line breaks.
	 */
	headers: Readonly<Record<string, string | undefined>>;
	/** The user, if the transport has already authenticated the client (client certificate, same process). */
	user?: User;
	/** Bytes from the network, or from the same process a value, which the server copies before it changes it. */
	body?: { bytes: Uint8Array } | { object: unknown };
	/**
	 * Gets the body from the network. The server asks for it, and sets `body`, when it knows that the client may send
	 * one.
	 */
	receive?: () => Promise<Uint8Array>;
	/**
	 * The client asks that its connection become something else, and the transport can pass on bytes: an answer may be a
	 * `connection`.
	 */
	upgrade?: true;
	/** Aborts when the client is gone. */
	signal: AbortSignal;
	/** The connection that it came by: a socket. Undefined for a client of the same process. */
	peer?: { readonly remoteAddress?: string | undefined } | undefined;
}

export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";

export interface WatchEvent<T = KubeObject> {
	type: WatchEventType;
	/** Deeply frozen. For BOOKMARK an object with only kind, apiVersion and resourceVersion; for ERROR a Status. */
	object: T;
	/** The store's revision of this change; for BOOKMARK the revision up to which everything has been seen. */
	revision: number;
}

/** An event as the server sends it: the frozen object for a client in the process, the bytes for one elsewhere. */
export interface ServedWatchEvent extends WatchEvent {
	/** The object's JSON, encoded once for all watchers. */
	readonly bytes: Uint8Array;
}

/** How events of a watch go over the network, when they are no lines of JSON. */
export interface WatchFrames {
	/** May be shared by many. */
	event(event: ServedWatchEvent): Buffer;
	error(status: Status): Buffer;
	/** Bytes of a frame before its message, which is all that a WebSocket needs. */
	readonly headBytes: number;
}

export type ApiResponse =
	/** A finished answer. In-process clients take `object` (frozen); servers write `bytes()`, encoded on first use. */
	| {
			type: "object";
			status: number;
			headers: Record<string, string>;
			object: unknown;
			bytes(): Uint8Array | readonly Uint8Array[];
			/** The bytes are JSON because nobody has chosen yet: another encoding may take their place. */
			isUnencoded?: true;
	  }
	/**
	 * A running watch. `start` is called once; it delivers in revision order until `signal` aborts or `end` is called.
	 */
	| {
			type: "watch";
			status: 200;
			headers: Record<string, string>;
			/** Undefined: an event is a line of JSON. */
			frames?: WatchFrames | undefined;
			start(sink: { event(event: ServedWatchEvent): void; end(error?: Error): void }): void;
	  }
	/**
	 * The other end of the client's connection, which becomes something else: the request is to be sent on, for `path`
	 * with its query, and then bytes pass both ways. Only for a request with `upgrade`.
	 */
	| {
			type: "connection";
			status: 101;
			headers: Record<string, string>;
			connection: Duplex;
			path: string;
			/** As the other end is called. Default: `localhost`. */
			host?: string | undefined;
			/**
			 * Headers, in lower case, that say who asks: they are sent in place of the client's `x-remote-…` headers and of
			 * those of the same names. Default: none.
			 */
			identity?: Readonly<Record<string, string | readonly string[]>> | undefined;
	  }
	/** Bytes as they come: logs, proxied answers. */
	| { type: "stream"; status: number; headers: Record<string, string>; body: AsyncIterable<Uint8Array> };

/** The API server as a function. It never throws: a failure is an answer with a Status. */
export type Handler = (request: ApiRequest) => Promise<ApiResponse>;
