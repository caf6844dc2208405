/** The client: builds requests and reads responses. A Transport carries them. */
import { setMaxListeners } from "node:events";
import { ApiError, type Status } from "../core/errors.ts";
import type { ApiRequest, ApiResponse, WatchEvent } from "../core/exchange.ts";
import { copyObject, type Draft, deepFreeze, isRecord, type KubeObject } from "../core/object.ts";
import type { Clock } from "../core/time/clock.ts";
import { apiVersionOf, type Kind } from "../kinds/engine/kind.ts";
import type { Client, DeleteOptions, List, ListOptions, Patch, Ref, Transport, WatchSink } from "./client.ts";
import { resourcePath } from "./paths.ts";

/** Responses other than JSON are read as text up to this size. */
const largestTextBytes = 64 * 1024 * 1024;
const json = "application/json";
const never = new AbortController().signal;
// Every request without a signal of its own listens to this one.
setMaxListeners(0, never);

const patchTypes = {
	json: "application/json-patch+json",
	merge: "application/merge-patch+json",
	strategic: "application/strategic-merge-patch+json",
	// JSON is YAML, and all served versions accept this content type for apply.
	apply: "application/apply-patch+yaml",
} as const;

interface RequestParts {
	method: ApiRequest["method"];
	path: string;
	query?: URLSearchParams;
	body?: unknown;
	contentType?: string;
	signal?: AbortSignal;
}

export interface ClientOptions {
	/** Also the default field manager: the part before the first slash. */
	userAgent?: string;
	clock?: Clock;
	/**
	 * Returns objects that the caller may change; their managedFields may only be replaced. Default: frozen objects,
	 * shared by all readers.
	 */
	copies?: boolean;
}

/** A client over `transport`. Clients made from it with `as` share the transport; closing any of them closes it. */
export function createClient(transport: Transport, options: ClientOptions = {}): Client {
	return new TransportClient(transport, options.userAgent ?? "coxswain", options.copies === true);
}

class TransportClient implements Client {
	readonly #transport: Transport;
	readonly #userAgent: string;
	readonly #copies: boolean;

	constructor(transport: Transport, userAgent: string, copies: boolean) {
		this.#transport = transport;
		this.#userAgent = userAgent;
		this.#copies = copies;
	}

	get<T extends KubeObject>(kind: Kind<T>, ref: Ref): Promise<T> {
		return this.#object({ method: "GET", path: pathOf(kind, ref) });
	}

