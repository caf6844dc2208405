/** The client interface for controllers, scheduler, node agents, CLI and tests. */
import type { ApiRequest, ApiResponse, WatchEvent } from "../core/exchange.ts";
import type { Draft, KubeObject } from "../core/object.ts";
import type { Kind } from "../kinds/engine/kind.ts";

/**
 * Carries a request to an API server: in the same process (transports/memory.ts) or over HTTPS or a Unix socket
 * (transports/http.ts).
 */
export interface Transport {
	/**
	 * @throws ApiError `ServiceUnavailable` if the server cannot be reached, `Timeout` if no response arrived (the write
	 * may have happened)
	 */
	send(request: Omit<ApiRequest, "user">): Promise<ApiResponse>;
	close(): Promise<void>;
}

export interface ListOptions {
	/** Undefined: all namespaces. */
	namespace?: string;
	labelSelector?: string;
	fieldSelector?: string;
	limit?: number;
	continue?: string;
	resourceVersion?: string;
	signal?: AbortSignal;
}

export interface List<T> {
	items: readonly T[];
	resourceVersion: string;
	continue?: string;
}

export interface DeleteOptions {
	propagationPolicy?: "Background" | "Foreground" | "Orphan";
	gracePeriodSeconds?: number;
	preconditions?: { uid?: string; resourceVersion?: string };
}

export type Patch =
	| { type: "json"; operations: readonly object[] }
	| { type: "merge"; patch: object }
	| { type: "strategic"; patch: object }
	| {
			type: "apply";
			object: object;
			fieldManager: string;
			force?: boolean;
			/** How the API handles unknown fields; default `Warn`. */
			fieldValidation?: "Strict" | "Warn" | "Ignore";
	  };

/** Identifies an object; `namespace` is undefined for cluster-scoped kinds. */
export interface Ref {
	namespace?: string;
	name: string;
}

export interface WatchSink<T> {
	event(event: WatchEvent<T>): void;
	/** Called once when the watch ends: undefined for a normal end, ApiError `Expired` if the revision is too old. */
	end(error?: Error): void;
}

/** All methods throw ApiError. Returned objects are frozen, except those of an embedded cluster's clients. */
export interface Client {
	get<T extends KubeObject>(kind: Kind<T>, ref: Ref): Promise<T>;
	list<T extends KubeObject>(kind: Kind<T>, options?: ListOptions): Promise<List<T>>;
	create<T extends KubeObject>(kind: Kind<T>, draft: Draft<T>): Promise<T>;
	/** Replaces; fails with `Conflict` unless `metadata.resourceVersion` is current or absent. */
	update<T extends KubeObject>(kind: Kind<T>, object: T, subresource?: string): Promise<T>;
	updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T>;
	patch<T extends KubeObject>(kind: Kind<T>, ref: Ref, patch: Patch, subresource?: string): Promise<T>;
	/** The deleted object, or its current state while finalizers or a grace period delay its removal. */
	delete<T extends KubeObject>(kind: Kind<T>, ref: Ref, options?: DeleteOptions): Promise<T>;
	/** Creates a subresource: pods/binding, pods/eviction, serviceaccounts/token. */
	createSubresource<T extends KubeObject>(kind: Kind<T>, ref: Ref, subresource: string, body: object): Promise<object>;
	/** Changes after `resourceVersion` (required; list first). Ends only by `signal` or `sink.end`. */
	watch<T extends KubeObject>(
		kind: Kind<T>,
		options: ListOptions & { resourceVersion: string; signal: AbortSignal },
		sink: WatchSink<T>,
	): void;
	/** The store's newest revision, for expectations after an uncertain response. */
	revision(): Promise<number>;
	/** Any other request: any path, JSON in and out. */
	raw(method: ApiRequest["method"], path: string, body?: object): Promise<unknown>;
	/** The same client with another name (User-Agent and field manager), sharing the transport. */
	as(userAgent: string): Client;
	close(): Promise<void>;
}
