/**
 * The discovery of one extension API server, refreshed at intervals, and kept while the server does not respond.
 */
import { sameJson } from "../../core/equal.ts";
import { checkJsonBytes } from "../../core/text/json-limits.ts";
import type { Timer } from "../../core/time/clock.ts";
import type { APIService } from "../../kinds/generated/types.ts";
import type { RemoteGroupVersion } from "../discovery/discovery.ts";
import type { Server } from "../server/server.ts";
import { Worker } from "../server/worker.ts";
import { ask, type Told } from "./ask.ts";
import type { Backend } from "./backend.ts";
import { type OpenApiPart, openApiPart } from "./openapi-part.ts";
import { aggregatedResources, type DiscoveredResource, listedResources } from "./resource-list.ts";

const timeoutMs = 5000;
/** As upstream. */
const againMs = 60_000;
const largestAnswerBytes = 16 * 1024 * 1024;
const json = "application/json";
const aggregated = `${json};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList`;

export interface Description extends RemoteGroupVersion {
	readonly resources: readonly DiscoveredResource[];
	/** Where its OpenAPI v3 documents are, by their names in the index. Its own group version only. */
	readonly openApi: Readonly<Record<string, { serverRelativeURL: string }>>;
	/** It publishes no OpenAPI v3, so that v2 has to be converted. */
	readonly hasOnlyV2: boolean;
}

export class Described {
	readonly #server: Server;
	readonly #backend: Backend;
	readonly #changed: () => void;
	readonly #worker: Worker;
	#again: Timer | undefined;
	#etag: string | undefined;
	#isAvailable = false;
	#description: Description;
	readonly #v2: { part: OpenApiPart | undefined; etag: string; untilMs: number } = {
		part: undefined,
		etag: "",
		untilMs: 0,
	};

	/** @param changed called when the description is another */
	constructor(server: Server, apiService: APIService, backend: Backend, changed: () => void) {
		this.#server = server;
		this.#backend = backend;
		this.#changed = changed;
		const { group = "", version = "", groupPriorityMinimum: groupPriority, versionPriority } = apiService.spec;
		const unknown = { resources: [], freshness: "Stale", openApi: {}, hasOnlyV2: false } as const;
		this.#description = { group, version, groupPriority, versionPriority, ...unknown };
		// After a failure, the last state is kept and marked as stale.
		this.#worker = new Worker(
			server.options.wallClock ?? server.clock,
			() => this.#look(),
			() => {},
		);
	}

	get description(): Description {
		return this.#description;
	}

	/**
	 * Its part of an OpenAPI v2 document, which is large and seldom asked for: the same object until it changes. After the
	 * first time what is known is told at once, and looked after.
	 */
	async openApiV2(): Promise<OpenApiPart | undefined> {
		const clock = this.#server.options.wallClock ?? this.#server.clock;
		if (!this.#isAvailable || clock.monotonicMs() < this.#v2.untilMs) return this.#v2.part;
		const isFirst = this.#v2.untilMs === 0;
		this.#v2.untilMs = clock.monotonicMs() + againMs;
		const looking = this.#lookAtV2().catch(() => {});
		if (isFirst) await looking;
		return this.#v2.part;
	}

	async #lookAtV2(): Promise<void> {
		const { group, version } = this.#description;
		const headers: Record<string, string> = { accept: json };
		if (this.#v2.etag !== "") headers["if-none-match"] = this.#v2.etag;
		const told = await this.#ask("/openapi/v2", headers);
		if (told.status !== 200) return;
		// Its bytes are few enough; how deep it is would count for whoever asks for the whole document.
		checkJsonBytes(told.body, Number.POSITIVE_INFINITY);
		const part = openApiPart(parsed(told), `/apis/${group}/${version}/`);
		this.#v2.etag = String(told.headers["etag"] ?? "");
		if (!sameJson(part, this.#v2.part)) this.#v2.part = part;
	}

	/** Whether it is available. */
	setAvailable(isAvailable: boolean): void {
		if (this.#isAvailable === isAvailable) return;
		this.#isAvailable = isAvailable;
		if (isAvailable) this.#worker.add("discovery");
		else this.#take({ freshness: "Stale" });
	}

	close(): void {
		this.#worker.close();
		this.#again?.cancel();
	}

	async #look(): Promise<void> {
		this.#again?.cancel();
		if (!this.#isAvailable) return;
		try {
			const resources = await this.#resources();
			const openApi = await this.#openApi().catch(() => ({ openApi: {} }));
			this.#take({ resources, ...openApi, freshness: "Current" });
		} catch (error) {
			this.#take({ freshness: "Stale" });
			throw error;
		}
		const clock = this.#server.options.wallClock ?? this.#server.clock;
		this.#again = clock.after(againMs, () => this.#worker.add("discovery"));
	}

	#take(news: Partial<Description>): void {
		const next = { ...this.#description, ...news };
		if (sameJson(next, this.#description)) return;
		this.#description = next;
		this.#changed();
	}

	async #resources(): Promise<readonly DiscoveredResource[]> {
		const { group, version, resources } = this.#description;
		const headers: Record<string, string> = { accept: aggregated };
		if (this.#etag !== undefined) headers["if-none-match"] = this.#etag;
		const told = await this.#ask("/apis", headers);
		if (told.status === 304) return resources;
		const type = String(told.headers["content-type"] ?? "");
		if (told.status === 200 && type.includes("as=APIGroupDiscoveryList") && group !== "") {
			const found = aggregatedResources(parsed(told), { group, version }) ?? [];
			this.#etag = String(told.headers["etag"] ?? "") || undefined;
			return found;
		}
		const older = await this.#ask(group === "" ? `/api/${version}` : `/apis/${group}/${version}`, { accept: json });
		if (older.status !== 200) throw new Error(`discovery was answered with ${older.status}`);
		return listedResources(parsed(older), { group, version });
	}

	async #openApi(): Promise<Pick<Description, "openApi" | "hasOnlyV2">> {
		const { group, version } = this.#description;
		const told = await this.#ask("/openapi/v3", { accept: json });
		// Any other failure: the document then lacks this part.
		const { paths } =
			told.status === 200 ? (parsed(told) as { paths?: Record<string, { serverRelativeURL?: unknown }> }) : {};
		const name = documentName(this.#description);
		const url = paths?.[name]?.serverRelativeURL;
		const openApi = typeof url === "string" ? { [name]: { serverRelativeURL: url } } : {};
		return { openApi, hasOnlyV2: told.status === 404 && group !== "" && version !== "" };
	}

	#ask(path: string, headers: Record<string, string>): Promise<Told> {
		return ask(this.#server, this.#backend, { path, headers, timeoutMs, most: largestAnswerBytes });
	}
}

/** Of a group version, in the index of OpenAPI v3. */
export function documentName({ group, version }: { group: string; version: string }): string {
	return `apis/${group}/${version}`;
}

function parsed({ body }: Told): unknown {
	return JSON.parse(body.toString());
}