	async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): Promise<List<T>> {
		const response = await this.#send({
			method: "GET",
			path: resourcePath(kind, options.namespace),
			query: listQuery(options),
			signal: options.signal,
		});
		// A successful LIST returns the list type of the requested kind.
		const list = (await answer(response)) as {
			metadata?: { resourceVersion?: string; continue?: string };
			items?: T[] | null;
		};
		const { resourceVersion = "0", continue: next } = list.metadata ?? {};
		const items = (list.items ?? []).map((item) => this.#owned(complete(kind, item)));
		return { items, resourceVersion, ...(next === undefined || next === "" ? {} : { continue: next }) };
	}

	create<T extends KubeObject>(kind: Kind<T>, draft: Draft<T>): Promise<T> {
		const path = resourcePath(kind, kind.namespaced ? draft.metadata.namespace : undefined);
		return this.#object({ method: "POST", path, body: { apiVersion: apiVersionOf(kind), kind: kind.kind, ...draft } });
	}

	update<T extends KubeObject>(kind: Kind<T>, object: T, subresource?: string): Promise<T> {
		return this.#object({ method: "PUT", path: pathOf(kind, object.metadata, subresource), body: object });
	}

	updateStatus<T extends KubeObject>(kind: Kind<T>, object: T): Promise<T> {
		const subresource = kind.subresources.status ? "status" : undefined;
		return this.#object({ method: "PUT", path: pathOf(kind, object.metadata, subresource), body: object });
	}

	patch<T extends KubeObject>(kind: Kind<T>, ref: Ref, patch: Patch, subresource?: string): Promise<T> {
		const query = new URLSearchParams();
		if (patch.type === "apply") {
			query.set("fieldManager", patch.fieldManager);
			if (patch.force) query.set("force", "true");
			if (patch.fieldValidation !== undefined) query.set("fieldValidation", patch.fieldValidation);
		}
		return this.#object({
			method: "PATCH",
			path: pathOf(kind, ref, subresource),
			query,
			body: patch.type === "json" ? patch.operations : patch.type === "apply" ? patch.object : patch.patch,
			contentType: patchTypes[patch.type],
		});
	}

	delete<T extends KubeObject>(kind: Kind<T>, ref: Ref, options: DeleteOptions = {}): Promise<T> {
		const body = { kind: "DeleteOptions", apiVersion: "v1", ...options };
		return this.#object({ method: "DELETE", path: pathOf(kind, ref), body });
	}

	createSubresource<T extends KubeObject>(kind: Kind<T>, ref: Ref, subresource: string, body: object): Promise<object> {
		return this.#object({ method: "POST", path: pathOf(kind, ref, subresource), body });
	}

	watch<T extends KubeObject>(
		kind: Kind<T>,
		options: ListOptions & { resourceVersion: string; signal: AbortSignal },
		sink: WatchSink<T>,
	): void {
		const { signal } = options;
		const query = listQuery(options);
		query.set("watch", "true");
		query.set("allowWatchBookmarks", "true");
		let over = false;
		const end = (error?: Error) => {
			if (over || signal.aborted) return;
			over = true;
			sink.end(error);
		};
		const event = (received: WatchEvent) => {
			if (over || signal.aborted) return;
			// An ERROR event contains a Status instead of an object of the kind.
			if (received.type === "ERROR") end(ApiError.fromStatus(received.object as unknown as Status));
			else sink.event(this.#copies ? copyOf(received as WatchEvent<T>) : (received as WatchEvent<T>));
		};
		const path = resourcePath(kind, options.namespace);
		this.#send({ method: "GET", path, query, signal }).then((response) => {
			if (response.type === "watch") return response.start({ event, end });
			const noWatch = () => end(new ApiError("InternalError", `${path}: the answer is not a watch`));
			Promise.resolve(response).then(answer).then(noWatch, end);
		}, end);
	}

	async revision(): Promise<number> {
		// A list without resourceVersion is a consistent read: its resourceVersion is at least the store's newest at that
		// time.
		const query = new URLSearchParams({ limit: "1" });
		const list = await answer(await this.#send({ method: "GET", path: "/api/v1/namespaces", query }));
		// A NamespaceList; see above.
		return Number((list as { metadata: { resourceVersion: string } }).metadata.resourceVersion);
	}

	async raw(method: ApiRequest["method"], path: string, body?: object): Promise<unknown> {
		const cut = path.indexOf("?");
		return this.#answer(
			await this.#send({
				method,
				path: cut < 0 ? path : path.slice(0, cut),
				query: new URLSearchParams(cut < 0 ? "" : path.slice(cut + 1)),
				body,
			}),
		);
	}

	as(userAgent: string): Client {
		return new TransportClient(this.#transport, userAgent, this.#copies);
	}

	close(): Promise<void> {
		return this.#transport.close();
	}

	#send(parts: RequestParts): Promise<ApiResponse> {
		const headers: Record<string, string> = { "user-agent": this.#userAgent, accept: json };
		if (parts.body !== undefined) headers["content-type"] = parts.contentType ?? json;
		return this.#transport.send({
			method: parts.method,
			path: parts.path,
			query: parts.query ?? new URLSearchParams(),
			headers,
			body: parts.body === undefined ? undefined : { object: parts.body },
			signal: parts.signal ?? never,
		});
	}

	/** The response has the type that its path names. */
	#object<T>(parts: RequestParts): Promise<T> {
		return this.#send(parts).then(this.#answer) as Promise<T>;
	}

	readonly #answer = (response: ApiResponse): unknown => {
		const found = answer(response);
		if (!this.#copies) return found;
		return found instanceof Promise ? found : this.#owned(found);
	};

	#owned<T>(object: T): T {
		return this.#copies && isRecord(object) ? copyObject(object) : object;
	}
}

function copyOf<T extends KubeObject>({ type, object, revision }: WatchEvent<T>): WatchEvent<T> {
	return { type, object: copyObject(object), revision };
}

function pathOf(kind: Kind, ref: { namespace?: string; name: string }, subresource?: string): string {
	return resourcePath(kind, kind.namespaced ? ref.namespace : undefined, ref.name, subresource);
}

function listQuery(options: ListOptions): URLSearchParams {
	const query = new URLSearchParams();
	for (const name of ["labelSelector", "fieldSelector", "limit", "continue", "resourceVersion"] as const) {
		const value = options[name];
		if (value !== undefined) query.set(name, String(value));
	}
	return query;
}

/** Items of a list may omit the type, which the list's own type implies. */
function complete<T extends KubeObject>(kind: Kind<T>, item: T): T {
	if (item.kind !== undefined) return deepFreeze(item);
	return deepFreeze({ ...item, apiVersion: apiVersionOf(kind), kind: kind.kind });
}

/**
 * The frozen object of a response, synchronously if available.
 * @throws ApiError if the response is a failure
 */
function answer(response: ApiResponse): unknown {
	if (response.type === "watch" || response.type === "connection")
		throw new ApiError("InternalError", `a ${response.type} was answered where an object was asked for`);
	if (response.type === "object") return contentOf(response, response.object);
	return text(response.body).then((content) => contentOf(response, content));
}

function contentOf(response: ApiResponse, content: unknown): unknown {
	if (response.status < 400) return deepFreeze(content);
	throw ApiError.fromStatus(
		isRecord(content) && content["kind"] === "Status"
			? // The API answers failures with a Status; an admission webhook need not give it a reason.
				(content as unknown as Status)
			: { code: response.status, message: String(typeof content === "string" ? content : JSON.stringify(content)) },
	);
}

async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
	const chunks: Uint8Array[] = [];
	let byteCount = 0;
	for await (const chunk of body) {
		byteCount += chunk.length;
		if (byteCount > largestTextBytes)
			throw new ApiError("InternalError", `answer larger than ${largestTextBytes} bytes`);
		chunks.push(chunk);
	}
	return Buffer.concat(chunks).toString("utf8");
}
