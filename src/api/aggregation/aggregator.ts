/**
 * Follows the APIServices: which group versions extension API servers serve, how they are reached, whether they are
 * available, and what discovery they publish.
 */

import { isTrue } from "../../core/conditions.ts";
import { semanticEqual } from "../../core/equal.ts";
import { apiServices } from "../../kinds/apiregistration/apiservice.ts";
import { apiServiceName, isLocal } from "../../kinds/apiregistration/availability.ts";
import type { APIService } from "../../kinds/generated/types.ts";
import type { CacheEvent } from "../cache/event.ts";
import { keyPrefix } from "../cache/keys.ts";
import type { RequestInfo } from "../request/request-info.ts";
import type { Server } from "../server/server.ts";
import { AvailabilityChecks } from "./availability.ts";
import { Backend } from "./backend.ts";
import { Described, type Description, documentName } from "./described.ts";
import type { OpenApiPart } from "./openapi-part.ts";
import { RemoteKinds } from "./remote-kinds.ts";

/** A group version that an extension API server serves. */
export interface Remote {
	readonly apiService: APIService;
	readonly backend: Backend;
	readonly isAvailable: boolean;
	readonly described: Described;
}

const noParts: readonly OpenApiPart[] = [];
const openApiV3 = "/openapi/v3/";

export class Aggregator {
	readonly #server: Server;
	/** By the names of their APIServices. */
	readonly #remotes = new Map<string, Remote>();
	readonly #checks: AvailabilityChecks;
	readonly #closing = new AbortController();
	/** Made when asked for, after a change. */
	#descriptions: readonly Description[] | undefined;
	#parts: readonly OpenApiPart[] = noParts;
	/** What controllers follow. */
	readonly kinds = new RemoteKinds();

	/** Starts with the contents of the cache, which must be filled. */
	constructor(server: Server) {
		this.#server = server;
		this.#checks = new AvailabilityChecks(server);
		this.#follow();
	}

	/** The extension API server for a request. Undefined: this server, or none. */
	serverOf({ resource, path }: RequestInfo): Remote | undefined {
		// Most clusters have none.
		if (this.#remotes.size === 0) return undefined;
		if (resource !== undefined) return this.#remotes.get(apiServiceName(resource.group, resource.version));
		if (path.startsWith(openApiV3)) return this.#describing(path.slice(openApiV3.length));
		const [, root, ...rest] = path.replace(/\/$/, "").split("/");
		if (root === "api" && rest.length === 1) return this.#remotes.get(apiServiceName("", rest[0] ?? ""));
		if (root !== "apis" || rest.length !== 2) return undefined;
		return this.#remotes.get(apiServiceName(rest[0] ?? "", rest[1] ?? ""));
	}

	/** The server that publishes a document. @param name in the index of OpenAPI v3 documents */
	#describing(name: string): Remote | undefined {
		for (const remote of this.#remotes.values())
			if (Object.hasOwn(remote.described.description.openApi, name)) return remote;
		return undefined;
	}

	/** Everything that extension API servers serve. The same list until something changes. */
	readonly descriptions = (): readonly Description[] => {
		this.#descriptions ??= [...this.#remotes.values()].map(({ described }) => described.description);
		return this.#descriptions;
	};

	/** Parts of an OpenAPI v2 document. The same list until something changes. */
	async openApiParts(): Promise<readonly OpenApiPart[]> {
		if (this.#remotes.size === 0) return noParts;
		const found = await Promise.all([...this.#remotes.values()].map(({ described }) => described.openApiV2()));
		const parts = found.filter((part) => part !== undefined);
		const isSame = parts.length === this.#parts.length && parts.every((part, index) => part === this.#parts[index]);
		if (!isSame) this.#parts = parts;
		return this.#parts;
	}

	/** Those of servers that publish no other, by the names that they would have in the index of OpenAPI v3. */
	async convertibleParts(): Promise<ReadonlyMap<string, OpenApiPart>> {
		const parts = new Map<string, OpenApiPart>();
		const only = [...this.#remotes.values()].filter(({ described }) => described.description.hasOnlyV2);
		const ask = async ({ described }: Remote) => {
			const part = await described.openApiV2();
			if (part !== undefined) parts.set(documentName(described.description), part);
		};
		if (only.length > 0) await Promise.all(only.map(ask));
		return parts;
	}

	close(): void {
		this.#closing.abort();
		this.#checks.close();
		for (const remote of this.#remotes.values()) end(remote);
	}

	readonly #changed = () => {
		this.#descriptions = undefined;
		this.kinds.update(this.descriptions());
	};

	#follow(): void {
		if (this.#closing.signal.aborted) return;
		const objects = this.#server.cache.resource(apiServices);
		const gone = new Set(this.#remotes.keys());
		for (const { object } of objects.range(keyPrefix(apiServices))) {
			gone.delete(object.metadata.name);
			this.#take(object);
		}
		for (const name of gone) this.#forget(name);
		const watch = new AbortController();
		const watcher = {
			scope: { by: "all" } as const,
			change: ({ current, previous }: CacheEvent<APIService>) => {
				if (current !== undefined) this.#take(current.object);
				else if (previous !== undefined) this.#forget(previous.object.metadata.name);
			},
			progress: () => {},
			// The cache was refilled.
			end: () => {
				watch.abort();
				this.#follow();
			},
		};
		objects.watch(watcher, this.#server.cache.revision, AbortSignal.any([watch.signal, this.#closing.signal]));
	}

	#take(apiService: APIService): void {
		const { name } = apiService.metadata;
		// The group of APIServices itself is always served here, so that mistakes can be repaired.
		if (isLocal(apiService) || apiService.spec.group === apiServices.group) {
			this.#forget(name);
			this.#checks.local(apiService);
			return;
		}
		const before = this.#remotes.get(name);
		const stays = before !== undefined && semanticEqual(before.apiService.spec, apiService.spec);
		const backend = stays ? before.backend : new Backend(this.#server, apiService);
		const described = stays ? before.described : new Described(this.#server, apiService, backend, this.#changed);
		if (before !== undefined && !stays) end(before);
		const isAvailable = isTrue(apiService, "Available");
		this.#remotes.set(name, { apiService, backend, described, isAvailable });
		if (!stays) this.#changed();
		described.setAvailable(isAvailable);
		this.#checks.add(apiService, backend);
	}

	#forget(name: string): void {
		const remote = this.#remotes.get(name);
		if (remote === undefined) return;
		end(remote);
		this.#remotes.delete(name);
		this.#checks.forget(name);
		this.#changed();
	}
}

function end({ backend, described }: Remote): void {
	described.close();
	backend.close();
}
