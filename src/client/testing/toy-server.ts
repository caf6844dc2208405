/**
 * A minimal API server for tests of informer caches and shells, with seeded faults: slow writes, late watch events,
 * broken watches, lost responses.
 */

import { ApiError, alreadyExists, conflict, notFound, type Status } from "../../core/errors.ts";
import type { ApiRequest, ApiResponse, Handler, ServedWatchEvent } from "../../core/exchange.ts";
import { deepFreeze, type KubeObject } from "../../core/object.ts";
import type { Clock } from "../../core/time/clock.ts";

export interface ToyFaults {
	/** The longest delay of a write before it happens, and of a watch event. */
	writeDelayMs?: number;
	watchDelayMs?: number;
	/** Probabilities that a write's response is lost, that a write is refused, and that a watch breaks after an event. */
	lostAnswers?: number;
	refusals?: number;
	brokenWatches?: number;
}

interface ToyWatcher {
	resource: string;
	event(event: ServedWatchEvent): void;
	end(error?: Error): void;
}

const noBytes = new Uint8Array(0);

export class ToyServer {
	revision = 0;
	/** `resource path/name` → object. */
	readonly objects = new Map<string, KubeObject>();
	faults: ToyFaults;
	requestCount = 0;
	readonly #clock: Clock;
	readonly #log: { resource: string; event: ServedWatchEvent }[] = [];
	readonly #watchers = new Set<ToyWatcher>();
	#compacted = 0;

	constructor(clock: Clock, faults: ToyFaults = {}) {
		this.#clock = clock;
		this.faults = faults;
	}

	/** Discards the history: watches that resume from before have to list. */
	compact(): void {
		this.#compacted = this.revision;
	}

