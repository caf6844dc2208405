/**
 * `/metrics/workloads`: kube-state-metrics' metrics of the cluster's objects, generated from the watch cache while a
 * client reads them. Nothing is kept between scrapes.
 */

import type { ApiResponse } from "../../core/exchange.ts";
import { expositionType } from "../../core/metrics/exposition.ts";
import type { KubeObject } from "../../core/object.ts";
import type { Clock } from "../../core/time/clock.ts";
import type { WatchCache } from "../cache/cache.ts";
import { keyPrefix } from "../cache/keys.ts";
import { tooManyRequests } from "../request/flow.ts";
import { type KindFamilies, type Labels, labelText } from "./family.ts";
import { workloadFamilies } from "./list.ts";

/** Text is sent in pieces of this length, and other work of the process can run in between. */
const pieceLength = 64 * 1024;
const parsedAtOnce = 256;
/** Scrapes at the same time. Each holds a list of all objects of the kind that it is writing. */
const mostScrapes = 8;
/** Per user: every pod can scrape as kube-state-metrics, and must not exclude others. */
const mostOfUser = 4;
/** The scrape of a client that takes longer ends when another one needs its place. */
const patienceMs = 60_000;

interface Scrape {
	user: string;
	sinceMs: number;
}

export class WorkloadMetrics {
	readonly #cache: WatchCache;
	readonly #clock: Clock;
	readonly #running = new Set<Scrape>();

	constructor(cache: WatchCache, clock: Clock) {
		this.#cache = cache;
		this.#clock = clock;
	}

	/** @throws ApiError TooManyRequests */
	answer(user: string): ApiResponse {
		const nowMs = this.#clock.monotonicMs();
		for (const one of this.#running) if (nowMs - one.sinceMs > patienceMs) this.#running.delete(one);
		const own = [...this.#running].filter((one) => one.user === user).length;
		if (this.#running.size >= mostScrapes || own >= mostOfUser) throw tooManyRequests();
		const scrape: Scrape = { user, sinceMs: nowMs };
		this.#running.add(scrape);
		return { type: "stream", status: 200, headers: { "content-type": expositionType }, body: this.#body(scrape) };
	}

	async *#body(scrape: Scrape): AsyncGenerator<Uint8Array> {
		try {
			for (const text of this.#text()) {
				if (text !== "") yield Buffer.from(text);
				await turn();
				if (!this.#running.has(scrape)) throw new Error("the client took too long");
			}
		} finally {
			this.#running.delete(scrape);
		}
	}

	/** Pieces, some of which are empty. */
	*#text(): Generator<string> {
		for (const families of workloadFamilies) {
			const found = [...this.#cache.resource(families.kind).range(keyPrefix(families.kind))];
			const objects: KubeObject[] = [];
			for (const cached of found) {
				objects.push(cached.object);
				// After a restart, objects are parsed at this point.
				if (objects.length % parsedAtOnce === 0) yield "";
			}
			yield* kindText(families, objects);
		}
	}
}

/** The text of all families of a kind, in pieces. */
export function* kindText({ labels, families }: KindFamilies, objects: readonly KubeObject[]): Generator<string> {
	// Computed once for all families, and joined: V8 would otherwise flatten the concatenated strings for every series.
	const own: string[] = [];
	for (const { name, help, type = "gauge", each } of families) {
		const opening = `${name}{`;
		let text = `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
		let ownText = "";
		const add = (value: number, more: Labels | string = "") => {
			const rest = typeof more === "string" ? more : labelText(more);
			const end = value === 1 ? "} 1\n" : value === 0 ? "} 0\n" : `} ${value}\n`;
			text += opening + (rest === "" ? ownText.slice(0, -1) : ownText + rest) + end;
		};
		for (const [index, object] of objects.entries()) {
			ownText = own[index] ??= [labelText(labels(object)), ""].join(",");
			each(object, add);
			if (text.length < pieceLength) continue;
			yield text;
			text = "";
		}
		if (text !== "") yield text;
	}
}

function turn(): Promise<void> {
	return new Promise((resolve) => setImmediate(resolve));
}
