import type { Kind } from "../../kinds/engine/kind.ts";
import { endpointSlices } from "../../kinds/networking/endpointslice.ts";
import { services } from "../../kinds/networking/service.ts";
import type { CacheEvent } from "../cache/event.ts";
import type { Server } from "../server/server.ts";

/** Follows the objects that determine whether a service is reachable: the Service and its EndpointSlices. */
export class ServiceChanges {
	readonly #server: Pick<Server, "cache">;
	readonly #changed: (namespace: string, service: string) => void;
	#following: AbortController | undefined;

	constructor(server: Pick<Server, "cache">, changed: (namespace: string, service: string) => void) {
		this.#server = server;
		this.#changed = changed;
	}

	/** Does nothing while it follows already. */
	follow(): void {
		if (this.#following !== undefined) return;
		this.#following = new AbortController();
		this.#watch(services as Kind, ({ name }) => name);
		this.#watch(endpointSlices as Kind, ({ labels }) => labels?.["kubernetes.io/service-name"]);
	}

	stop(): void {
		this.#following?.abort();
		this.#following = undefined;
	}

	#watch(kind: Kind, serviceOf: (metadata: CacheEventObject["metadata"]) => string | undefined): void {
		const following = this.#following?.signal;
		if (following === undefined || following.aborted) return;
		const watch = new AbortController();
		const watcher = {
			scope: { by: "all" } as const,
			change: ({ current, previous }: CacheEvent) => {
				const metadata = (current ?? previous)?.object.metadata;
				const service = metadata && serviceOf(metadata);
				if (service !== undefined) this.#changed(metadata?.namespace ?? "", service);
			},
			progress: () => {},
			// The cache was refilled: the next check finds what has changed.
			end: () => {
				watch.abort();
				this.#watch(kind, serviceOf);
			},
		};
		const { cache } = this.#server;
		cache.resource(kind).watch(watcher, cache.revision, AbortSignal.any([watch.signal, following]));
	}
}

type CacheEventObject = NonNullable<CacheEvent["current"]>["object"];