	breakWatches(): void {
		for (const watcher of [...this.#watchers]) watcher.end();
	}

	of(plural: string): KubeObject[] {
		return [...this.objects].filter(([key]) => key.includes(`/${plural}/`)).map(([, object]) => object);
	}

	readonly handle: Handler = async (request) => {
		this.requestCount++;
		try {
			return await this.#route(request);
		} catch (error) {
			if (!(error instanceof ApiError) || error.message === "answer lost") throw error;
			return answer(error.code, error.toStatus());
		}
	};

	async #route(request: ApiRequest): Promise<ApiResponse> {
		const parts = request.path.split("/").slice(request.path.startsWith("/apis/") ? 4 : 3);
		const namespace = parts[0] === "namespaces" && parts.length > 2 ? parts[1] : undefined;
		const [plural = "", name] = namespace === undefined ? parts : parts.slice(2);
		if (request.method === "GET" && name === undefined) {
			if (request.query.get("watch") === "true") return this.#watch(plural, request);
			const items = this.of(plural);
			return answer(200, { metadata: { resourceVersion: String(this.revision) }, items });
		}
		const key = `${namespace ?? ""}/${plural}/${name ?? ""}`;
		if (request.method === "GET") return answer(200, this.#existing(key, plural, name));
		const { writeDelayMs = 0 } = this.faults;
		if (writeDelayMs > 0) await this.#clock.sleep(this.#clock.random() * writeDelayMs);
		if (this.#clock.random() < (this.faults.refusals ?? 0)) throw new ApiError("TooManyRequests", "not now");
		const written = this.#write(request, key, namespace, plural, name);
		if (this.#clock.random() < (this.faults.lostAnswers ?? 0)) throw new ApiError("Timeout", "answer lost");
		return answer(200, written);
	}

	#existing(key: string, plural: string, name: string | undefined): KubeObject {
		const object = this.objects.get(key);
		if (object === undefined) throw notFound({ group: "", plural }, name ?? "");
		return object;
	}

	#write(request: ApiRequest, key: string, namespace: string | undefined, plural: string, name?: string): KubeObject {
		// Requests come from this project's client: a value of the kind that the path names.
		const body =
			request.body !== undefined && "object" in request.body ? (request.body.object as KubeObject) : undefined;
		if (request.method === "POST") return this.#create(body, namespace, plural);
		const old = this.#existing(key, plural, name);
		if (request.method === "DELETE") {
			const wanted = (body as { preconditions?: { uid?: string } } | undefined)?.preconditions?.uid;
			if (wanted !== undefined && wanted !== old.metadata.uid) throw conflict({ group: "", plural }, name ?? "", "uid");
			this.objects.delete(key);
			return this.#publish("DELETED", plural, old);
		}
		const changed = request.method === "PATCH" ? { ...old, ...body } : (body ?? old);
		const version = request.method === "PUT" ? changed.metadata.resourceVersion : undefined;
		if (version !== undefined && version !== old.metadata.resourceVersion) {
			throw conflict({ group: "", plural }, name ?? "", "the object has been modified");
		}
		const object = this.#publish("MODIFIED", plural, changed);
		this.objects.set(key, object);
		return object;
	}

	#create(body: KubeObject | undefined, namespace: string | undefined, plural: string): KubeObject {
		if (body === undefined) throw new ApiError("BadRequest", "no object");
		const { generateName } = body.metadata;
		const name = generateName === undefined ? body.metadata.name : `${generateName}${this.revision + 1}`;
		const key = `${namespace ?? ""}/${plural}/${name}`;
		if (this.objects.has(key)) throw alreadyExists({ group: "", plural }, name);
		const metadata = { ...body.metadata, name, uid: `uid-${this.revision + 1}`, ...(namespace ? { namespace } : {}) };
		const object = this.#publish("ADDED", plural, { ...body, metadata });
		this.objects.set(key, object);
		return object;
	}

	#publish(type: "ADDED" | "MODIFIED" | "DELETED", resource: string, object: KubeObject): KubeObject {
		const revision = ++this.revision;
		const published = deepFreeze({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } });
		const event: ServedWatchEvent = { type, object: published, revision, bytes: noBytes };
		this.#log.push({ resource, event });
		for (const watcher of [...this.#watchers]) if (watcher.resource === resource) watcher.event(event);
		return published;
	}

	#watch(resource: string, request: ApiRequest): ApiResponse {
		const from = Number(request.query.get("resourceVersion"));
		if (from < this.#compacted) return answer(410, new ApiError("Expired", "too old resource version").toStatus());
		return {
			type: "watch",
			status: 200,
			headers: {},
			start: (sink) => {
				const watcher = this.#watcher(resource, sink);
				this.#watchers.add(watcher);
				request.signal.addEventListener("abort", () => this.#watchers.delete(watcher), { once: true });
				for (const { resource: of, event } of this.#log) {
					if (of === resource && event.revision > from) watcher.event(event);
				}
			},
		};
	}

	/** Events arrive late but in order; the watch ends after some of them. */
	#watcher(resource: string, sink: { event(event: ServedWatchEvent): void; end(error?: Error): void }): ToyWatcher {
		let dueMs = 0;
		const watcher: ToyWatcher = {
			resource,
			event: (event) => {
				if (!this.#watchers.has(watcher)) return;
				const longestMs = this.faults.watchDelayMs ?? 0;
				if (longestMs === 0) {
					sink.event(event);
					return;
				}
				const nowMs = this.#clock.now();
				dueMs = Math.max(dueMs, nowMs + this.#clock.random() * longestMs);
				this.#clock.after(dueMs - nowMs, () => {
					if (!this.#watchers.has(watcher)) return;
					sink.event(event);
					if (this.#clock.random() < (this.faults.brokenWatches ?? 0)) watcher.end();
				});
			},
			end: (error) => {
				if (this.#watchers.delete(watcher)) sink.end(error);
			},
		};
		return watcher;
	}
}

function answer(status: number, object: KubeObject | Status | object): ApiResponse {
	return { type: "object", status, headers: {}, object: deepFreeze(object), bytes: () => noBytes };
}
